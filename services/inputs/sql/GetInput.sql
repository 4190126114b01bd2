select
--@include input.columns
from inputs.input i
where i.tenant_id = :tenant and i.id = :id

select
--@include import.columns
from inputs.import i
where i.tenant_id = :tenant and i.id = :id

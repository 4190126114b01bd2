select
--@include contribution.columns
from inputs.contribution c
where c.tenant_id = :tenant and c.id = :id

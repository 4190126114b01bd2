select
--@include party.columns
from inputs.party p
where p.tenant_id = :tenant and p.id = :id

select
--@include organisation.columns
from core.organisation o
where o.tenant_id = :tenant

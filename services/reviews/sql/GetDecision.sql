select
--@include decision.columns
from reviews.decision d
where d.tenant_id = :tenant and d.id = :id

select
--@include programme.columns
from reviews.programme p
where p.tenant_id = :tenant and p.id = :id

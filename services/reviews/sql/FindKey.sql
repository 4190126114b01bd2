--@request isms.reviews.v1.KeyRequest
--@response isms.reviews.v1.Key
select
--@include key.columns
from core.key k
where k.tenant_id = :tenant and k.id = :id

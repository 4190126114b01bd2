select
--@include review.columns
from reviews.review r
where r.tenant_id = :tenant and r.id = :id

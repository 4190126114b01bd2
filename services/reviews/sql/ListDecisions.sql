select
--@include decision.columns
    , d.number as "page.1"
from reviews.decision d
where d.tenant_id = :tenant and d.review_id = :review_id
--@if page_token
  and d.number > (:page.1)::text
--@end
order by d.number
limit :page.limit

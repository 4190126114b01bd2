select
--@include snapshot.head
     , s.sequence::text as "page.1"
from inputs.snapshot s
where s.tenant_id = :tenant
--@if review_id
  and s.review_id = :review_id
--@end
--@if page_token
  and s.sequence < (:page.1)::bigint
--@end
order by s.sequence desc
limit :page.limit

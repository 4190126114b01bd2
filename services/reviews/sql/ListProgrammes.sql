select
--@include programme.columns
    , p.title as "page.1",
    p.id::text as "page.2"
from reviews.programme p
where p.tenant_id = :tenant
--@if page_token
  and (p.title, p.id) > ((:page.1)::text, (:page.2)::uuid)
--@end
order by p.title, p.id
limit :page.limit

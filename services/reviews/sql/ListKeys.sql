select
--@include key.columns
    , k.id::text as "page.1"
from core.key k
where k.tenant_id = :tenant
--@if page_token
  and k.id > (:page.1)::uuid
--@end
order by k.id
limit :page.limit

select
--@include seal.columns
    , s.number::text as "page.1"
from core.seal s
where s.tenant_id = :tenant
--@if page_token
  and s.number < (:page.1)::bigint
--@end
order by s.number desc
limit :page.limit

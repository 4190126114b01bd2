select
--@include member.columns
    , m.name as "page.1",
    m.id::text as "page.2"
from core.member m
where m.tenant_id = :tenant and case when :state = '' then true else m.state = :state end
--@if page_token
  and (m.name, m.id) > ((:page.1)::text, (:page.2)::uuid)
--@end
order by m.name, m.id
limit :page.limit

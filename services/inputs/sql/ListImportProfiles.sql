select
--@include import_profile.columns
    , lower(p.name) as "page.1", p.id::text as "page.2"
from (select o.* from inputs.import_profile o where o.tenant_id = :tenant and o.delete_time is null
      union all
      select b.* from inputs.built_in_profiles() b where b.tenant_id = :tenant) p
--@if page_token
where (lower(p.name), p.id) > ((:page.1)::text, (:page.2)::uuid)
--@end
order by lower(p.name), p.id
limit :page.limit

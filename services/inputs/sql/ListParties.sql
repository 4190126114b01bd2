select
--@include party.columns
--@order "name"
    , p.name as "page.1", p.id::text as "page.2"
--@order "number"
    , p.number as "page.1"
--@order "update_time desc"
    , p.update_time::text as "page.1", p.id::text as "page.2"
--@end
from inputs.party p
where p.tenant_id = :tenant
  and (:show_deleted or p.delete_time is null)
  and case when :category = '' then true else p.category = :category end
  and case when :addressing = '' then true else p.addressing = :addressing end
  and case when :owner_id::uuid is null then true else p.owner_id = :owner_id::uuid end
--@order "name"
--@if page_token
  and (p.name, p.id) > (:page.1, (:page.2)::uuid)
--@end
order by p.name, p.id
--@order "number"
--@if page_token
  and p.number > :page.1
--@end
order by p.number
--@order "update_time desc"
--@if page_token
  and (p.update_time, p.id) < ((:page.1)::timestamptz, (:page.2)::uuid)
--@end
order by p.update_time desc, p.id desc
--@end
limit :page.limit

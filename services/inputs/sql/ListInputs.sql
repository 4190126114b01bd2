select
--@include input.columns
--@order "number"
    , i.number as "page.1"
--@order "due_date"
    , coalesce(i.due_date, 'infinity')::text as "page.1", i.number as "page.2"
--@order "update_time desc"
    , i.update_time::text as "page.1", i.id::text as "page.2"
--@end
from inputs.input i
where i.tenant_id = :tenant
--@if kind
  and i.kind = :kind
--@end
  and (:show_deleted or i.delete_time is null)
  and case when :state = '' then true else i.state = :state end
  and case when :owner_id::uuid is null then true else i.owner_id = :owner_id::uuid end
  and case when :source = '' then true else i.source = :source end
  and case when :label = '' then true else :label = any (i.labels) end
  and case when :due_before::date is null then true else i.due_date < :due_before::date end
--@order "number"
--@if page_token
  and i.number > :page.1
--@end
order by i.number
--@order "due_date"
--@if page_token
  and (coalesce(i.due_date, 'infinity'), i.number) > ((:page.1)::date, :page.2)
--@end
order by coalesce(i.due_date, 'infinity'), i.number
--@order "update_time desc"
--@if page_token
  and (i.update_time, i.id) < ((:page.1)::timestamptz, (:page.2)::uuid)
--@end
order by i.update_time desc, i.id desc
--@end
limit :page.limit

select
--@include action.columns
--@order "due_date"
    , due_date::text as "page.1", id::text as "page.2"
--@order "number"
    , number as "page.1"
--@order "update_time desc"
    , update_time::text as "page.1", id::text as "page.2"
--@end
from actions.action
where tenant_id = :tenant
--@if owner_id
  and owner_id = :owner_id
--@end
  and case when :state = '' then true else state = :state end
  and case when :review_id::uuid is null then true else review_id = :review_id end
  and case when :due_before::date is null then true else due_date < :due_before end
  and case when :unfinished then state not in ('VERIFIED_EFFECTIVE', 'CANCELLED') else true end
--@order "due_date"
--@if page_token
  and (due_date, id) > ((:page.1)::date, (:page.2)::uuid)
--@end
order by due_date, id
--@order "number"
--@if page_token
  and number > (:page.1)::text
--@end
order by number
--@order "update_time desc"
--@if page_token
  and (update_time, id) < ((:page.1)::timestamptz, (:page.2)::uuid)
--@end
order by update_time desc, id desc
--@end
limit :page.limit

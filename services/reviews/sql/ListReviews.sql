select
--@include review.head
--@order "planned_date desc"
    , r.planned_date::text as "page.1",
    r.id::text as "page.2"
--@order "number"
    , r.number as "page.1"
--@end
from reviews.review r
where r.tenant_id = :tenant
  and case when :state = '' then true else r.state = :state end
  and case when :programme_id::uuid is null then true else r.programme_id = :programme_id end
--@order "planned_date desc"
--@if page_token
  and (r.planned_date, r.id) < ((:page.1)::date, (:page.2)::uuid)
--@end
order by r.planned_date desc, r.id desc
--@order "number"
--@if page_token
  and r.number > (:page.1)::text
--@end
order by r.number
--@end
limit :page.limit

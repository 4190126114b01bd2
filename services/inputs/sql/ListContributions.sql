select
--@include contribution.columns
    , c.due_date::text as "page.1", c.id::text as "page.2"
from inputs.contribution c
where c.tenant_id = :tenant
--@if assignee_id
  and c.assignee_id = :assignee_id
--@end
--@if review_id
  and c.review_id = :review_id
--@end
  and case when :mine then c.assignee_id = :actor::uuid else true end
  and case when :agenda_item = '' then true else inputs.item_of(c) = :agenda_item end
  and case when :kind = '' then true else c.kind = :kind end
  and case when :state = '' then true else c.state = :state end
  and case when :overdue then c.state = 'REQUESTED' and inputs.is_late(c) else true end
--@if page_token
  and (c.due_date, c.id) > ((:page.1)::date, (:page.2)::uuid)
--@end
order by c.due_date, c.id
limit :page.limit

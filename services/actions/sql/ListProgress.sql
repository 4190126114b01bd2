select id, action_id, state, percent_complete, note, author_id, create_time, sequence::text as "page.1"
from actions.progress
where tenant_id = :tenant and action_id = :action_id
--@if page_token
  and sequence < (:page.1)::bigint
--@end
order by sequence desc
limit :page.limit

-- An auditor sees the changes of the reviews it was given, and of what says it belongs to one of them.
select c.sequence, c.ordinal, c.service, c.method, c.table_name as "table", c.row_id, c.revision, c.operation,
       c.actor as actor_id, c.actor_kind, c.on_behalf_of, c.request_id, c.change_time, c.content,
       encode(c.content_sha256, 'hex') as content_sha256, encode(c.previous_sha256, 'hex') as previous_sha256,
       c.sequence::text as "page.1", c.ordinal::text as "page.2"
from core.change c
where c.tenant_id = :tenant
--@if row_id
  and c.row_id = (:row_id)::uuid
--@end
--@if actor_id
  and c.actor = (:actor_id)::uuid
--@end
--@if page_token
  and (c.sequence, c.ordinal) < ((:page.1)::bigint, (:page.2)::integer)
--@end
  and case (select core.scope())
          when 'all' then true
          when 'auditor' then (select core.granted_reviews())::text[]
                              && array[c.row_id::text, c.content::jsonb ->> 'review_id']
          else false
      end
order by c.sequence desc, c.ordinal desc
limit :page.limit

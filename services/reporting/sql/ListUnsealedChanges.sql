--@request isms.reporting.v1.ListUnsealedChangesRequest
--@response isms.reporting.v1.ListUnsealedChangesResponse
-- What a seal covers of a change; the content is in it by its hash.
select c.sequence, c.ordinal, c.service, c.method, c.table_name as "table", c.row_id, c.revision, c.operation,
       c.actor as actor_id, c.actor_kind, c.on_behalf_of, c.request_id, c.change_time,
       encode(c.content_sha256, 'hex') as content_sha256, encode(c.previous_sha256, 'hex') as previous_sha256
from core.change c
where c.tenant_id = :tenant and c.sequence <= :through_sequence
  and (c.sequence, c.ordinal) > (:sequence, :ordinal)
order by c.sequence, c.ordinal
limit :count

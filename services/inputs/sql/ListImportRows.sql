select r.ordinal, r.line, r.row, r.external_id, r.title, r.outcome as result, r.stored, r.differences, r.field,
       r.message,
       r.ordinal::text as "page.1"
from inputs.import_row r
where r.tenant_id = :tenant and r.import_id = :id
  and case when :result = '' then true else r.outcome = :result end
--@if page_token
  and r.ordinal > (:page.1)::integer
--@end
order by r.ordinal
limit :page.limit

-- Whether an input names a file is asked of the function that keeps it from being deleted: its caller may not see the
-- inputs, and would be told that none does.
select
--@include evidence.columns
    , f.id::text as "page.1"
from inputs.evidence_file f
where f.tenant_id = :tenant
  and case when :state = '' then f.state in ('UPLOADING', 'STORED') else f.state = :state end
  and case when :expire_before::date is null then true else f.expire_date < :expire_before::date end
  and case when :unattached then coalesce(inputs.evidence_holder(:tenant, f.id), '') not like 'input=%' else true end
--@if page_token
  and f.id < (:page.1)::uuid
--@end
order by f.id desc
limit :page.limit

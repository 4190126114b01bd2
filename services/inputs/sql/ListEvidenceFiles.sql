select
--@include evidence.columns
    , f.id::text as "page.1"
from inputs.evidence_file f
where f.tenant_id = :tenant
  and case when :state = '' then f.state in ('UPLOADING', 'STORED') else f.state = :state end
  and case when :expire_before::date is null then true else f.expire_date < :expire_before::date end
  and not (:unattached
           and exists (select from inputs.evidence_use u
                       join inputs.input i on i.tenant_id = u.tenant_id and i.id = u.input_id
                       where u.tenant_id = :tenant and u.file_id = f.id
                         and i.evidence @> jsonb_build_array(jsonb_build_object('file_id', f.id))))
--@if page_token
  and f.id < (:page.1)::uuid
--@end
order by f.id desc
limit :page.limit

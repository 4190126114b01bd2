--@request isms.inputs.v1.ListImportLeftoversRequest
--@response isms.inputs.v1.ListImportLeftoversResponse
-- Across organisations: run by the job, as the role that the policies `jobs` name; no tenant_id = :tenant here. Uploads
-- that nobody goes on with, and files of imports that have ended.
select l.tenant_id, l.import_id, l.abandoned
from (
    select i.tenant_id, i.id as import_id, true as abandoned
    from inputs.import i
    where i.state = 'UPLOADING' and i.update_time < :before
    union all
    select c.tenant_id, c.import_id, false
    from inputs.import_chunk c
    where c.start = 0
      and not exists (select from inputs.import i
                      where i.tenant_id = c.tenant_id and i.id = c.import_id and i.state in ('UPLOADING', 'RUNNING'))
) l
where (l.tenant_id, l.import_id) > ((:after_tenant_id)::uuid, (:after_id)::uuid)
order by l.tenant_id, l.import_id
limit 100

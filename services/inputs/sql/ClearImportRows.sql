--@request isms.inputs.v1.GetImportRequest
--@response isms.inputs.v1.ImportCount
-- Contents that nothing needs any more: the chunks have them still. Not while another replica goes on with it.
with cleared as (
    update inputs.import_row r set content = null
    where r.tenant_id = :tenant and r.import_id = :id and r.content is not null
      and exists (select from inputs.import i where i.tenant_id = :tenant and i.id = :id and i.state <> 'RUNNING')
    returning 1
)
select count(*)::integer as count from cleared

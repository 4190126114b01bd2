--@request isms.inputs.v1.GetImportRequest
--@response isms.inputs.v1.ImportCount
-- What nothing needs once the import has ended: the file, and the contents of its rows. Not while another replica goes
-- on with it.
with ended as materialized (
    select i.id, inputs.remove_import_chunks(:tenant, i.id) as chunks
    from inputs.import i
    where i.tenant_id = :tenant and i.id = :id and i.state not in ('UPLOADING', 'RUNNING')
),
cleared as (
    update inputs.import_row r set content = null
    from ended e
    where r.tenant_id = :tenant and r.import_id = e.id and r.content is not null
)
select coalesce((select e.chunks from ended e), 0) as count

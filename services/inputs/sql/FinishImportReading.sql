--@request isms.inputs.v1.FinishImportReadingRequest
--@response isms.inputs.v1.ImportCount
with read as (
    update inputs.import_progress p set phase = 'CHECKING', rows = :rows, update_paths = :update_paths
    where p.tenant_id = :tenant and p.import_id = :import_id
    returning p.rows_total
)
select r.rows_total as count from read r

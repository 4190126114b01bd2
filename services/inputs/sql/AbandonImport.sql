--@request isms.inputs.v1.AbandonImportRequest
--@response isms.inputs.v1.ImportCount
-- Nobody went on with the upload, nor ran it. Nothing, where somebody did meanwhile or another replica was first.
with abandoned as (
    update inputs.import i set state = 'CANCELLED', error_count = 1, errors = jsonb_build_array(jsonb_build_object(
        'message', 'the file was not sent whole, or not run, in time: create another import'))
    where i.tenant_id = :tenant and i.id = :id and i.state = 'UPLOADING' and i.update_time < :before
    returning i.chunks
)
select a.chunks as count from abandoned a

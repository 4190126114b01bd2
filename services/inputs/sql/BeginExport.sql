--@request isms.type.v1.ExportRequest
--@response isms.type.v1.ExportHead
select 'inputs' as service, (:tenant)::uuid as organisation_id,
       core.begin_export(:tenant, :new_id, 'inputs', :at_sequence) as sequence,
       (:now)::timestamptz as export_time, core.exported_tables('{inputs}') as tables

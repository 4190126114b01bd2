--@request isms.type.v1.ExportRequest
--@response isms.type.v1.ExportHead
select 'reviews' as service, (:tenant)::uuid as organisation_id,
       core.begin_export(:tenant, :new_id, 'reviews', :at_sequence) as sequence,
       (:now)::timestamptz as export_time, core.exported_tables('{core,reviews}') as tables

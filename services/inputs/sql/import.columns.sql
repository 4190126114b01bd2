    i.id, i.state, i.kind, i.metric_id, i.file_name, i.source, i.columns, i.dry_run, i.received_bytes, i.sha256,
    i.rows, i.created, i.updated, i.unchanged, i.errors, i.error_count, i.revision, i.create_time, i.update_time,
    i.format, i.table_place as "table", i.profile_id, i.rows_stored

    p.id, p.name, p.format, p.kind, p.metric_id, p.source, p.columns, p.table_place as "table", p.built_in, p.revision,
    p.revision::text as etag, p.create_time, p.update_time

    o.tenant_id as id,
    o.name,
    o.state,
    o.time_zone,
    o.isms_scope,
    o.revision,
    o.revision::text as etag,
    o.create_time,
    o.update_time

    k.id,
    k.name,
    k.roles,
    k.state,
    k.expire_time,
    k.revision,
    k.create_time

    m.id,
    -- The change log has no names, only their salted hashes and no salt: a repeated request is answered with the
    -- present ones.
    case when m.salt is not null then m.name
         else (select p.name from core.member p where p.tenant_id = m.tenant_id and p.id = m.id) end as name,
    case when m.salt is not null then m.email
         else (select p.email from core.member p where p.tenant_id = m.tenant_id and p.id = m.id) end as email,
    m.position,
    m.roles,
    m.state,
    m.issuer,
    m.subject,
    m.review_ids::text[] as review_ids,
    m.revision,
    m.revision::text as etag,
    m.create_time,
    m.update_time

    m.id,
    -- The change log has no personal data, only its salted hashes and no salt: a repeated request is answered with
    -- what is there now.
    case when m.name_salt is not null then m.name
         else (select p.name from core.member p where p.tenant_id = m.tenant_id and p.id = m.id) end as name,
    case when m.name_salt is not null then m.email
         else (select p.email from core.member p where p.tenant_id = m.tenant_id and p.id = m.id) end as email,
    case when m.name_salt is not null then m.position
         else (select p.position from core.member p where p.tenant_id = m.tenant_id and p.id = m.id) end as position,
    m.roles,
    m.state,
    m.issuer,
    case when m.name_salt is not null then m.subject
         else (select p.subject from core.member p where p.tenant_id = m.tenant_id and p.id = m.id) end as subject,
    m.review_ids::text[] as review_ids,
    m.revision,
    m.revision::text as etag,
    m.create_time,
    m.update_time

    p.id, p.number, p.name, p.category, p.influence, p.interest, p.owner_id,
    -- The change log has no contact, only its salted hash: a repeated request is answered with the one there is now.
    case when p.contact_salt is not null then p.contact
         else (select n.contact from inputs.party n where n.tenant_id = :tenant and n.id = p.id) end as contact,
    p.needs, p.addressing,
    p.how_addressed, p.revision, p.revision::text as etag, p.create_time, p.update_time, p.delete_time

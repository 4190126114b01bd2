    p.id, p.number, p.name, p.category, p.influence, p.interest, p.owner_id, p.contact, p.needs, p.addressing,
    p.how_addressed, p.revision, p.revision::text as etag, p.create_time, p.update_time, p.delete_time

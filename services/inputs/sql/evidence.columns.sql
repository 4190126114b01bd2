    f.id, f.name, f.media_type, f.size, f.sha256, f.expire_date, f.note, f.state,
    coalesce((select c.start + c.length from inputs.evidence_chunk c
              where c.tenant_id = :tenant and c.file_id = f.id
              order by c.start desc limit 1), 0) as received_bytes,
    f.creator_id, f.revision, f.create_time, f.update_time

    select r.*
    from core.change c
    cross join lateral jsonb_populate_record(null::inputs.input, c.content::jsonb) r
    where c.tenant_id = :tenant and c.table_name = 'inputs.input' and c.row_id = p.row_id
      and c.revision = p.revision
      and (encode(sha256(convert_to(c.content, 'UTF8')), 'hex') = p.content_sha256
           or core.fail('DATA_CORRUPT', 'number=' || p.number))
    limit 1

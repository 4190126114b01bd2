-- A revision is read out of the change log, and only while it still is what was hashed; whoever may see the input may
-- see what it was.
select
--@include input.columns
--@if revision
from inputs.input n
cross join lateral (
    select r.*
    from core.change c
    cross join lateral jsonb_populate_record(null::inputs.input, c.content::jsonb) r
    where c.tenant_id = :tenant and c.table_name = 'inputs.input' and c.row_id = n.id and c.revision = :revision
      and (sha256(convert_to(c.content, 'UTF8')) = c.content_sha256
           or core.fail('DATA_CORRUPT', 'number=' || n.number))
) i
where n.tenant_id = :tenant and n.id = :id
--@else
from inputs.input i
where i.tenant_id = :tenant and i.id = :id
--@end

select
--@include input.columns
from inputs.snapshot_item p
left join lateral (
--@include frozen.content
) i on true
where p.tenant_id = :tenant and p.snapshot_id = :snapshot_id and p.row_id = :input_id
  and (i.id is not null or core.fail('DATA_CORRUPT', 'number=' || p.number))

select
--@include input.columns
from inputs.snapshot_item p
cross join lateral (
--@include frozen.content
) i
where p.tenant_id = :tenant and p.snapshot_id = :snapshot_id and p.row_id = :input_id

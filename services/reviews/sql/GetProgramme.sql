select
--@include programme.columns
--@if revision
from core.change c
cross join lateral jsonb_populate_record(null::reviews.programme, c.content::jsonb) p
where c.tenant_id = :tenant and c.table_name = 'reviews.programme' and c.row_id = :id and c.revision = :revision
--@else
from reviews.programme p
where p.tenant_id = :tenant and p.id = :id
--@end

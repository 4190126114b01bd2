select
--@include book.columns
from lib.book b
where b.tenant_id = :tenant and b.id = :id

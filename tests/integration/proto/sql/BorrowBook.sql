with old as (
    select * from lib.book where tenant_id = :tenant and id = :id
), b as (
    update lib.book set state = 'BORROWED' where tenant_id = :tenant and id = :id and state = 'ON_SHELF' returning *
)
select
--@include book.columns
, case when o.id is not null and b.id is null then 'WRONG_STATE' end as "outcome", o.state as "outcome.state"
from old o left join b on b.id = o.id

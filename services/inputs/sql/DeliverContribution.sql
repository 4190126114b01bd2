-- Of the handler of that name, which has seen to it that the caller may.
with new as (
    update inputs.contribution c
    set state = 'DELIVERED', delivered_by_id = :actor, delivered_time = :now::timestamptz,
        nothing_reason = :nothing_reason
    where c.tenant_id = :tenant and c.id = :id and c.state = 'REQUESTED'
    returning c.*
)
select
--@include contribution.columns
from new c

with target as materialized (
    select r.id,
           case when r.id is null then core.fail('NOT_FOUND')
                when r.state <> 'PLANNED' then core.fail('WRONG_STATE', 'state=' || r.state || E'\nallowed=PLANNED')
                else reviews.require_member(:tenant, coalesce(:preparer_id::uuid, :actor::uuid), 'preparer_id')
                end as ok
    from (select 1) one left join reviews.review r on r.tenant_id = :tenant and r.id = :id
),
new as (
    update reviews.review r
    set state = 'PREPARING', preparer_id = coalesce(:preparer_id::uuid, :actor::uuid)
    from target
    where r.tenant_id = :tenant and r.id = target.id and target.ok
    returning r.*
)
--@answer reviews.review new
select
--@include review.columns
from new r

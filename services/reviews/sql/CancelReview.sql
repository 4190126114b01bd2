with target as materialized (
    select r.id,
           case when r.id is null then core.fail('NOT_FOUND')
                when r.state not in ('PLANNED', 'PREPARING', 'IN_SESSION', 'MINUTES_DRAFTED')
                    then core.fail('WRONG_STATE', 'state=' || r.state
                                   || E'\nallowed=PLANNED,PREPARING,IN_SESSION,MINUTES_DRAFTED')
                else true end as ok
    from (select 1) one left join reviews.review r on r.tenant_id = :tenant and r.id = :id
),
new as (
    update reviews.review r
    set state = 'CANCELLED', cancel_reason = :reason
    from target
    where r.tenant_id = :tenant and r.id = target.id and target.ok
    returning r.*
)
--@answer reviews.review new
select
--@include review.columns
from new r

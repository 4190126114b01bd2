with target as materialized (
    select d.id, d.review_id,
           case when d.id is null then core.fail('NOT_FOUND')
                when r.state not in ('IN_SESSION', 'MINUTES_DRAFTED')
                    then core.fail('WRONG_STATE', 'state=' || r.state || E'\nallowed=IN_SESSION,MINUTES_DRAFTED')
                when d.withdrawn then core.fail('WRONG_STATE', 'state=WITHDRAWN')
                else true end as ok
    from (select 1) one
    left join reviews.decision d on d.tenant_id = :tenant and d.id = :id
    left join reviews.review r on r.tenant_id = :tenant and r.id = d.review_id
),
review as (
    update reviews.review r
    set decision_count = r.decision_count -- a new revision of the whole: its etag covers its decisions
    from target
    where r.tenant_id = :tenant and r.id = target.review_id and target.ok
),
new as (
    update reviews.decision d
    set withdrawn = true
    from target
    where d.tenant_id = :tenant and d.id = target.id and target.ok
    returning d.*
)
--@answer reviews.decision new
select
--@include decision.columns
from new d

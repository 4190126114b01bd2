with target as materialized (
    select c.id, case
               when c.id is null then core.fail('NOT_FOUND')
               when c.state <> 'DELIVERED'
                   then core.fail('WRONG_STATE', 'state=' || c.state || E'\nallowed=DELIVERED')
               else true end as ok
    from (select 1) one
    left join inputs.contribution c on c.tenant_id = :tenant and c.id = :id
),
new as (
    update inputs.contribution c
    set state = 'REQUESTED', delivered_by_id = null, delivered_time = null, nothing_reason = '', reason = :reason,
        due_date = coalesce((:due_date)::date, c.due_date)
    from target
    where c.tenant_id = :tenant and c.id = target.id and target.ok
    returning c.*
)
--@answer inputs.contribution new
select
--@include contribution.columns
from new c

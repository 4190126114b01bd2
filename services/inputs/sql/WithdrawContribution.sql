with target as materialized (
    select c.id, case
               when c.id is null then core.fail('NOT_FOUND')
               when c.state = 'WITHDRAWN'
                   then core.fail('WRONG_STATE', E'state=WITHDRAWN\nallowed=REQUESTED,DELIVERED')
               else true end as ok
    from (select 1) one
    left join inputs.contribution c on c.tenant_id = :tenant and c.id = :id
),
new as (
    update inputs.contribution c
    set state = 'WITHDRAWN', delivered_by_id = null, delivered_time = null, nothing_reason = '', reason = :reason
    from target
    where c.tenant_id = :tenant and c.id = target.id and target.ok
    returning c.*
)
--@answer inputs.contribution new
select
--@include contribution.columns
from new c

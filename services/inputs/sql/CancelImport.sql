with target as materialized (
    select o.id, case
               when o.id is null then core.fail('NOT_FOUND')
               when o.state not in ('UPLOADING', 'RUNNING') then
                   core.fail('WRONG_STATE', 'state=' || o.state || E'\nallowed=UPLOADING,RUNNING')
               else true end as ok
    from (select 1) one left join inputs.import o on o.tenant_id = :tenant and o.id = :id
),
new as (
    update inputs.import i set state = 'CANCELLED', phase = ''
    from target t
    where i.tenant_id = :tenant and i.id = t.id and t.ok
    returning i.*
)
--@answer inputs.import new
select
--@include import.columns
    , i.phase, i.rows_total, i.rows_checked
from new i

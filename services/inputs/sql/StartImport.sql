--@request isms.inputs.v1.Import
--@response isms.inputs.v1.Import
with target as materialized (
    select o.id, case
               when o.id is null then core.fail('NOT_FOUND')
               when o.state <> 'UPLOADING' or o.received_bytes <> :received_bytes then
                   core.fail('WRONG_STATE', 'state=' || o.state || E'\nallowed=UPLOADING')
               when (select count(*) from inputs.import r
                     where r.tenant_id = :tenant and r.state = 'RUNNING') >= 10 then
                   core.fail('LIMIT_REACHED', 'limit=10 running imports')
               else true end as ok
    from (select 1) one left join inputs.import o on o.tenant_id = :tenant and o.id = :id
),
new as (
    update inputs.import i set state = 'RUNNING', phase = 'READING', sha256 = :sha256, actor_id = :actor,
        run_time = :now
    from target t
    where i.tenant_id = :tenant and i.id = t.id and t.ok
    returning i.*
)
select
--@include import.columns
    , i.phase, i.rows_total, i.rows_checked
from new i

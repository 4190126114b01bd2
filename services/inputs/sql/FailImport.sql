--@request isms.inputs.v1.Import
--@response isms.inputs.v1.Import
-- It ends before every row has had its turn, for what is in the request's errors. What is stored stays.
with target as materialized (
    select o.id, case
               when o.state <> 'RUNNING' then core.fail('WRONG_STATE', 'state=' || o.state)
               else true end as ok
    from inputs.import o where o.tenant_id = :tenant and o.id = :id
),
--@include import.failed
,
new as (
    update inputs.import i set state = 'FAILED', phase = '', errors = :errors || w.errors,
        error_count = :error_count + w.count
    from target t cross join failed w
    where i.tenant_id = :tenant and i.id = t.id and t.ok
    returning i.*
)
select
--@include import.columns
    , i.phase, i.rows_total, i.rows_checked
from new i

--@request isms.inputs.v1.Import
--@response isms.inputs.v1.Import
with target as materialized (
    select o.id, case
               when o.id is null then core.fail('NOT_FOUND')
               when o.state <> 'UPLOADING' or o.received_bytes <> :received_bytes then
                   core.fail('WRONG_STATE', 'state=' || o.state || E'\nallowed=UPLOADING')
               else true end as ok
    from (select 1) one left join inputs.import o on o.tenant_id = :tenant and o.id = :id
),
new as (
    update inputs.import i set
        state = :state, rows = :rows, created = :created, updated = :updated, unchanged = :unchanged,
        errors = :errors, error_count = :error_count
    from target t
    where i.tenant_id = :tenant and i.id = t.id and t.ok
    returning i.*
)
select
--@include import.columns
from new i

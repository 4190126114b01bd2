with target as materialized (
    select o as old, c.start is not null as again, case
               when o.id is null then core.fail('NOT_FOUND')
               when o.state <> 'UPLOADING' then
                   core.fail('WRONG_STATE', 'state=' || o.state || E'\nallowed=UPLOADING')
               when c.data = :data then true
               when o.received_bytes <> :offset then
                   core.fail('WRONG_STATE', 'state=' || o.state || E'\nreceived_bytes=' || o.received_bytes)
               when o.received_bytes + length(:data) > 67108864 then
                   core.fail('LIMIT_REACHED', 'limit=67108864 bytes')
               when o.chunks >= 1024 then core.fail('LIMIT_REACHED', 'limit=1024 chunks')
               else true end as ok
    from (select 1) one
    left join inputs.import o on o.tenant_id = :tenant and o.id = :id
    left join inputs.import_chunk c on c.tenant_id = :tenant and c.import_id = o.id and c.start = :offset
),
chunk as (
    insert into inputs.import_chunk (tenant_id, import_id, start, data)
    select :tenant, (t.old).id, :offset, :data from target t where t.ok and not t.again
    returning import_id, length(data) as length
),
grown as (
    update inputs.import i set received_bytes = i.received_bytes + c.length, chunks = i.chunks + 1
    from chunk c where i.tenant_id = :tenant and i.id = c.import_id
    returning i.*
),
new as (select * from grown union all select (t.old).* from target t where t.ok and t.again)
--@answer inputs.import new
select
--@include import.columns
    , i.phase, i.rows_total, i.rows_checked
from new i

with target as materialized (
    select o.id, case
               when o.id is null then core.fail('NOT_FOUND')
               when :etag <> '' and o.revision::text <> :etag then core.fail('ETAG_MISMATCH')
               else true end as ok
    from (select 1) one
    left join inputs.input o on o.tenant_id = :tenant and o.id = :id and o.delete_time is null
),
new as (
    update inputs.input i set delete_time = core.now()
    from target t
    where i.tenant_id = :tenant and i.id = t.id and t.ok
    returning i.*
)
--@answer inputs.input new
select
--@include input.columns
from new i

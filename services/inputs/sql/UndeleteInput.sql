with target as materialized (
    select o.id, case
               when o.id is null then core.fail('NOT_FOUND')
               when o.delete_time is null then core.fail('ALREADY_EXISTS')
               else true end as ok
    from (select 1) one left join inputs.input o on o.tenant_id = :tenant and o.id = :id
),
new as (
    update inputs.input i set delete_time = null
    from target t
    where i.tenant_id = :tenant and i.id = t.id and t.ok
    returning i.*
)
--@answer inputs.input new
select
--@include input.columns
from new i

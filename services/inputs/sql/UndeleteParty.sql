with target as materialized (
    select o.id, case
               when o.id is null then core.fail('NOT_FOUND')
               when o.delete_time is null then core.fail('ALREADY_EXISTS')
               when exists (select from inputs.party other
                            where other.tenant_id = :tenant and lower(other.name) = lower(o.name)
                              and other.delete_time is null)
                   then core.fail('ALREADY_EXISTS', 'field=name')
               else true end as ok
    from (select 1) one left join inputs.party o on o.tenant_id = :tenant and o.id = :id
),
new as (
    update inputs.party p set delete_time = null
    from target t
    where p.tenant_id = :tenant and p.id = t.id and t.ok
    returning p.*
)
--@answer inputs.party new
select
--@include party.columns
from new p

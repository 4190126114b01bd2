with target as materialized (
    select o.tenant_id as id,
           case when o.tenant_id is null then core.fail('NOT_FOUND')
                when :organisation.etag <> '' and o.revision::text <> :organisation.etag then core.fail('ETAG_MISMATCH')
                else true end as ok
    from (select 1) one left join core.organisation o on o.tenant_id = :tenant
),
new as (
    update core.organisation o
    set name = case when :mask.name then :organisation.name else o.name end,
        time_zone = case when :mask.time_zone then coalesce(nullif(:organisation.time_zone, ''), 'UTC')
                         else o.time_zone end,
        isms_scope = case when :mask.isms_scope then :organisation.isms_scope else o.isms_scope end
    from target
    where o.tenant_id = :tenant and o.tenant_id = target.id and target.ok
    returning o.*
)
--@answer core.organisation new
select
--@include organisation.columns
from new o

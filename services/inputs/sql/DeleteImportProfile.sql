with target as materialized (
    select o.id, case
               when o.id is null then core.fail('NOT_FOUND')
               when :etag <> '' and o.revision::text <> :etag then core.fail('ETAG_MISMATCH')
               else true end as ok
    from (select 1) one
    left join inputs.import_profile o on o.tenant_id = :tenant and o.id = :id and o.delete_time is null
),
new as (
    update inputs.import_profile p set delete_time = :now
    from target t
    where p.tenant_id = :tenant and p.id = t.id and t.ok
    returning p.*
)
--@answer inputs.import_profile new
select
--@include import_profile.columns
from new p

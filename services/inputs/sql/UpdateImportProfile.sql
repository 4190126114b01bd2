with target as materialized (
    select o.id, case
               when o.id is null then core.fail('NOT_FOUND')
               when :profile.etag <> '' and o.revision::text <> :profile.etag then core.fail('ETAG_MISMATCH')
               when exists (select from inputs.import_profile p
                            where p.tenant_id = :tenant and p.id <> :id and lower(p.name) = lower(:profile.name)
                              and p.delete_time is null)
                    or exists (select from inputs.built_in_profiles() b
                               where b.tenant_id = :tenant and lower(b.name) = lower(:profile.name)) then
                   core.fail('ALREADY_EXISTS', 'field=profile.name')
               when :profile.metric_id <> ''
                    and not exists (select from inputs.input m
                                    where m.tenant_id = :tenant and m.id = nullif(:profile.metric_id, '')::uuid
                                      and m.kind = 'METRIC' and m.delete_time is null) then
                   core.fail('REFERENCE_INVALID', 'field=profile.metric_id')
               else true end as ok
    from (select 1) one
    left join inputs.import_profile o on o.tenant_id = :tenant and o.id = :id and o.delete_time is null
),
new as (
    update inputs.import_profile p set
        name = :profile.name, format = :profile.format, kind = :profile.kind,
        metric_id = nullif(:profile.metric_id, '')::uuid, source = :profile.source, columns = :profile.columns,
        table_place = :profile.table
    from target t
    where p.tenant_id = :tenant and p.id = t.id and t.ok
    returning p.*
)
--@answer inputs.import_profile new
select
--@include import_profile.columns
from new p

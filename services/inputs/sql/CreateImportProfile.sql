with target as materialized (
    select case
               when exists (select from inputs.import_profile p
                            where p.tenant_id = :tenant and lower(p.name) = lower(:profile.name)
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
),
new as (
    insert into inputs.import_profile (tenant_id, id, name, format, kind, metric_id, source, columns, table_place)
    select :tenant, :new_id, :profile.name, :profile.format, :profile.kind, nullif(:profile.metric_id, '')::uuid,
           :profile.source, :profile.columns, :profile.table
    from target t where t.ok
    returning *
)
--@answer inputs.import_profile new
select
--@include import_profile.columns
from new p

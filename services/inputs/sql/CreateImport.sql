with target as materialized (
    select case
               when :metric_id = '' and :kind = '' then core.fail('FIELD_INVALID', 'field=kind')
               when :metric_id <> ''
                    and not exists (select from inputs.input m
                                    where m.tenant_id = :tenant and m.id = nullif(:metric_id, '')::uuid
                                      and m.kind = 'METRIC' and m.delete_time is null)
                   then core.fail('REFERENCE_INVALID', 'field=metric_id')
               else true end as ok
),
new as (
    insert into inputs.import (tenant_id, id, kind, metric_id, file_name, source, columns, dry_run)
    select :tenant, :new_id, case when :metric_id = '' then :kind else '' end, nullif(:metric_id, '')::uuid,
           :file_name, :source, :columns, :dry_run
    from target t where t.ok
    returning *
)
--@answer inputs.import new
select
--@include import.columns
from new i

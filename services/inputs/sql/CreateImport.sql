with profile as materialized (
    select p.* from inputs.import_profile p
    where p.tenant_id = :tenant and p.id = nullif(:profile_id, '')::uuid and p.delete_time is null
    union all
    select b.* from inputs.built_in_profiles() b
    where b.tenant_id = :tenant and b.id = nullif(:profile_id, '')::uuid
),
wanted as materialized (
    select nullif(:profile_id, '')::uuid as profile_id, p.id as found_id,
           coalesce(nullif(:format, ''), nullif(p.format, ''),
                    case when lower(:file_name) like '%.xlsx' then 'XLSX'
                         when lower(:file_name) like '%.json' then 'OSCAL' else 'CSV' end) as format,
           case when :metric_id <> '' then '' else coalesce(nullif(:kind, ''), p.kind, '') end as kind,
           case when :kind = '' then coalesce(nullif(:metric_id, '')::uuid, p.metric_id)
                else nullif(:metric_id, '')::uuid end as metric_id,
           coalesce(nullif(:source, ''), p.source, '') as source,
           case when jsonb_array_length(:columns) > 0 then :columns else coalesce(p.columns, '[]') end as columns,
           coalesce(:table, p.table_place) as table_place
    from (select 1) one left join profile p on true
),
target as materialized (
    select w.*, case
               when w.profile_id is not null and w.found_id is null then
                   core.fail('REFERENCE_INVALID', 'field=profile_id')
               when w.source = '' then core.fail('FIELD_INVALID', E'field=source\ndescription=is required')
               when w.format = 'OSCAL' and (w.columns <> '[]' or w.kind <> '' or w.metric_id is not null) then
                   core.fail('FIELD_INVALID',
                             E'field=columns\ndescription=is not for OSCAL, which says itself what it holds')
               when w.format <> 'OSCAL' and w.columns = '[]' then
                   core.fail('FIELD_INVALID', E'field=columns\ndescription=is required without a profile')
               when w.format <> 'OSCAL' and w.kind = '' and w.metric_id is null
                    and not exists (select from jsonb_array_elements(w.columns) c
                                    where c ->> 'field' = 'metric_id' or c ->> 'metric_id' <> '') then
                   core.fail('FIELD_INVALID', E'field=kind\ndescription=is required unless rows are measurements')
               when exists (select from (select w.metric_id as id
                                         union select nullif(c ->> 'metric_id', '')::uuid
                                               from jsonb_array_elements(w.columns) c) m
                            where m.id is not null
                              and not exists (select from inputs.input i
                                              where i.tenant_id = :tenant and i.id = m.id and i.kind = 'METRIC'
                                                and i.delete_time is null)) then
                   core.fail('REFERENCE_INVALID', 'field=metric_id')
               when (select count(*) from inputs.import u
                     where u.tenant_id = :tenant and u.state = 'UPLOADING') >= 20 then
                   core.fail('LIMIT_REACHED', 'limit=20 imports that wait for their file: run or cancel some')
               else true end as ok
    from wanted w
),
new as (
    insert into inputs.import (tenant_id, id, format, kind, metric_id, profile_id, file_name, source, columns,
                               table_place, dry_run)
    select :tenant, :new_id, t.format, case when t.metric_id is null then t.kind else '' end, t.metric_id, t.profile_id,
           :file_name, t.source, t.columns, t.table_place, :dry_run
    from target t where t.ok
    returning *
)
--@answer inputs.import new
select
--@include import.columns
    , i.phase, i.rows_total, i.rows_checked
from new i

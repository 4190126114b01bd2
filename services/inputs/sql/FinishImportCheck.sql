--@request isms.inputs.v1.Import
--@response isms.inputs.v1.Import
-- All of the file is read, and compared where it could be read. With errors, of the reading (in the request) or the
-- comparison, it ends here; a dry run ends here as well.
with target as materialized (
    select o.id, case
               when o.state <> 'RUNNING' or o.phase <> 'READING' then core.fail('WRONG_STATE', 'state=' || o.state)
               else true end as ok
    from inputs.import o where o.tenant_id = :tenant and o.id = :id
),
--@include import.failed
,
found as materialized (
    select count(*)::integer as total, count(*) filter (where r.outcome = 'CREATED')::integer as created,
           count(*) filter (where r.outcome = 'UPDATED')::integer as updated,
           count(*) filter (where r.outcome = 'UNCHANGED')::integer as unchanged,
           count(*) filter (where r.outcome <> '')::integer as checked,
           coalesce(nullif(:rows, 0), (select p.rows from inputs.import_progress p
                                       where p.tenant_id = :tenant and p.import_id = :id), 0) as rows
    from inputs.import_row r where r.tenant_id = :tenant and r.import_id = :id
),
outcome as materialized (
    select f.*, :error_count + w.count as error_count,
           case when :error_count > 0 then :errors else w.errors end as errors,
           case when :error_count + w.count > 0 then 'REFUSED' else '' end as refused
    from found f cross join failed w
),
new as (
    update inputs.import i set
        state = case when f.refused <> '' then 'REFUSED' when i.dry_run then 'CHECKED' else 'RUNNING' end,
        phase = case when f.refused <> '' or i.dry_run then '' else 'STORING' end,
        rows = f.rows, rows_total = f.total, rows_checked = f.checked, errors = f.errors, error_count = f.error_count,
        created = case when f.refused = '' and i.dry_run then f.created else 0 end,
        updated = case when f.refused = '' and i.dry_run then f.updated else 0 end,
        unchanged = case when f.refused = '' and i.dry_run then f.unchanged else 0 end
    from target t cross join outcome f
    where i.tenant_id = :tenant and i.id = t.id and t.ok
    returning i.*
)
select
--@include import.columns
    , i.phase, i.rows_total, i.rows_checked
from new i

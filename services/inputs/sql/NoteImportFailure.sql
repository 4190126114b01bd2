--@request isms.inputs.v1.GetImportRequest
--@response isms.inputs.v1.ImportCount
-- How often it has failed in a row now, without a row more that was read, checked or stored; 0: it has ended. The wait
-- until the next attempt doubles, from a second on.
with place as materialized (
    select i.id, coalesce(p.rows_total + p.rows_checked, 0) + i.rows_stored as rows,
           coalesce(p.failures, 0) as failures, coalesce(p.failed_at, 0) as failed_at
    from inputs.import i
    left join inputs.import_progress p on p.tenant_id = i.tenant_id and p.import_id = i.id
    where i.tenant_id = :tenant and i.id = :id and i.state = 'RUNNING'
),
failure as materialized (
    select p.id, p.rows, case when p.rows = p.failed_at then p.failures + 1 else 1 end as count from place p
),
noted as (
    insert into inputs.import_progress (tenant_id, import_id, phase, rows_total, failures, failed_at, retry_time)
    select :tenant, f.id, 'READING', 0, f.count, f.rows, (:now)::timestamptz + interval '1 second' * 2 ^ (f.count - 1)
    from failure f
    on conflict (tenant_id, import_id) do update
        set failures = excluded.failures, failed_at = excluded.failed_at, retry_time = excluded.retry_time
    returning failures
)
select coalesce((select n.failures from noted n), 0) as count

select
--@include import.columns
    , case when i.phase = 'READING' then coalesce(p.phase, i.phase) else i.phase end as phase,
    greatest(i.rows_total, p.rows_total) as rows_total, greatest(i.rows_checked, p.rows_checked) as rows_checked
from inputs.import i
left join inputs.import_progress p on p.tenant_id = i.tenant_id and p.import_id = i.id
where i.tenant_id = :tenant and i.id = :id

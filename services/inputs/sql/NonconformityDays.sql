--@request isms.inputs.v1.GetNonconformityTrendRequest
--@response isms.inputs.v1.NonconformityDays
-- Those that came up by the period's end.
select coalesce(array_agg(d.opened order by d.opened, d.id), '{}') as opened,
       coalesce(array_agg(coalesce(d.closed, '-2147483648') order by d.opened, d.id), '{}') as closed,
       coalesce(array_agg(coalesce(d.due, '-2147483648') order by d.opened, d.id), '{}') as due
from (
    select i.id, coalesce(i.effective_date, i.create_time::date) - date '1970-01-01' as opened,
           i.closed_date - date '1970-01-01' as closed, i.due_date - date '1970-01-01' as due
    from inputs.input i
    where i.tenant_id = :tenant and i.kind = 'NONCONFORMITY' and i.delete_time is null
      and coalesce(i.effective_date, i.create_time::date) <= (:period.end_date)::date
) d

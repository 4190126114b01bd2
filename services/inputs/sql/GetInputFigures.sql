-- Days are the organisation's.
select i.kind,
       count(*) filter (where i.state <> 'CLOSED')::integer as open,
       count(*) filter (where i.state <> 'CLOSED' and i.due_date < t.today)::integer as overdue,
       count(*) filter (where i.state = 'CLOSED')::integer as closed
from core.organisation o
cross join lateral (select ((:now)::timestamptz at time zone o.time_zone)::date as today) t
join inputs.input i on i.tenant_id = :tenant and i.delete_time is null
where o.tenant_id = :tenant
group by i.kind
order by inputs.kind_rank(i.kind)

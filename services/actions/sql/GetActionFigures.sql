-- Days are the organisation's.
select count(*) filter (where f.open)::integer as open,
       count(*) filter (where f.open and a.due_date < t.today)::integer as overdue,
       count(*) filter (where a.state = 'DONE')::integer as done_unverified,
       count(*) filter (where a.state = 'VERIFIED_EFFECTIVE')::integer as verified_effective,
       count(*) filter (where a.state = 'NOT_EFFECTIVE')::integer as not_effective,
       count(*) filter (where a.state = 'CANCELLED')::integer as cancelled
from core.organisation o
cross join lateral (select ((:now)::timestamptz at time zone o.time_zone)::date as today) t
left join actions.action a on a.tenant_id = :tenant
cross join lateral (select a.state in ('OPEN', 'IN_PROGRESS', 'PARTLY_DONE', 'BLOCKED') as open) f
where o.tenant_id = :tenant

--@request isms.reporting.v1.StandingRequest
--@response isms.reporting.v1.Standing
select s.value as sequence, (:now)::timestamptz as as_of,
       ((:now)::timestamptz at time zone o.time_zone)::date as today
from core.sequence s
join core.organisation o on o.tenant_id = :tenant
where s.tenant_id = :tenant

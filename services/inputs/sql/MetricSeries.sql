--@request isms.inputs.v1.MetricSeriesRequest
--@response isms.inputs.v1.MetricSeriesList
-- The organisation's zone says on which day a time falls, and where the days begin and end that are reached for. Of
-- more than 20,000 values those of a day are one point; days alone are never that many, as a period has at most 20
-- years.
with place as materialized (
    select o.time_zone, ((:now)::timestamptz at time zone o.time_zone)::date - date '1970-01-01' as today,
           (:reach.start_date)::date::timestamp at time zone o.time_zone as reach_from,
           ((:reach.end_date)::date + 1)::timestamp at time zone o.time_zone as reach_before,
           (select count(*)::integer from inputs.input c
            where c.tenant_id = :tenant and c.kind = 'METRIC' and c.delete_time is null
              and (c.closed_date is null or c.closed_date >= (:period.start_date)::date)) as metrics
    from core.organisation o
    where o.tenant_id = :tenant
)
select m.id as metric_id, m.number, m.title, m.detail -> 'metric' as metric, m.number as "page.1",
       coalesce(p.observed_us, '{}') as observed_us, coalesce(p.value, '{}') as value,
       coalesce(p.minimum, '{}') as minimum, coalesce(p.maximum, '{}') as maximum,
       coalesce(p.observed_day, '{}') as observed_day, coalesce(p.recorded_day, '{}') as recorded_day,
       coalesce(p.corrected, '{}') as corrected, s.by_day, l.today, l.metrics
from place l
join inputs.input m on m.tenant_id = :tenant and m.kind = 'METRIC' and m.delete_time is null
cross join lateral (
    select count(*) > 20000 as by_day
    from (select from inputs.measurement v
          where v.tenant_id = :tenant and v.metric_id = m.id and v.observed_time >= l.reach_from
            and v.observed_time < l.reach_before
          limit 20001) v
) s
cross join lateral (
    select array_agg((extract(epoch from d.observed_time) * 1000000)::bigint) as observed_us,
           array_agg(d.value) as value, array_agg(d.minimum) as minimum, array_agg(d.maximum) as maximum,
           array_agg(d.day - date '1970-01-01') as observed_day,
           array_agg((d.recorded_time at time zone l.time_zone)::date - date '1970-01-01') as recorded_day,
           array_agg(d.corrected) as corrected
    from (
        select max(v.observed_time) as observed_time, avg(v.value) as value, min(v.value) as minimum,
               max(v.value) as maximum, v.day, min(v.recorded_time) as recorded_time, bool_or(v.corrected) as corrected
        from (
            select n.id, n.observed_time, n.recorded_time, n.value, n.corrects_id is not null as corrected,
                   (n.observed_time at time zone l.time_zone)::date as day
            from inputs.measurement n
            where n.tenant_id = :tenant and n.metric_id = m.id and n.observed_time >= l.reach_from
              and n.observed_time < l.reach_before
              and (select c.id from inputs.measurement c where c.tenant_id = :tenant and c.corrects_id = n.id) is null
        ) v
        group by v.day, case when not s.by_day then v.id end
    ) d
) p
--@if metric_id
where m.id = (:metric_id)::uuid
--@else
where (m.closed_date is null or m.closed_date >= (:period.start_date)::date)
--@end
--@if page_token
  and m.number > :page.1
--@end
order by m.number
limit :page.limit

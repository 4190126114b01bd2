--@request isms.inputs.v1.MetricSeriesRequest
--@response isms.inputs.v1.MetricSeriesList
-- The organisation's zone says on which day a time falls, and where the days begin and end that are reached for.
select m.id as metric_id, m.number, m.title, m.detail -> 'metric' as metric, m.number as "page.1",
       coalesce(p.observed_us, '{}') as observed_us, coalesce(p.value, '{}') as value,
       coalesce(p.observed_day, '{}') as observed_day, coalesce(p.recorded_day, '{}') as recorded_day,
       coalesce(p.corrected, '{}') as corrected,
       ((:now)::timestamptz at time zone o.time_zone)::date - date '1970-01-01' as today
from core.organisation o
join inputs.input m on m.tenant_id = :tenant and m.kind = 'METRIC' and m.delete_time is null
cross join lateral (
    select array_agg((extract(epoch from v.observed_time) * 1000000)::bigint order by v.observed_time, v.id)
               as observed_us,
           array_agg(v.value order by v.observed_time, v.id) as value,
           array_agg((v.observed_time at time zone o.time_zone)::date - date '1970-01-01'
                     order by v.observed_time, v.id) as observed_day,
           array_agg((v.recorded_time at time zone o.time_zone)::date - date '1970-01-01'
                     order by v.observed_time, v.id) as recorded_day,
           array_agg(v.corrects_id is not null order by v.observed_time, v.id) as corrected,
           case when count(*) > 100000 then core.fail('LIMIT_REACHED', E'limit=100000 points of a metric')
                else true end as ok
    from inputs.measurement v
    where v.tenant_id = :tenant and v.metric_id = m.id
      and v.observed_time >= (:reach.start_date)::date::timestamp at time zone o.time_zone
      and v.observed_time < ((:reach.end_date)::date + 1)::timestamp at time zone o.time_zone
      and (select c.id from inputs.measurement c where c.tenant_id = :tenant and c.corrects_id = v.id) is null
) p
where o.tenant_id = :tenant and p.ok
--@if metric_id
  and m.id = (:metric_id)::uuid
--@else
  and (m.closed_date is null or m.closed_date >= (:period.start_date)::date)
--@end
--@if page_token
  and m.number > :page.1
--@end
order by m.number
limit :page.limit

--@request isms.inputs.v1.MetricSeriesRequest
--@response isms.inputs.v1.MetricSeriesList
select m.id as metric_id, m.number, m.title, m.detail -> 'metric' as metric,
       coalesce(p.observed_us, '{}') as observed_us, coalesce(p.value, '{}') as value,
       coalesce(p.recorded_us, '{}') as recorded_us
from inputs.input m
cross join lateral (
    select array_agg((extract(epoch from v.observed_time) * 1000000)::bigint order by v.observed_time, v.id)
               as observed_us,
           array_agg(v.value order by v.observed_time, v.id) as value,
           array_agg((extract(epoch from v.recorded_time) * 1000000)::bigint order by v.observed_time, v.id)
               as recorded_us,
           case when count(*) > 100000 then core.fail('LIMIT_REACHED', 'limit=100000 points in a period')
                else true end as ok
    from inputs.measurement v
    where v.tenant_id = :tenant and v.metric_id = m.id
      and v.observed_time >= (:period.start_date)::date::timestamptz
      and v.observed_time < (:period.end_date)::date::timestamptz + interval '1 day'
      and (select c.id from inputs.measurement c where c.tenant_id = :tenant and c.corrects_id = v.id) is null
) p
where m.tenant_id = :tenant and m.kind = 'METRIC' and m.delete_time is null and p.ok
--@if metric_id
  and m.id = (:metric_id)::uuid
--@else
  and (m.closed_date is null or m.closed_date >= (:period.start_date)::date)
--@end
order by m.number

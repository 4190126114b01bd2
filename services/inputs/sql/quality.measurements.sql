-- Metrics and their values of the period; of a corrected one, the correction. Which spans ask for a value, and by when,
-- is what span.c and trend.c say of it: `due` is the last that does. A value is an outlier if its distance from the
-- median is more than 3.5 times the median of such distances, brought to the scale of a standard deviation (Iglewicz
-- and Hoaglin 1993), among eight values at least.
    select null, 'METRIC', i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when x.newest is null and e.due >= e.first
             then inputs.issue('METRIC_WITHOUT_POINTS', 'measurements', e.due - e.first + 1 || ' expected') end,
        case when e.due > x.newest
             then inputs.issue('METRIC_STALE', 'measurements', e.due - x.newest || ' expected, the first by the end of '
                               || inputs.span_last_day(m.frequency, x.newest + 1)) end,
        case when g.between_others > 0
             then inputs.issue('POINTS_MISSING', 'measurements', g.between_others || ' expected') end,
        case when x.late > 0 then inputs.issue('POINTS_LATE', 'measurements', x.late::text) end,
        case when m.frequency = 'IRREGULAR' and v.count < m.minimum
             then inputs.issue('POINTS_TOO_FEW', 'measurements', v.count || ' of ' || m.minimum) end,
        case when i.own -> 'target' is null then inputs.issue('TARGET_MISSING', 'metric.target') end,
        case when v.implausible > 0
             then inputs.issue('VALUE_IMPLAUSIBLE', 'measurements', v.implausible || ', the first of '
                               || v.implausible_day) end,
        case when o.count > 0
             then inputs.issue('VALUE_OUTLIER', 'measurements', o.count || ', the first of ' || o.day) end,
        case when f.day is not null then inputs.issue('VALUE_IN_FUTURE', 'measurements', 'up to ' || f.day) end
    ], null))
    from day d
    cross join judged i
    cross join lateral (
        select i.own ->> 'unit' as unit, i.own ->> 'frequency' as frequency,
               coalesce((i.own ->> 'grace_days')::integer, 0) as grace,
               coalesce((i.own ->> 'minimum_points')::integer, 3) as minimum
        offset 0 -- computed once
    ) m
    cross join lateral (
        select inputs.span_of(m.frequency, d.first) as first,
               inputs.span_of(m.frequency, least(d.last, d.today - m.grace - 1) + 1) - 1 as due
        offset 0
    ) e
    cross join lateral (
        select count(*) as count, percentile_cont(0.5) within group (order by p.value) as middle,
               count(*) filter (where m.unit = '%' and p.value not between 0 and 100) as implausible,
               min(p.day) filter (where m.unit = '%' and p.value not between 0 and 100) as implausible_day,
               array_agg(p.value) as values, array_agg(p.day) as days, array_agg(p.recorded) as recorded
        from (
            select n.value, (n.observed_time at time zone d.time_zone)::date as day,
                   (n.recorded_time at time zone d.time_zone)::date as recorded
            from inputs.measurement n
            where n.tenant_id = :tenant and n.metric_id = i.id
              and n.observed_time >= d.begins and n.observed_time < d.ended
              and (select c.id from inputs.measurement c where c.tenant_id = :tenant and c.corrects_id = n.id) is null
        ) p
    ) v
    cross join lateral (
        select max(s.span) as newest, count(*) filter (where s.span <= e.due) as present,
               count(*) filter (where s.recorded > inputs.span_last_day(m.frequency, s.span) + m.grace) as late
        from (select inputs.span_of(m.frequency, p.day) as span, min(p.recorded) as recorded
              from unnest(v.days, v.recorded) p (day, recorded)
              group by 1) s
    ) x
    cross join lateral (
        select least(x.newest - 1, e.due) - e.first + 1
               - (x.present - case when x.newest <= e.due then 1 else 0 end) as between_others
    ) g
    cross join lateral (
        select count(*) as count, min(p.day) as day
        from (select percentile_cont(0.5) within group (order by abs(a.value - v.middle)) as value
              from unnest(v.values) a (value)) spread
        cross join unnest(v.values, v.days) p (value, day)
        where v.count >= 8 and spread.value > 0 and 0.6745 * abs(p.value - v.middle) > 3.5 * spread.value
    ) o
    cross join lateral (
        select (max(n.observed_time) at time zone d.time_zone)::date as day
        from inputs.measurement n
        where n.tenant_id = :tenant and n.metric_id = i.id and n.observed_time > :now
          and (select c.id from inputs.measurement c where c.tenant_id = :tenant and c.corrects_id = n.id) is null
    ) f
    where i.kind = 'METRIC'

-- The items of the agenda that inputs belong to. Policies and resources are a meeting's own matter, not clause 9.3.2's.
    select k.item, min(inputs.kind_rank(k.kind)) as place, k.item not in ('policy', 'resources') as required,
           coalesce(sum(i.count), 0)::integer as inputs, coalesce(sum(i.recorded), 0)::integer as recorded
    from inputs.kinds() k
    left join (
        select j.kind, count(*) as count, count(*) filter (where j.recorded or j.kind = 'METRIC' and (
                   select true from inputs.measurement m
                   where m.tenant_id = :tenant and m.metric_id = j.id
                     and m.observed_time >= d.begins and m.observed_time < d.ended
                   limit 1)) as recorded
        from day d
        cross join judged j
        group by j.kind
    ) i on i.kind = k.kind
    group by k.item

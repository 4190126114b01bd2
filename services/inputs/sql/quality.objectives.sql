-- A metric's word is its newest value by the end of the period.
    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when coalesce(i.own ->> 'measure', '') = '' and o.metric_id is null
             then inputs.issue('OBJECTIVE_NOT_MEASURABLE', 'objective.measure') end,
        case when o.attainment is null then inputs.issue('ATTAINMENT_MISSING', 'objective.attainment') end,
        case when i.due_date < d.today and o.attainment in ('NOT_STARTED', 'ON_TRACK', 'AT_RISK')
             then inputs.issue('ATTAINMENT_PAST_DUE', 'objective.attainment',
                               o.attainment || ', due on ' || i.due_date) end,
        case when o.attainment = 'ACHIEVED' and inputs.target_is_missed(m.target, v.value)
             then inputs.issue('ATTAINMENT_CONTRADICTS_METRIC', 'objective.attainment',
                               'the newest value of ' || m.number || ' is ' || v.value) end,
        case when o.attainment = 'ACHIEVED' and o.percent between 1 and 99
             then inputs.issue('PROGRESS_CONTRADICTS_STATE', 'objective.percent_attained',
                               'ACHIEVED at ' || o.percent || ' %') end,
        case when not i.open and o.attainment in ('NOT_STARTED', 'ON_TRACK', 'AT_RISK')
             then inputs.issue('PROGRESS_CONTRADICTS_STATE', 'objective.attainment',
                               'CLOSED while ' || o.attainment) end
    ], null))
    from day d
    cross join judged i
    cross join lateral (
        select i.own ->> 'attainment' as attainment,
               coalesce((i.own ->> 'percent_attained')::integer, 0) as percent,
               nullif(i.own ->> 'metric_id', '')::uuid as metric_id
        offset 0 -- so that the index is asked for a value, and not for an expression that row-level security holds back
    ) o
    left join lateral (
        select k.id, k.number, k.detail #> '{metric,target}' as target
        from inputs.input k
        where k.tenant_id = :tenant and k.id = o.metric_id and k.delete_time is null
    ) m on true
    left join lateral (
        select n.value
        from inputs.measurement n
        where n.tenant_id = :tenant and n.metric_id = m.id
          and n.observed_time < (d.last + 1)::timestamp at time zone d.time_zone
          and (select c.id from inputs.measurement c where c.tenant_id = :tenant and c.corrects_id = n.id) is null
        order by n.observed_time desc, n.id desc
        limit 1
    ) v on true
    where i.kind = 'OBJECTIVE'
    union all
    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when o.sentiment is null then inputs.issue('SENTIMENT_MISSING', 'feedback.sentiment') end,
        case when o.sentiment = 'NEGATIVE' and coalesce(i.own ->> 'response', '') = ''
             then inputs.issue('FEEDBACK_UNANSWERED', 'feedback.response') end
    ], null))
    from judged i
    cross join lateral (select i.own ->> 'sentiment' as sentiment) o
    where i.kind = 'FEEDBACK'

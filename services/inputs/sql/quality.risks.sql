-- On the organisation's scheme, whose appetite is that of a risk without its own. A target is what is not to be
-- exceeded once the treatment is done; where there is none, the residual level is.
    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when i.open and o.current is null then inputs.issue('RISK_NOT_ASSESSED', 'risk.current') end,
        case when o.current > o.inherent
             then inputs.issue('RISK_LEVELS_CONTRADICT', 'risk.current',
                               'current ' || o.current || ' is above inherent ' || o.inherent) end,
        case when o.residual > o.current
             then inputs.issue('RISK_LEVELS_CONTRADICT', 'risk.residual',
                               'residual ' || o.residual || ' is above current ' || o.current) end,
        case when i.open and o.response <> 'ACCEPT' and coalesce(o.target, o.residual) > o.appetite
             then inputs.issue('RISK_ABOVE_APPETITE',
                               case when o.target is null then 'risk.residual' else 'risk.target' end,
                               coalesce(o.target, o.residual) || ' against ' || o.appetite) end,
        case when i.open and o.response = 'ACCEPT' and coalesce(i.own ->> 'rationale', '') = ''
             then inputs.issue('RISK_ACCEPTED_WITHOUT_RATIONALE', 'risk.rationale') end,
        case when i.open and o.response = '' and o.current > o.appetite
             then inputs.issue('RISK_RESPONSE_MISSING', 'risk.response', o.current || ' against ' || o.appetite) end,
        case when i.open and o.response = 'MITIGATE' and coalesce(not n.treated ? i.id::text, true)
             then inputs.issue('RISK_WITHOUT_TREATMENT', 'risk.response') end
    ], null))
    from day d
    cross join named n
    cross join judged i
    cross join lateral (
        select coalesce(i.own ->> 'response', '') as response,
               nullif((i.own #>> '{inherent,level}')::integer, 0) as inherent,
               nullif((i.own #>> '{current,level}')::integer, 0) as current,
               nullif((i.own #>> '{residual,level}')::integer, 0) as residual,
               nullif((i.own #>> '{target,level}')::integer, 0) as target,
               coalesce(nullif((i.own ->> 'appetite')::integer, 0), (d.scheme).appetite) as appetite
    ) o
    where i.kind = 'RISK'
    union all
    select null, i.kind, i.id, i.number, i.owner_id,
           inputs.issue('RISK_OUT_OF_SCHEME', (f.fault).field, (f.fault).message)
    from day d
    cross join judged i
    cross join (values ('inherent'), ('current'), ('residual'), ('target')) e (name)
    cross join lateral (
        select inputs.level_fault(d.scheme, e.name, i.own -> e.name) as fault
        offset 0 -- computed once
    ) f
    where i.kind = 'RISK' and (f.fault).field is not null
    union all
    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when coalesce(i.own ->> 'risk_id', '') = ''
             then inputs.issue('TREATMENT_WITHOUT_RISK', 'treatment.risk_id') end,
        case when not i.open and o.percent < 100
             then inputs.issue('PROGRESS_CONTRADICTS_STATE', 'treatment.percent_complete',
                               'CLOSED at ' || o.percent || ' %') end,
        case when i.open and o.percent = 100
             then inputs.issue('PROGRESS_CONTRADICTS_STATE', 'state', 'open at 100 %') end
    ], null))
    from judged i
    cross join lateral (select coalesce((i.own ->> 'percent_complete')::integer, 0) as percent) o
    where i.kind = 'TREATMENT'

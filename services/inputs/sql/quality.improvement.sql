    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when i.kind = 'IMPROVEMENT' and i.open and i.own -> 'scores' is null
                  and coalesce(i.own ->> 'benefit', '') = ''
             then inputs.issue('IMPROVEMENT_NOT_WEIGHED', 'improvement.benefit') end,
        case when i.kind = 'OUTCOME' and i.own -> 'verdict' is null
             then inputs.issue('OUTCOME_NOT_JUDGED', 'outcome.verdict') end,
        case when i.kind = 'RESOURCE' and i.own -> 'adequacy' is null
             then inputs.issue('ADEQUACY_MISSING', 'resource.adequacy') end,
        case when i.own ->> 'adequacy' in ('STRAINED', 'INADEQUATE') and coalesce(i.own ->> 'need', '') = ''
             then inputs.issue('RESOURCE_NEED_MISSING', 'resource.need') end
    ], null))
    from judged i
    where i.kind in ('IMPROVEMENT', 'OUTCOME', 'RESOURCE')
    union all
    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when i.due_date < d.today and i.open and o.status <> 'RETIRED'
             then inputs.issue('POLICY_OVERDUE', 'due_date', 'since ' || i.due_date) end,
        case when o.status = 'IN_FORCE' and coalesce(i.own ->> 'approved_by', '') = ''
             then inputs.issue('POLICY_NOT_APPROVED', 'policy.approved_by') end
    ], null))
    from day d
    cross join judged i
    cross join lateral (select coalesce(i.own ->> 'status', '') as status) o
    where i.kind = 'POLICY'

    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when i.kind = 'CONTEXT_ISSUE' and coalesce(i.own ->> 'impact', '') = ''
                  and i.own ->> 'effect' is distinct from 'NOT_RELEVANT'
             then inputs.issue('CONTEXT_IMPACT_MISSING', 'context_issue.impact') end,
        case when i.kind = 'REQUIREMENT' and i.own -> 'addressing' is null
             then inputs.issue('REQUIREMENT_NOT_JUDGED', 'requirement.addressing') end,
        case when i.own ->> 'addressing' in ('ADDRESSED', 'PARTLY_ADDRESSED')
                  and coalesce(i.own ->> 'how_addressed', '') = ''
             then inputs.issue('REQUIREMENT_HOW_MISSING', 'requirement.how_addressed') end
    ], null))
    from judged i
    where i.kind in ('CONTEXT_ISSUE', 'REQUIREMENT')

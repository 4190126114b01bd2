-- Controls are here since what contradicts them is found in audits.
    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when coalesce(i.own ->> 'operation', 'NOT_TESTED') = 'NOT_TESTED'
             then inputs.issue('CONTROL_NOT_TESTED', 'control.operation') end,
        case when i.own ->> 'operation' = 'EFFECTIVE' and n.major ? lower(i.own ->> 'reference')
             then inputs.issue('CONTROL_CONTRADICTS_FINDING', 'control.operation',
                               n.major ->> lower(i.own ->> 'reference')) end
    ], null))
    from named n
    cross join judged i
    where i.kind = 'CONTROL'
    union all
    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when (not i.open or i.effective_date < d.today) and i.own -> 'verdict' is null
                  and coalesce(i.own ->> 'conclusion', '') = ''
             then inputs.issue('AUDIT_CONCLUSION_MISSING', 'audit.verdict') end,
        case when coalesce(i.own ->> 'scope', '') = '' then inputs.issue('AUDIT_SCOPE_MISSING', 'audit.scope') end,
        case when coalesce(i.own ->> 'criteria', '') = ''
             then inputs.issue('AUDIT_SCOPE_MISSING', 'audit.criteria') end,
        case when i.own ->> 'verdict' = 'CONFORMS' and n.nonconforming ? i.id::text
             then inputs.issue('AUDIT_CONTRADICTS_FINDING', 'audit.verdict', n.nonconforming ->> i.id::text) end
    ], null))
    from day d
    cross join named n
    cross join judged i
    where i.kind = 'AUDIT'
    union all
    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when i.own -> 'grade' is null then inputs.issue('GRADE_MISSING', 'finding.grade') end,
        case when i.own ->> 'grade' = 'MAJOR' and not o.raised
             then inputs.issue('MAJOR_WITHOUT_NONCONFORMITY', 'finding.nonconformity_id') end,
        case when i.open and i.own ->> 'grade' in ('MINOR', 'MAJOR') and not o.raised
                  and coalesce(i.own ->> 'response', '') = '' and coalesce(i.own -> 'action_ids', '[]') = '[]'
             then inputs.issue('FINDING_UNANSWERED', 'finding.response') end,
        case when coalesce(i.own ->> 'audit_id', '') = ''
             then inputs.issue('FINDING_WITHOUT_AUDIT', 'finding.audit_id') end
    ], null))
    from named n
    cross join judged i
    cross join lateral (select coalesce(i.own ->> 'nonconformity_id', '') <> ''
                               or coalesce(n.raised ? i.id::text, false) as raised) o
    where i.kind = 'FINDING'
    union all
    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when o.status = 'NOT_ASSESSED' then inputs.issue('COMPLIANCE_NOT_ASSESSED', 'compliance.status') end,
        case when o.status in ('PARTLY_COMPLIANT', 'NOT_COMPLIANT') and o.gap = ''
             then inputs.issue('COMPLIANCE_GAP_MISSING', 'compliance.gap') end,
        case when o.status = 'COMPLIANT' and o.gap <> ''
             then inputs.issue('COMPLIANCE_CONTRADICTS_GAP', 'compliance.gap') end
    ], null))
    from judged i
    cross join lateral (select coalesce(i.own ->> 'status', 'NOT_ASSESSED') as status,
                               coalesce(i.own ->> 'gap', '') as gap) o
    where i.kind = 'COMPLIANCE'

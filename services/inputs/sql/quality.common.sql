-- What every kind has. A policy's due date is its own check's matter; an audit that is still to come has one in the
-- future with good reason.
    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when i.open and i.owner_id is null and i.owner_name = ''
             then inputs.issue('OWNER_MISSING', 'owner_id') end,
        case when i.open and i.owner_id is not null and m.state is distinct from 'ACTIVE'
             then inputs.issue('OWNER_INACTIVE', 'owner_id') end,
        case when i.open and i.owner_id is null and i.owner_name <> ''
             then inputs.issue('OWNER_NOT_MEMBER', 'owner_id', i.owner_name) end,
        case when i.open and i.kind <> 'POLICY' and i.due_date < d.today
             then inputs.issue('OVERDUE', 'due_date', 'since ' || i.due_date) end,
        case when i.open and i.due_date is null and i.kind in ('NONCONFORMITY', 'OBJECTIVE', 'TREATMENT')
             then inputs.issue('DUE_DATE_MISSING', 'due_date') end,
        case when i.open and i.kind in ('OBJECTIVE', 'RISK', 'TREATMENT') and i.updated < d.first
                  and d.first <= d.today
             then inputs.issue('NOT_UPDATED', '', 'last on ' || i.updated) end,
        case when i.due_date < i.effective_date
             then inputs.issue('DATES_CONTRADICT', 'due_date',
                               i.due_date || ' is before the ' || i.effective_date || ' of effective_date') end,
        case when i.closed_date > d.today then inputs.issue('DAY_IN_FUTURE', 'closed_date', i.closed_date::text) end,
        case when i.effective_date > d.today and i.kind in ('NONCONFORMITY', 'INCIDENT', 'FINDING', 'FEEDBACK')
             then inputs.issue('DAY_IN_FUTURE', 'effective_date', i.effective_date::text) end,
        case when o.judged_day > d.today
             then inputs.issue('DAY_IN_FUTURE', lower(i.kind) || '.' || case when i.own ? 'assessed_date'
                               then 'assessed_date' when i.own ? 'tested_date' then 'tested_date'
                               else 'effectiveness_date' end, o.judged_day::text) end,
        case when i.kind in ('CONTEXT_ISSUE', 'REQUIREMENT', 'FEEDBACK')
                  and coalesce(i.risk_impact ->> 'disposition', 'NOT_ASSESSED') = 'NOT_ASSESSED'
             then inputs.issue('RISK_IMPACT_NOT_ASSESSED', 'risk_impact') end,
        case when i.open and o.expiry <= d.today
             then inputs.issue('EVIDENCE_EXPIRED', 'evidence', 'on ' || o.expiry) end,
        case when i.open and o.expiry > d.today and o.expiry <= d.today + 30
             then inputs.issue('EVIDENCE_EXPIRING', 'evidence', 'on ' || o.expiry) end,
        case when i.evidence = '[]' and case i.kind
                  when 'NONCONFORMITY' then not i.open
                  when 'CONTROL' then i.own ->> 'operation' = 'EFFECTIVE'
                  when 'COMPLIANCE' then i.own ->> 'status' = 'COMPLIANT'
                  when 'AUDIT' then (not i.open or i.effective_date < d.today)
                                    and coalesce(i.own ->> 'report_reference', '') = ''
                  when 'POLICY' then i.own ->> 'status' = 'IN_FORCE' end
             then inputs.issue('EVIDENCE_MISSING', 'evidence') end
    ], null))
    from day d
    cross join judged i
    left join core.member m on m.tenant_id = :tenant and m.id = i.owner_id
    cross join lateral (
        select coalesce(i.own ->> 'assessed_date', i.own ->> 'tested_date', i.own ->> 'effectiveness_date')::date
               as judged_day,
               (select min(e.value ->> 'expire_date')::date from jsonb_array_elements(i.evidence) e) as expiry
    ) o

-- Only what is graded below MINOR does without cause and corrective action.
    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when i.own -> 'grade' is null then inputs.issue('GRADE_MISSING', 'nonconformity.grade') end,
        case when o.grave and coalesce(i.own #>> '{cause,description}', '') = ''
             then inputs.issue('CAUSE_MISSING', 'nonconformity.cause') end,
        case when o.grave and coalesce(i.own ->> 'corrective_action', '') = ''
                  and coalesce(i.own -> 'action_ids', '[]') = '[]'
             then inputs.issue('CORRECTIVE_ACTION_MISSING', 'nonconformity.corrective_action') end,
        case when o.grave and not i.open and coalesce(i.own ->> 'effectiveness', 'NOT_VERIFIED') = 'NOT_VERIFIED'
             then inputs.issue('EFFECTIVENESS_NOT_VERIFIED', 'nonconformity.effectiveness') end,
        case when not i.open and i.own ->> 'effectiveness' = 'NOT_EFFECTIVE'
             then inputs.issue('CLOSED_NOT_EFFECTIVE', 'nonconformity.effectiveness') end
    ], null))
    from judged i
    cross join lateral (select coalesce(i.own ->> 'grade', 'MINOR') in ('MINOR', 'MAJOR') as grave) o
    where i.kind = 'NONCONFORMITY'
    union all
    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when not i.open and coalesce(i.own #>> '{cause,description}', '') = ''
             then inputs.issue('CAUSE_MISSING', 'incident.cause') end,
        case when not i.open and coalesce(i.own ->> 'lessons_learned', '') = ''
             then inputs.issue('LESSONS_MISSING', 'incident.lessons_learned') end,
        case when i.severity = '' then inputs.issue('SEVERITY_MISSING', 'severity') end
    ], null))
    from judged i
    where i.kind = 'INCIDENT'
    union all
    select null, i.kind, i.id, i.number, i.owner_id, unnest(array_remove(array[
        case when i.own -> 'invited' is null and (not i.open or i.effective_date <= d.today)
             then inputs.issue('TRAINING_FIGURES_MISSING', 'training.invited') end,
        case when not i.open and coalesce(i.own ->> 'effectiveness', 'NOT_VERIFIED') = 'NOT_VERIFIED'
             then inputs.issue('EFFECTIVENESS_NOT_VERIFIED', 'training.effectiveness') end
    ], null))
    from day d
    cross join judged i
    where i.kind = 'TRAINING'

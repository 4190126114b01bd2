-- That the input `i` fulfils the request's InputFilter: one condition, since the planner halves its guess of the
-- rows for each, and would soon sort what it can read in order. Parts that are cheap to refuse by come first.
  and inputs.check_filter(:filter)
  and case
      when (:filter)::jsonb is null then i.delete_time is null
      when case :filter.deletion when 'INCLUDED' then false when 'ONLY' then i.delete_time is null
                                 else i.delete_time is not null end then false
      when (:filter.kinds)::text[] <> '{}' and i.kind <> all (:filter.kinds) then false
      when (:filter.agenda_items)::text[] <> '{}' and i.kind <> all (array(
               select k.kind from inputs.kinds() k where k.item = any (:filter.agenda_items))) then false
      when (:filter.states)::text[] <> '{}' and i.state <> all (:filter.states) then false
      when (:filter.severities)::text[] <> '{}' and i.severity <> all (:filter.severities) then false
      when (:filter.owner_ids)::uuid[] <> '{}' and i.owner_id = any (:filter.owner_ids) is not true then false
      when :filter.owner = 'PRESENT' and i.owner_id is null then false
      when :filter.owner = 'ABSENT' and i.owner_id is not null then false
      when (:filter.sources)::text[] <> '{}' and i.source <> all (:filter.sources) then false
      when :filter.external_id <> '' and i.external_id <> :filter.external_id then false
      when (:filter.any_labels)::text[] <> '{}' and not i.labels && :filter.any_labels then false
      when not i.labels @> (:filter.all_labels)::text[] then false
      when not starts_with(i.number, :filter.number_prefix) then false
      when coalesce(i.effective_date < (:filter.effective.from)::date, (:filter.effective.from)::date is not null)
           then false
      when coalesce(i.effective_date >= (:filter.effective.before)::date,
                    (:filter.effective.before)::date is not null) then false
      when coalesce(i.due_date < (:filter.due.from)::date, (:filter.due.from)::date is not null) then false
      when coalesce(i.due_date >= (:filter.due.before)::date, (:filter.due.before)::date is not null) then false
      when coalesce(i.closed_date < (:filter.closed.from)::date, (:filter.closed.from)::date is not null) then false
      when coalesce(i.closed_date >= (:filter.closed.before)::date, (:filter.closed.before)::date is not null)
           then false
      when i.create_time < (:filter.created.from)::timestamptz then false
      when i.create_time >= (:filter.created.before)::timestamptz then false
      when i.update_time < (:filter.updated.from)::timestamptz then false
      when i.update_time >= (:filter.updated.before)::timestamptz then false
      when :filter.overdue and (i.state <> 'CLOSED' and i.due_date < (
               select ((:now)::timestamptz at time zone o.time_zone)::date
               from core.organisation o where o.tenant_id = :tenant)) is not true then false
      when :filter.evidence = 'PRESENT' and i.evidence = '[]' then false
      when :filter.evidence = 'ABSENT' and i.evidence <> '[]' then false
      when (:filter.related_to_id)::uuid is not null and (:filter.related_to_id)::uuid <> all (i.related_ids)
           and i.id <> all (array(
               select unnest(r.related_ids)
               from inputs.input r where r.tenant_id = :tenant and r.id = (:filter.related_to_id)::uuid)) then false
      when (:filter.risk_impacts)::text[] <> '{}'
           and coalesce(i.risk_impact ->> 'disposition', 'NOT_ASSESSED') <> all (:filter.risk_impacts) then false
      when (:filter.grades)::text[] <> '{}'
           and coalesce(i.detail -> lower(i.kind) ->> 'grade', '') <> all (:filter.grades) then false
      when (:filter.party_id)::uuid is not null
           and (i.detail -> lower(i.kind) ->> 'party_id')::uuid is distinct from (:filter.party_id)::uuid then false
      when (:filter.audit_id)::uuid is not null
           and (i.detail -> lower(i.kind) ->> 'audit_id')::uuid is distinct from (:filter.audit_id)::uuid then false
      when (:filter.risk_id)::uuid is not null
           and (i.detail -> lower(i.kind) ->> 'risk_id')::uuid is distinct from (:filter.risk_id)::uuid
           and (i.risk_impact -> 'risk_ids' ? (:filter.risk_id)::uuid::text) is not true then false
      when (:filter.metric_id)::uuid is not null
           and (i.detail -> lower(i.kind) ->> 'metric_id')::uuid is distinct from (:filter.metric_id)::uuid then false
      when (:filter.action_id)::uuid is not null
           and (i.detail -> lower(i.kind) -> 'action_ids' ? (:filter.action_id)::uuid::text) is not true then false
      else true end

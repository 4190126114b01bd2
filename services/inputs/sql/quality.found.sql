-- What quality.def lists, looked for. `listed` are the issues that are asked for; a branch of `found` gives the
-- item of the agenda (NULL: that of the kind), kind, id, number, owner and the issue: inputs.issue(check, field, what
-- is said behind the check's sentence).
--
-- The inputs are read once, as `judged`, and what one has to know of others is looked up in maps, `named`: the planner
-- cannot know how many there are, and would join them in loops.
--
-- The times at which the period begins and has ended are computed once, as `begins` and `ended`: row-level security
-- keeps what computes with time zones from being read off an index.
day as materialized (
    select o.time_zone, ((:now)::timestamptz at time zone o.time_zone)::date as today,
           (:period.start_date)::date as first, (:period.end_date)::date as last,
           (:period.start_date)::date::timestamp at time zone o.time_zone as begins,
           ((:period.end_date)::date + 1)::timestamp at time zone o.time_zone as ended,
           inputs.risk_scheme_of(:tenant) as scheme
    from core.organisation o
    where o.tenant_id = :tenant
),
-- What a review of the period would freeze (FreezeInputs.sql). `recorded`: it came up or changed in the period.
judged as materialized (
    select i.id, i.kind, i.number, i.title, i.owner_id, i.owner_name, i.external_id, i.severity, i.effective_date,
           i.due_date, i.closed_date, i.evidence, i.related_ids, i.risk_impact, i.detail -> lower(i.kind) as own,
           i.closed_date is null as open, t.created, t.updated,
           i.effective_date between d.first and d.last or t.created between d.first and d.last
               or t.updated between d.first and d.last as recorded
    from day d
    cross join inputs.input i
    cross join lateral (select (i.create_time at time zone d.time_zone)::date as created,
                               (i.update_time at time zone d.time_zone)::date as updated) t
    where i.tenant_id = :tenant and i.delete_time is null and (i.closed_date is null or i.closed_date >= d.first)
),
-- Numbers of inputs: the open major ones by what they are about, without case; findings that are nonconformities by
-- their audit; nonconformities by the finding they were raised from; treatments by their risk; deleted ones by id.
named as materialized (
    select jsonb_object_agg(lower(o.about), i.number) filter (
               where o.about <> '' and i.closed_date is null and o.own ->> 'grade' = 'MAJOR') as major,
           jsonb_object_agg(o.own ->> 'audit_id', i.number) filter (
               where o.own ->> 'audit_id' <> '' and o.own ->> 'grade' in ('MINOR', 'MAJOR')) as nonconforming,
           jsonb_object_agg(o.own ->> 'origin_id', i.number) filter (where o.own ->> 'origin_id' <> '') as raised,
           jsonb_object_agg(o.own ->> 'risk_id', i.number) filter (where o.own ->> 'risk_id' <> '') as treated,
           (select jsonb_object_agg(g.id, g.number) from inputs.input g
            where g.tenant_id = :tenant and g.delete_time is not null) as deleted
    from inputs.input i
    cross join lateral (select i.detail -> lower(i.kind) as own,
                               coalesce(i.detail #>> '{finding,reference}', i.detail #>> '{nonconformity,clause}')
                                   as about) o
    where i.tenant_id = :tenant and i.kind in ('FINDING', 'NONCONFORMITY', 'TREATMENT') and i.delete_time is null
),
-- The fields of each kind that refer to other inputs.
reference as materialized (
    select k.kind, f.name
    from inputs.kinds() k cross join lateral unnest((inputs.references_of(k.kind)).fields) f (name)
),
agenda as materialized (
--@include quality.agenda
),
found as materialized (
--@include quality.items
    union all
--@include quality.common
    union all
--@include quality.duplicates
    union all
--@include quality.references
    union all
--@include quality.context
    union all
--@include quality.nonconformities
    union all
--@include quality.measurements
    union all
--@include quality.audits
    union all
--@include quality.objectives
    union all
--@include quality.risks
    union all
--@include quality.improvement
),
listed as (
    select c.name, a.item, f.kind, f.id, f.number collate "C" as number, (f.issue).field collate "C" as field,
           (f.issue).detail, c.severity, c.place::integer as check_place, (3 - c.severity) * 100 + a.place as place
    from found f
    join rows from (unnest((:checks)::text[]), unnest((:severities)::integer[])) with ordinality
         c (name, severity, place) on c.name = (f.issue).check_name
    left join inputs.kinds() k on k.kind = f.kind
    join agenda a on a.item = coalesce(f.item, k.item)
    where case when :agenda_item = '' then true else a.item = :agenda_item end
      and case when (:owner_id)::uuid is null then true else f.owner_id = (:owner_id)::uuid end
)

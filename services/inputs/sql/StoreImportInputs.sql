--@request isms.inputs.v1.ImportBatch
--@response isms.inputs.v1.ImportCount
-- Stores a portion, and with it that it is stored. A row that fails by now is left out and told.
--@include upsert.plan
,
--@include import.judged
,
--@include import.turn
,
created as (
    insert into inputs.input
    select (j.w).* from judged j cross join turn t
    where t.ok and j.outcome = 'CREATED' and (j.w).tenant_id = :tenant
    order by j.ordinal
    returning id
),
changed as (
    update inputs.input i set
--@include input.assignments
    from judged j cross join turn t cross join lateral (select (j.w).*) w
    where i.tenant_id = :tenant and i.id = w.id and t.ok and j.outcome = 'UPDATED'
    returning i.id
),
noted as (
    update inputs.import_row r set outcome = d.outcomes[r.ordinal - :position],
        field = d.fields[r.ordinal - :position], message = d.messages[r.ordinal - :position],
        stored = d.outcomes[r.ordinal - :position] <> 'FAILED', content = null,
        differences = d.differences[r.ordinal - :position]
    from told d cross join turn t
    where r.tenant_id = :tenant and r.import_id = :import_id
      and r.ordinal between :position + 1 and :position + cardinality((:ordinals)::integer[]) and t.ok
    returning r.ordinal, r.outcome
),
--@include import.advance
select (select count(*) from advanced)::integer as count

--@request isms.inputs.v1.ImportBatch
--@response isms.inputs.v1.ImportCount
-- Stores a portion, and with it that it is stored. A row that fails by now is left out and told.
--@include measurements.plan
,
--@include measurements.judged
,
--@include import.turn
,
created as (
    insert into inputs.measurement (tenant_id, id, metric_id, observed_time, value, note, external_id, corrects_id,
                                    recorded_time)
    select :tenant, j.id, j.metric_id, j.observed_time, j.value, j.note, j.external_id, j.corrects_id, j.recorded_time
    from judged j cross join turn t where t.ok and j.outcome = 'CREATED' order by j.ordinal
    returning id
),
noted as (
    update inputs.import_row r set outcome = d.outcomes[r.ordinal - :position],
        field = d.fields[r.ordinal - :position], message = d.messages[r.ordinal - :position],
        stored = d.outcomes[r.ordinal - :position] <> 'FAILED', content = null
    from told d cross join turn t
    where r.tenant_id = :tenant and r.import_id = :import_id
      and r.ordinal between :position + 1 and :position + cardinality((:ordinals)::integer[]) and t.ok
    returning r.ordinal, r.outcome
),
--@include import.advance
select (select count(*) from advanced)::integer as count

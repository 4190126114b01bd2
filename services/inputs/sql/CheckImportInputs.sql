--@request isms.inputs.v1.ImportBatch
--@response isms.inputs.v1.ImportCount
-- What StoreImportInputs would do with these rows.
--@include upsert.plan
,
--@include import.judged
,
noted as (
    update inputs.import_row r set outcome = t.outcomes[r.ordinal - :position],
        field = t.fields[r.ordinal - :position], message = t.messages[r.ordinal - :position],
        differences = t.differences[r.ordinal - :position]
    from told t
    where r.tenant_id = :tenant and r.import_id = :import_id
      and r.ordinal between :position + 1 and :position + cardinality((:ordinals)::integer[])
    returning r.ordinal
),
progress as (
    update inputs.import_progress p set rows_checked = (select max(n.ordinal) from noted n)
    where p.tenant_id = :tenant and p.import_id = :import_id
    returning p.rows_checked
)
select p.rows_checked as count from progress p

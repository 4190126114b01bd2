-- `noted` has what became of the rows; the changes above are counted with it.
advanced as (
    update inputs.import i set rows_stored = n.through, created = i.created + n.created,
        updated = i.updated + n.updated, unchanged = i.unchanged + n.unchanged
    from (select max(n.ordinal) as through, count(*) filter (where n.outcome = 'CREATED') as created,
                 count(*) filter (where n.outcome = 'UPDATED') as updated,
                 count(*) filter (where n.outcome = 'UNCHANGED') as unchanged from noted n) n
    where i.tenant_id = :tenant and i.id = :import_id
    returning i.id
)

-- Titles are compared without case, and without what is neither letter nor digit. Two audits may well have found the
-- same, two frameworks ask for the same; a closed input may have come up again.
    select null, g.kind, g.id, g.number, g.owner_id,
           inputs.issue(g.check_name, g.field,
                        'see ' || case when g.number = g.lowest then g.highest else g.lowest end
                            || case when g.count > 2 then ' and ' || g.count - 2 || ' more' else '' end)
    from (
        select 'DUPLICATE_TITLE' as check_name, i.kind, i.id, i.number, i.owner_id, 'title' as field,
               count(*) over same as count, min(i.number) over same as lowest, max(i.number) over same as highest
        from judged i
        where i.open
        window same as (partition by i.kind collate "C",
                        regexp_replace(lower(i.title), '[^[:alnum:]]+', '', 'g') collate "C",
                        coalesce(i.own ->> 'audit_id', i.own ->> 'framework', '') collate "C")
        union all
        select 'DUPLICATE_REFERENCE', i.kind, i.id, i.number, i.owner_id, lower(i.kind) || '.reference',
               count(*) over same, min(i.number) over same, max(i.number) over same
        from judged i
        where i.open and i.kind in ('CONTROL', 'COMPLIANCE')
        window same as (partition by i.kind collate "C", lower(i.own ->> 'framework') collate "C",
                        lower(i.own ->> 'reference') collate "C")
        union all
        select 'DUPLICATE_EXTERNAL_ID', i.kind, i.id, i.number, i.owner_id, 'external_id',
               count(*) over same, min(i.number) over same, max(i.number) over same
        from judged i
        where i.open and i.external_id <> ''
        window same as (partition by i.kind collate "C", i.external_id collate "C")
    ) g
    where g.count > 1

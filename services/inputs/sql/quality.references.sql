-- References are checked when they are written; what they name may have been deleted since.
    select null, i.kind, i.id, i.number, i.owner_id,
           inputs.issue('REFERENCE_DELETED', r.field, min(n.deleted ->> r.id))
    from named n
    cross join judged i
    cross join lateral (
        select 'related_ids' as field, e.id::text as id from unnest(i.related_ids) e (id)
        union all
        select 'risk_impact.risk_ids', e.id
        from jsonb_array_elements_text(coalesce(i.risk_impact -> 'risk_ids', '[]')) e (id)
        union all
        select lower(i.kind) || '.' || e.name, i.own ->> e.name
        from reference e
        where e.kind = i.kind
    ) r
    where n.deleted is not null and n.deleted ? r.id
    group by i.kind, i.id, i.number, i.owner_id, r.field

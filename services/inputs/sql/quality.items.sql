-- A whole item of the agenda. An audit's day is that it was held, of one without it that it was closed or recorded; a
-- risk's, that it was assessed or, without it, changed last.
    select a.item, '' as kind, null::uuid as id, '' as number, null::uuid as owner_id,
           inputs.issue(case when a.required then 'AGENDA_ITEM_EMPTY' else 'OPTIONAL_ITEM_EMPTY' end, '') as issue
    from agenda a
    where a.recorded = 0
    union all
    select c.item, '', null, '', null, inputs.issue(c.check_name, '')
    from (
        select count(*) filter (where o.audited) as audits,
               count(*) filter (where o.audited and i.own ->> 'type' = 'INTERNAL') as internal,
               count(*) filter (where i.kind = 'CONTEXT_ISSUE' and i.own ->> 'topic' = 'CLIMATE') as climate,
               count(*) filter (where i.kind = 'RISK' and i.own -> 'current' is not null
                                      and coalesce((i.own ->> 'assessed_date')::date, i.updated)
                                          between d.first and d.last) as assessed
        from day d
        cross join judged i
        cross join lateral (select i.kind = 'AUDIT' and coalesce(i.effective_date, i.closed_date, i.created)
                                   between d.first and d.last as audited) o
        where i.kind in ('AUDIT', 'CONTEXT_ISSUE', 'RISK')
    ) n
    cross join lateral (values
        ('NO_AUDIT', n.audits = 0, 'audits'),
        ('NO_INTERNAL_AUDIT', n.audits > 0 and n.internal = 0, 'audits'),
        ('CLIMATE_NOT_STATED', n.climate = 0, 'context'),
        ('NO_RISK_ASSESSMENT', n.assessed = 0, 'risks')
    ) c (check_name, found, item)
    where c.found

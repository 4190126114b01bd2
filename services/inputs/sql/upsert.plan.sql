with given as materialized (
    select e.ordinal, e.item, coalesce(e.item ->> 'source', '') as source,
           coalesce(e.item ->> 'external_id', '') as external_id, inputs.kind_of(inputs.detail_of(e.item)) as kind
    from jsonb_array_elements(:inputs) with ordinality e (item, ordinal)
),
-- (Each input is looked up by itself: `limit` keeps the planner from joining them with all that the organisation has,
-- which is what it does for as long as it takes the table for a small one.)
found as materialized (
    select g.*, o.input as old, case
               when g.source = '' then 'source'
               when g.external_id = ''
                    or count(*) over (partition by g.source, g.external_id) > 1 then 'external_id'
               when (o.input).kind <> g.kind then 'detail'
               else '' end as fault
    from given g
    left join lateral (
        select i as input from inputs.input i
        where i.tenant_id = :tenant and i.source = g.source and i.external_id = g.external_id and i.external_id <> ''
        limit 1
    ) o on true
),
merged as materialized (
    select f.ordinal, f.old, f.fault, case when f.fault = '' then
               inputs.merge(f.old, inputs.row_id(:new_id, f.source || E'\n' || f.external_id), f.item,
                            :update_paths, (select inputs.today(:tenant))) end as w
    from found f
),
planned as materialized (
    select m.*, case when m.fault = '' then inputs.fault_of(m.w) end as wrong from merged m
)

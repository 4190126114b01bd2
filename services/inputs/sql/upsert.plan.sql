with given as (
    select e.ordinal, e.item, coalesce(e.item ->> 'source', '') as source,
           coalesce(e.item ->> 'external_id', '') as external_id,
           (select upper(min(k)) from jsonb_object_keys(inputs.detail_of(e.item)) k) as kind
    from jsonb_array_elements(:inputs) with ordinality e (item, ordinal)
),
found as materialized (
    select g.*, o as old, case
               when g.source = '' then 'source'
               when g.external_id = ''
                    or count(*) over (partition by g.source, g.external_id) > 1 then 'external_id'
               when o.kind <> g.kind then 'detail'
               else '' end as fault
    from given g
    left join inputs.input o
         on o.tenant_id = :tenant and o.source = g.source and o.external_id = g.external_id and o.external_id <> ''
),
merged as materialized (
    select f.ordinal, f.old, f.fault, case when f.fault = '' then
               inputs.merge(f.old, inputs.row_id(:new_id, f.source || E'\n' || f.external_id), f.item,
                            :update_paths, (:now::timestamptz)::date) end as w
    from found f
),
planned as materialized (
    select m.*, case when m.fault = '' then inputs.wrong_reference(m.w) end as wrong from merged m
)

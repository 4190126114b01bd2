with target as materialized (
    select o as old, case
               when o.id is null then core.fail('NOT_FOUND')
               when :input.etag <> '' and o.revision::text <> :input.etag then core.fail('ETAG_MISMATCH')
               else true end as ok
    from (select 1) one
    left join inputs.input o on o.tenant_id = :tenant and o.id = :id and o.delete_time is null
),
wanted as materialized (
    select w, inputs.fault_of(w) as fault
    from target t cross join lateral inputs.merge(t.old, null, :input, :update_mask, inputs.today(:tenant)) w
    where t.ok
),
checked as materialized (
    select w.w, case
               when w.fault is not null then core.fail((w.fault).reason, inputs.fault_facts('input', w.fault))
               else true end as ok
    from wanted w
),
new as (
    update inputs.input i set
--@include input.assignments
    from checked c cross join lateral (select (c.w).*) w
    where i.tenant_id = :tenant and i.id = w.id and c.ok
    returning i.*
)
--@answer inputs.input new
select
--@include input.columns
from new i

with wanted as materialized (
    select w, inputs.fault_of(w) as fault
    from inputs.merge(null, :new_id, :input, '{}', inputs.today(:tenant)) w
),
checked as materialized (
    select w.w, case
               when w.fault is not null then core.fail((w.fault).reason, inputs.fault_facts('input', w.fault))
               when exists (select from inputs.input o
                            where o.tenant_id = :tenant and o.source = (w.w).source
                              and o.external_id = (w.w).external_id and o.external_id <> '')
                   then core.fail('ALREADY_EXISTS', 'field=input.external_id')
               else true end as ok
    from wanted w
),
new as (
    insert into inputs.input
    select (c.w).* from checked c where c.ok and (c.w).tenant_id = :tenant
    returning *
)
--@answer inputs.input new
select
--@include input.columns
from new i

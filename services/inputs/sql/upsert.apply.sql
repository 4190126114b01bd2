checked as materialized (
    select p.*, case
               when :partial and (p.fault <> '' or p.wrong is not null) then false
               when p.fault <> '' then
                   core.fail('FIELD_INVALID', format('field=inputs[%s].%s', p.ordinal - 1, p.fault))
               when p.wrong is not null then
                   core.fail((p.wrong).reason, inputs.fault_facts(format('inputs[%s]', p.ordinal - 1), p.wrong))
               else p.w is distinct from p.old end as changes
    from planned p
),
created as (
    insert into inputs.input
    select (c.w).* from checked c
    where c.changes and (c.old).id is null and (c.w).tenant_id = :tenant
    order by c.ordinal
    returning *
),
changed as (
    update inputs.input i set
--@include input.assignments
    from checked c cross join lateral (select (c.w).*) w
    where i.tenant_id = :tenant and i.id = w.id and c.changes and (c.old).id is not null
    returning i.*
)

with target as materialized (
    select case when not exists (select from core.member m
                                 where m.tenant_id = :tenant and m.id = :action.owner_id and m.state = 'ACTIVE')
                     then core.fail('REFERENCE_INVALID', 'field=action.owner_id')
                else true end as ok
),
new as (
    insert into actions.action (tenant_id, id, number, title, description, owner_id, due_date,
                                original_due_date, priority, input_id, labels)
    select :tenant, :new_id, core.next_number(:tenant, 'AC-' || to_char(:now::timestamptz, 'YYYY')),
           :action.title, :action.description, :action.owner_id, :action.due_date,
           :action.due_date, coalesce(nullif(:action.priority, ''), 'MEDIUM'), :action.input_id, :action.labels
    from target where target.ok
    returning *
)
--@answer actions.action new
select
--@include action.columns
from new

-- An owner who has left since the decision is no reason to lose the action: it is handed over afterwards.
with proposed as materialized (
    select a.*,
           case when not exists (select from core.member m where m.tenant_id = :tenant and m.id = a.owner_id)
                     then core.fail('REFERENCE_INVALID', 'field=actions[' || p.position - 1 || '].owner_id')
                else true end as ok
    from jsonb_array_elements(:actions) with ordinality p (item, position),
         jsonb_populate_record(null::actions.action, p.item) a
),
new as (
    insert into actions.action (tenant_id, id, number, title, description, owner_id, due_date,
                                original_due_date, priority, review_id, decision_id)
    select :tenant, id, number, title, coalesce(description, ''), owner_id, due_date, due_date,
           coalesce(priority, 'MEDIUM'), :review_id, decision_id
    from proposed where ok
    on conflict (tenant_id, id) do nothing
    returning *
)
--@answer actions.action new
select
--@include action.columns
from new
order by number

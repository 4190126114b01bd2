with wanted as (
    select e.ordinal, e.item, (e.item ->> 'assignee_id')::uuid as assignee_id, (e.item ->> 'input_id')::uuid as input_id
    from jsonb_array_elements(:contributions) with ordinality e (item, ordinal)
),
checked as materialized (
    select w.*, case
               when m.id is null or m.state <> 'ACTIVE'
                   then core.fail('REFERENCE_INVALID', format(
                       E'field=contributions[%s].assignee_id\ndescription=is no active member', w.ordinal - 1))
               when not inputs.may_contribute(m.roles)
                   then core.fail('FIELD_INVALID', format(
                       E'field=contributions[%s].assignee_id\ndescription=has no role that may write inputs',
                       w.ordinal - 1))
               when w.item ->> 'kind' = 'UNSPECIFIED'
                   then core.fail('FIELD_INVALID', format(
                       E'field=contributions[%s].kind\ndescription=is required', w.ordinal - 1))
               when w.input_id is not null and i.id is null
                   then core.fail('REFERENCE_INVALID', format(
                       E'field=contributions[%s].input_id\ndescription=is no input', w.ordinal - 1))
               else true end as ok
    from wanted w
    left join core.member m on m.tenant_id = :tenant and m.id = w.assignee_id
    left join inputs.input i on i.tenant_id = :tenant and i.id = w.input_id and i.delete_time is null
),
new as (
    insert into inputs.contribution (tenant_id, id, agenda_item, kind, input_id, assignee_id, review_id, due_date, note)
    -- Ids whose order is that of the request, for the answer, also to a repeated one.
    select :tenant,
           encode(overlay(uuid_send(inputs.row_id(:new_id, c.ordinal::text))
                          placing int2send((28672 + c.ordinal)::smallint) from 7 for 2), 'hex')::uuid,
           coalesce(c.item ->> 'agenda_item', ''),
           coalesce(c.item ->> 'kind', ''), c.input_id, c.assignee_id, (c.item ->> 'review_id')::uuid,
           (c.item ->> 'due_date')::date, coalesce(c.item ->> 'note', '')
    from checked c
    where c.ok
    order by c.ordinal
    returning *
)
--@answer inputs.contribution new
select
--@include contribution.columns
from new c
order by c.id

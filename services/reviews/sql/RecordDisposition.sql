with
--@include review.meeting
,
new as (
    update reviews.review r
    set previous_actions = (
        select jsonb_agg(
            case when a.item ->> 'action_id' = lower((:action_id)::text)
                 then (a.item - '{note,new_due_date}'::text[])
                      || jsonb_build_object('disposition', (:disposition)::text, 'note', (:note)::text)
                      || case when (:new_due_date)::text <> ''
                              then jsonb_build_object('new_due_date', (:new_due_date)::text) else '{}' end
                 else a.item end order by a.position)
        from jsonb_array_elements(target.previous_actions) with ordinality a (item, position))
    from target
    where r.tenant_id = :tenant and r.id = target.id and target.ok
      and reviews.require(exists (select from jsonb_array_elements(target.previous_actions) item
                                  where item ->> 'action_id' = lower((:action_id)::text)),
                          'REFERENCE_INVALID', 'field=action_id')
    returning r.*
)
--@answer reviews.review new
select
--@include review.columns
from new r

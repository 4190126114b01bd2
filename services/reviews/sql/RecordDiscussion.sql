with
--@include review.meeting
,
new as (
    update reviews.review r
    set agenda = (
        select jsonb_agg(
            case when a.item ->> 'key' = :agenda_key
                 then a.item || jsonb_build_object('considered', true, 'discussion', (:discussion)::text)
                 else a.item end order by a.position)
        from jsonb_array_elements(target.agenda) with ordinality a (item, position))
    from target
    where r.tenant_id = :tenant and r.id = target.id and target.ok
      and reviews.require(exists (select from jsonb_array_elements(target.agenda) item
                                  where item ->> 'key' = :agenda_key),
                          'REFERENCE_INVALID', 'field=agenda_key')
    returning r.*
)
--@answer reviews.review new
select
--@include review.columns
from new r

with
--@include review.meeting
,
merged as (
    select c.item from target, jsonb_array_elements(target.conclusions) c (item)
    where c.item ->> 'aspect' <> :conclusion.aspect
    union all
    select jsonb_build_object('aspect', (:conclusion.aspect)::text, 'verdict', (:conclusion.verdict)::text,
                              'reasons', (:conclusion.reasons)::text)
),
new as (
    update reviews.review r
    set conclusions = (
        select jsonb_agg(merged.item order by array_position('{SUITABILITY,ADEQUACY,EFFECTIVENESS}'::text[],
                                                             merged.item ->> 'aspect'))
        from merged)
    from target
    where r.tenant_id = :tenant and r.id = target.id and target.ok
    returning r.*
)
--@answer reviews.review new
select
--@include review.columns
from new r

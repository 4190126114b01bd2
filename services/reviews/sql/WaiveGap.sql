-- Of the handler of that name, which has made sure that the gap is there and may be waived.
with
--@include review.meeting
,
merged as (
    select w.item, w.position from target, jsonb_array_elements(target.waivers) with ordinality w (item, position)
    where w.item ->> 'rule' <> :rule or w.item ->> 'subject' <> :subject
    union all
    select jsonb_build_object('rule', (:rule)::text, 'subject', (:subject)::text, 'reason', (:reason)::text,
                              'member_id', :actor::uuid), null
),
r as (
    update reviews.review r
    set waivers = (select jsonb_agg(merged.item order by merged.position) from merged)
    from target
    where r.tenant_id = :tenant and r.id = target.id and target.ok
    returning r.*
)
select
--@include review.columns
from r

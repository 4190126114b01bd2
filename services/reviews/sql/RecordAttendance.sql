with
--@include review.meeting
,
-- Of a member who is named twice, the last word counts.
noted as materialized (
    select distinct on ((a.item ->> 'member_id')::uuid) (a.item ->> 'member_id')::uuid as member_id, a.item, a.position
    from jsonb_array_elements(:attendance::jsonb) with ordinality a (item, position)
    order by (a.item ->> 'member_id')::uuid, a.position desc
),
checked as materialized (
    select n.position, n.member_id, n.item,
           reviews.require_member(:tenant, n.member_id, format('attendance[%s].member_id', n.position - 1)) as ok
    from target, noted n
    where target.ok
),
merged as (
    select (old.item ->> 'member_id')::uuid as member_id, old.item, 1 as part, old.position
    from target, jsonb_array_elements(target.attendance) with ordinality old (item, position)
    where (old.item ->> 'member_id')::uuid not in (select member_id from noted)
    union all
    select c.member_id,
           c.item || jsonb_build_object('member_id', c.member_id, 'top_management',
               (select 'TOP_MANAGEMENT' = any (m.roles) from core.member m
                where m.tenant_id = :tenant and m.id = c.member_id)),
           2, c.position
    from checked c
    where c.ok
),
new as (
    update reviews.review r
    set attendance = (select jsonb_agg(merged.item order by merged.part, merged.position) from merged)
    from target
    where r.tenant_id = :tenant and r.id = target.id and target.ok
    returning r.*
)
--@answer reviews.review new
select
--@include review.columns
from new r

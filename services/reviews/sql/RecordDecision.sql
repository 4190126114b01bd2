with target as materialized (
    select r.id,
           case when r.id is null then core.fail('NOT_FOUND')
                when r.state not in ('IN_SESSION', 'MINUTES_DRAFTED')
                    then core.fail('WRONG_STATE', 'state=' || r.state || E'\nallowed=IN_SESSION,MINUTES_DRAFTED')
                when r.decision_count >= 99 then core.fail('LIMIT_REACHED', E'limit=99\nof=decisions')
                else reviews.require_member(:tenant, :decision.owner_id, 'decision.owner_id')
                     and reviews.require_owners(:tenant, coalesce(:decision.actions, '[]'::jsonb), 'decision.actions')
                end as ok
    from (select 1) one left join reviews.review r on r.tenant_id = :tenant and r.id = :review_id
),
review as (
    update reviews.review r
    set decision_count = r.decision_count + 1
    from target
    where r.tenant_id = :tenant and r.id = target.id and target.ok
    returning r.id, r.number, r.decision_count
),
new as (
    insert into reviews.decision (tenant_id, id, review_id, number, kind, title, rationale, owner_id, due_date,
                                  input_ids, scores, resources, actions)
    select :tenant, :new_id, review.id, review.number || '-D' || lpad(review.decision_count::text, 2, '0'),
           :decision.kind, :decision.title, :decision.rationale, :decision.owner_id, :decision.due_date,
           (:decision.input_ids)::text[]::uuid[], coalesce(:decision.scores, '[]'::jsonb), :decision.resources,
           coalesce(:decision.actions, '[]'::jsonb)
    from review
    returning *
)
--@answer reviews.decision new
select
--@include decision.columns
from new d

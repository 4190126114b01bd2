with target as materialized (
    select d.id, d.review_id,
           case when d.id is null then core.fail('NOT_FOUND')
                when :decision.etag <> '' and d.revision::text <> :decision.etag then core.fail('ETAG_MISMATCH')
                when r.state not in ('IN_SESSION', 'MINUTES_DRAFTED')
                    then core.fail('WRONG_STATE', 'state=' || r.state || E'\nallowed=IN_SESSION,MINUTES_DRAFTED')
                when d.withdrawn then core.fail('WRONG_STATE', 'state=WITHDRAWN')
                else (not :mask.owner_id
                      or reviews.require_member(:tenant, :decision.owner_id, 'decision.owner_id'))
                     and (not :mask.actions
                          or reviews.require_owners(:tenant, coalesce(:decision.actions, '[]'::jsonb),
                                                    'decision.actions'))
                end as ok
    from (select 1) one
    left join reviews.decision d on d.tenant_id = :tenant and d.id = :id
    left join reviews.review r on r.tenant_id = :tenant and r.id = d.review_id
),
review as (
    update reviews.review r
    set decision_count = r.decision_count -- a new revision of the whole: its etag covers its decisions
    from target
    where r.tenant_id = :tenant and r.id = target.review_id and target.ok
),
new as (
    update reviews.decision d
    set kind = case when :mask.kind then :decision.kind else d.kind end,
        title = case when :mask.title then :decision.title else d.title end,
        rationale = case when :mask.rationale then :decision.rationale else d.rationale end,
        owner_id = case when :mask.owner_id then :decision.owner_id else d.owner_id end,
        due_date = case when :mask.due_date then :decision.due_date else d.due_date end,
        input_ids = case when :mask.input_ids then (:decision.input_ids)::text[]::uuid[] else d.input_ids end,
        scores = case when :mask.scores then coalesce(:decision.scores, '[]'::jsonb) else d.scores end,
        resources = case when :mask.resources then :decision.resources else d.resources end,
        actions = case when :mask.actions then coalesce(:decision.actions, '[]'::jsonb) else d.actions end
    from target
    where d.tenant_id = :tenant and d.id = target.id and target.ok
    returning d.*
)
--@answer reviews.decision new
select
--@include decision.columns
from new d

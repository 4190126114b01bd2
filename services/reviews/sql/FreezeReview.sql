--@request isms.reviews.v1.Review
--@response isms.reviews.v1.Review
-- The end of OpenReview: both snapshots are there.
with target as materialized (
    select r.id,
           case when r.id is null then core.fail('NOT_FOUND')
                when r.state <> 'PREPARING' then core.fail('WRONG_STATE', 'state=' || r.state || E'\nallowed=PREPARING')
                when :input_snapshot_sha256 = '' then core.fail('CONFLICT') -- it was not PREPARING when we looked
                else true end as ok
    from (select 1) one left join reviews.review r on r.tenant_id = :tenant and r.id = :id
),
r as (
    update reviews.review r
    set state = 'IN_SESSION',
        open_time = :now,
        opening_id = :opening_id,
        programme_revision = (select p.revision from reviews.programme p
                              where p.tenant_id = :tenant and p.id = r.programme_id),
        input_snapshot_sha256 = :input_snapshot_sha256,
        action_snapshot_sha256 = :action_snapshot_sha256,
        previous_actions = coalesce(:previous_actions, '[]'::jsonb)
    from target
    where r.tenant_id = :tenant and r.id = target.id and target.ok
    returning r.*
)
select
--@include review.columns
from r

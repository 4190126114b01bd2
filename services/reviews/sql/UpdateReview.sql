with target as materialized (
    select r.id,
           case when r.id is null then core.fail('NOT_FOUND')
                when :review.etag <> '' and r.revision::text <> :review.etag then core.fail('ETAG_MISMATCH')
                when r.state not in ('PLANNED', 'PREPARING')
                    then core.fail('WRONG_STATE', 'state=' || r.state || E'\nallowed=PLANNED,PREPARING')
                when :mask.chair_id
                     and not exists (select from core.member m
                                     where m.tenant_id = :tenant and m.id = :review.chair_id and m.state = 'ACTIVE'
                                       and 'TOP_MANAGEMENT' = any (m.roles))
                    then core.fail('REFERENCE_INVALID', E'field=review.chair_id\nrole=TOP_MANAGEMENT')
                else true end as ok
    from (select 1) one left join reviews.review r on r.tenant_id = :tenant and r.id = :id
),
new as (
    update reviews.review r
    set title = case when :mask.title then :review.title else r.title end,
        planned_date = case when :mask.planned_date then :review.planned_date else r.planned_date end,
        location = case when :mask.location then :review.location else r.location end,
        chair_id = case when :mask.chair_id then :review.chair_id else r.chair_id end,
        next_review_date = case when :mask.next_review_date then :review.next_review_date else r.next_review_date end
    from target
    where r.tenant_id = :tenant and r.id = target.id and target.ok
    returning r.*
)
--@answer reviews.review new
select
--@include review.columns
from new r

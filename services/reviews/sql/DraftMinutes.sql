with
--@include review.meeting
,
new as (
    update reviews.review r
    set state = 'MINUTES_DRAFTED',
        minutes = :minutes,
        next_review_date = coalesce(:next_review_date::date, r.next_review_date)
    from target
    where r.tenant_id = :tenant and r.id = target.id and target.ok
    returning r.*
)
--@answer reviews.review new
select
--@include review.columns
from new r

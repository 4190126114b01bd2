with target as materialized (
    select case when not exists (select from reviews.programme p
                                 where p.tenant_id = :tenant and p.id = :review.programme_id)
                    then core.fail('REFERENCE_INVALID', 'field=review.programme_id')
                when not exists (select from core.member m
                                 where m.tenant_id = :tenant and m.id = :review.chair_id and m.state = 'ACTIVE'
                                   and 'TOP_MANAGEMENT' = any (m.roles))
                    then core.fail('REFERENCE_INVALID', E'field=review.chair_id\nrole=TOP_MANAGEMENT')
                when :review.period.start_date::date > :review.period.end_date::date
                     or :review.period.end_date::date - interval '20 years' -- the longest that trends take
                        >= :review.period.start_date::date
                    then core.fail('FIELD_INVALID', 'field=review.period')
                else true end as ok
),
new as (
    insert into reviews.review (tenant_id, id, number, title, programme_id, period_start, period_end, planned_date,
                                location, chair_id, next_review_date, agenda)
    select :tenant, :new_id,
           core.next_number(:tenant, 'MR-' || to_char(:review.planned_date::date, 'YYYY'), 2),
           :review.title, :review.programme_id, :review.period.start_date, :review.period.end_date,
           :review.planned_date, :review.location, :review.chair_id, :review.next_review_date,
           (select jsonb_agg(jsonb_build_object('key', a.key, 'clause', a.clause, 'title', a.title,
                                                'required', a.required) order by a.position)
            from
--@include agenda.standard
            a (position, key, clause, title, required))
    from target
    where target.ok
    returning *
)
--@answer reviews.review new
select
--@include review.columns
from new r

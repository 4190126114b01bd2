--@request isms.actions.v1.CreateActionSnapshotRequest
--@response isms.actions.v1.ActionSnapshot
-- What a review has to look back on, as it is now: of all other reviews' actions those with something left to
-- do, and those that ended since the period began. Days are the organisation's. With an id where this attempt
-- to open the review has its snapshot already.
with moment as materialized (
    select now() as as_of, o.time_zone, (now() at time zone o.time_zone)::date as today,
           (:period.start_date)::date::timestamp at time zone o.time_zone as period_start,
           (select s.value from core.sequence s where s.tenant_id = :tenant) as sequence
    from core.organisation o
    where o.tenant_id = :tenant
),
frozen as (
    select a.number,
           jsonb_build_object(
               'action', jsonb_build_object(
                   'id', a.id, 'number', a.number, 'state', a.state, 'due_date', a.due_date,
                   'revision', a.revision, 'reschedule_count', a.reschedule_count,
                   'reopen_count', a.reopen_count),
               'days_overdue', case when a.state in ('DONE', 'VERIFIED_EFFECTIVE', 'CANCELLED') then 0
                                    else greatest(m.today - a.due_date, 0) end,
               'age_days', coalesce((a.finish_time at time zone m.time_zone)::date, m.today)
                           - (a.create_time at time zone m.time_zone)::date,
               'content_sha256', encode(c.content_sha256, 'hex')) as item
    from moment m
    join actions.action a on a.tenant_id = :tenant and a.review_id <> :review_id
                         and (a.finish_time is null or a.finish_time >= m.period_start)
    left join core.change c on c.tenant_id = :tenant and c.table_name = 'actions.action'
                           and c.row_id = a.id and c.revision = a.revision
)
select (select s.id from actions.snapshot s
        where s.tenant_id = :tenant and s.review_id = :review_id and s.opening_id = :opening_id) as id,
       1 as version, (:review_id)::uuid as review_id, (:opening_id)::uuid as opening_id,
       (:period.start_date)::date as "period.start_date", (:period.end_date)::date as "period.end_date",
       m.as_of, m.sequence,
       (select count(*)::integer from frozen) as item_count,
       (select coalesce(jsonb_agg(f.item order by f.number), '[]') from frozen f) as actions
from moment m

-- The actions as they were: from the change log, at the frozen revisions, and only while the log still holds
-- what was frozen.
select s.id, s.review_id, s.opening_id, s.version, s.start_date as "period.start_date",
       s.end_date as "period.end_date", s.as_of, s.frozen_sequence as sequence, s.item_count, s.content, s.sha256,
       (select jsonb_agg(
                   case when encode(sha256(convert_to(c.content, 'UTF8')), 'hex') = i.content_sha256
                             or core.fail('DATA_CORRUPT', 'number=' || i.number)
                        then jsonb_build_object(
                                 'action', c.content::jsonb - '{tenant_id,finish_time}'::text[]
                                           || jsonb_build_object('etag', i.revision::text),
                                 'days_overdue', i.days_overdue, 'age_days', i.age_days,
                                 'content_sha256', i.content_sha256) end
                   order by i.number)
        from actions.snapshot_item i
        left join core.change c on c.tenant_id = :tenant and c.table_name = 'actions.action'
                               and c.row_id = i.action_id and c.revision = i.revision
        where i.tenant_id = :tenant and i.snapshot_id = s.id) as actions
from actions.snapshot s
where s.tenant_id = :tenant and s.review_id = :review_id
  and ((:opening_id)::uuid is null or s.opening_id = (:opening_id)::uuid)
order by s.sequence desc
limit 1

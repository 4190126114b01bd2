select
--@include snapshot.head
     , (select coalesce(jsonb_object_agg(k.kind, k.count), '{}')
        from (select t.kind, count(*) from inputs.snapshot_item t
              where t.tenant_id = :tenant and t.snapshot_id = s.id group by t.kind) k) as counts,
       c.content -> 'trends' as trends, c.content -> 'risk_scheme' as risk_scheme,
       s.content
from (
    select n.*
    from inputs.snapshot n
    where n.tenant_id = :tenant and n.review_id = :review_id
      and ((:opening_id)::uuid is null or n.opening_id = (:opening_id)::uuid)
    order by n.sequence desc
    limit 1
) s
cross join lateral (select inputs.json_of(s.content) as content offset 0) c -- read once, not for each use
where c.content is not null or core.fail('DATA_CORRUPT', 'review_id=' || s.review_id)

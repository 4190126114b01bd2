select s.id, s.review_id, s.opening_id, s.start_date as "period.start_date", s.end_date as "period.end_date",
       s.as_of, s.at_sequence as sequence, s.item_count,
       (select coalesce(jsonb_object_agg(k.kind, k.count), '{}')
        from (select t.kind, count(*) from inputs.snapshot_item t
              where t.tenant_id = :tenant and t.snapshot_id = s.id group by t.kind) k) as counts,
       coalesce(c.content -> 'trends', '[]') as trends, c.content -> 'nonconformities' as nonconformities,
       s.content, s.sha256
from (
    select n.*
    from inputs.snapshot n
    where n.tenant_id = :tenant and n.review_id = :review_id
      and ((:opening_id)::uuid is null or n.opening_id = (:opening_id)::uuid)
    order by n.sequence desc
    limit 1
) s
cross join lateral (select convert_from(s.content, 'UTF8')::jsonb as content) c

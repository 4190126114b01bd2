select s.id, s.review_id, s.start_date as "period.start_date", s.end_date as "period.end_date", s.as_of,
       s.at_sequence as sequence, s.item_count,
       (select coalesce(jsonb_object_agg(k.kind, k.count), '{}')
        from (select t.kind, count(*) from inputs.snapshot_item t
              where t.tenant_id = :tenant and t.snapshot_id = s.id group by t.kind) k) as counts,
       coalesce(c.content -> 'trends', '[]') as trends, c.content -> 'nonconformities' as nonconformities,
       s.content, s.sha256
from inputs.snapshot s
cross join lateral (select convert_from(s.content, 'UTF8')::jsonb as content) c
where s.tenant_id = :tenant and s.review_id = :review_id

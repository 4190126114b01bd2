-- Ranked by how often and where the words stand; of equals, the newer first. (The query is made once, not for each
-- row.)
with q as materialized (select inputs.text_query(:query) as query)
select
--@include input.columns
--@order "relevance"
    , ts_rank(t.words, q.query)::text as "page.1", i.id::text as "page.2"
--@order "update_time desc"
    , i.update_time::text as "page.1", i.id::text as "page.2"
--@end
from q
join inputs.input_text t on t.tenant_id = :tenant and t.words @@ q.query
join inputs.input i on i.tenant_id = :tenant and i.id = t.input_id
where true
--@include input.filter
--@order "relevance"
  and ((:page.1)::real is null or (ts_rank(t.words, q.query), i.id) < ((:page.1)::real, (:page.2)::uuid))
order by ts_rank(t.words, q.query) desc, i.id desc
--@order "update_time desc"
  and ((:page.1)::timestamptz is null or (i.update_time, i.id) < ((:page.1)::timestamptz, (:page.2)::uuid))
order by i.update_time desc, i.id desc
--@end
limit :page.limit

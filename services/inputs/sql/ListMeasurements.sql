with metric as materialized (
    select i.id, case when i.id is null then core.fail('NOT_FOUND') else true end as ok
    from (select 1) one
    left join inputs.input i on i.tenant_id = :tenant and i.id = :metric_id and i.kind = 'METRIC'
)
select
--@include measurement.columns
    , (select c.id from inputs.measurement c
       where c.tenant_id = :tenant and c.corrects_id = m.id) as corrected_by_id,
    m.observed_time::text as "page.1", m.id::text as "page.2"
from metric k join inputs.measurement m on m.tenant_id = :tenant and m.metric_id = k.id
where k.ok
--@if page_token
  and (m.observed_time, m.id) < ((:page.1)::timestamptz, (:page.2)::uuid)
--@end
order by m.observed_time desc, m.id desc
limit :page.limit

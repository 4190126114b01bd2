with metric as materialized (
    select i.id, case when i.id is null then core.fail('NOT_FOUND') else true end as ok
    from (select 1) one
    left join (
        select m.id from inputs.input m where m.tenant_id = :tenant and m.id = :metric_id and m.kind = 'METRIC'
        union
        -- Of an auditor, who does not see the metric itself.
        select t.row_id from inputs.snapshot_item t
        where t.tenant_id = :tenant and t.row_id = :metric_id and t.kind = 'METRIC'
    ) i on true
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

with asked as materialized (
    select inputs.item_of(c) as item, c.state, c.nothing_reason, inputs.is_late(c) as late,
           inputs.recorded(c) as recorded
    from inputs.contribution c
    where c.tenant_id = :tenant and c.state <> 'WITHDRAWN'
      and case when :review_id::uuid is null then true else c.review_id = :review_id::uuid end
)
select a.item as agenda_item, count(*)::integer as assigned,
       (count(*) filter (where a.state = 'DELIVERED'))::integer as delivered,
       (count(*) filter (where a.state = 'DELIVERED' and a.nothing_reason <> ''))::integer as nothing_to_report,
       (count(*) filter (where a.state = 'REQUESTED'))::integer as open,
       (count(*) filter (where a.late))::integer as late,
       sum(a.recorded)::integer as recorded
from asked a
group by a.item
order by (select min(inputs.kind_rank(k.kind)) from inputs.kinds() k where k.item = a.item), a.item

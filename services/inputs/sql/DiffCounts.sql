--@request isms.inputs.v1.DiffQuery
--@response isms.inputs.v1.DiffCounts
with
--@include diff.ends
--@include diff.items
select i.kind, k.item as agenda_item,
       count(*) filter (where i.change = 'ADDED')::integer as added,
       count(*) filter (where i.change = 'CHANGED')::integer as changed,
       count(*) filter (where i.change = 'CLOSED')::integer as closed,
       count(*) filter (where i.change = 'REMOVED')::integer as removed,
       count(*) filter (where i.change = 'LEFT_OUT')::integer as left_out,
       count(*) filter (where i.change = '')::integer as unchanged
from items i
join inputs.kinds() k on k.kind = i.kind
group by i.kind, k.item
order by inputs.kind_rank(i.kind)

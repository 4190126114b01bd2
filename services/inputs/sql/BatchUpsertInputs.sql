--@include upsert.plan
,
--@include upsert.apply
, new as (select * from created union all select * from changed)
--@answer inputs.input new
select
--@include input.columns
from new i
order by i.number

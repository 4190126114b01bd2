--@include measurements.plan
,
--@include measurements.apply
--@answer inputs.measurement new
select
--@include measurement.columns
from new m
order by m.observed_time, m.id

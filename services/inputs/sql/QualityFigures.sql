--@request isms.inputs.v1.QualityQuestion
--@response isms.inputs.v1.GetQualityFiguresResponse
with
--@include quality.found
, counted as (
    select f.item,
           count(*) filter (where f.severity = 3)::integer as blocking,
           count(*) filter (where f.severity = 2)::integer as warnings,
           count(*) filter (where f.severity = 1)::integer as hints,
           count(distinct f.id) filter (where f.severity > 1)::integer as unsound,
           coalesce(bool_or(f.severity = 3 and f.id is null), false) as empty
    from listed f
    group by f.item
)
select a.item as agenda_item, a.required, a.inputs, a.recorded, coalesce(c.blocking, 0) as blocking,
       coalesce(c.warnings, 0) as warnings, coalesce(c.hints, 0) as hints,
       a.inputs - coalesce(c.unsound, 0) as sound,
       case when c.empty or a.inputs = 0 then 0
            else (a.inputs - coalesce(c.unsound, 0)) * 100 / a.inputs end as sound_percent
from agenda a
left join counted c on c.item = a.item
order by a.place

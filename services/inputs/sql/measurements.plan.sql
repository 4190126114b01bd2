with given as (
    select e.ordinal, e.metric_id, e.observed_time, coalesce(e.value, 0) as value, coalesce(e.note, '') as note,
           coalesce(e.external_id, '') as external_id, e.corrects_id, e.recorded_time,
           row_number() over same as occurrence, first_value(coalesce(e.value, 0)) over same as first_value
    from rows from (jsonb_to_recordset(:measurements) as (
             metric_id uuid, observed_time timestamptz, value double precision, note text, external_id text,
             corrects_id uuid, recorded_time timestamptz)) with ordinality
         e (metric_id, observed_time, value, note, external_id, corrects_id, recorded_time, ordinal)
    window same as (partition by e.metric_id, e.corrects_id,
                    case when e.corrects_id is null then e.observed_time end,
                    case when e.corrects_id is null then coalesce(e.external_id, '') end order by e.ordinal)
),
-- `there`: the point, or the correction of the same value, as it is recorded already.
planned as materialized (
    select g.metric_id, g.observed_time, g.value, g.note, g.external_id, g.corrects_id, g.ordinal,
           inputs.row_id(:new_id, concat_ws(E'\n', g.metric_id, g.observed_time, g.corrects_id,
                                            g.external_id)) as id,
           coalesce(corrected.recorded_time, g.recorded_time, :now) as recorded_time,
           g.occurrence > 1 or there.value is not null as present, case
               when metric.id is null then 'metric_id'
               when g.corrects_id is not null and corrected.metric_id is distinct from g.metric_id
                   then 'corrects_id'
               when g.recorded_time > :now or g.recorded_time is not null and g.corrects_id is not null
                   then 'recorded_time'
               when g.value <> coalesce(there.value, g.first_value) then 'value'
               else '' end as fault
    from given g
    left join inputs.input metric
         on metric.tenant_id = :tenant and metric.id = g.metric_id and metric.kind = 'METRIC'
            and metric.delete_time is null
    left join inputs.measurement corrected
         on corrected.tenant_id = :tenant and corrected.id = g.corrects_id
    left join lateral (
        select m.value from inputs.measurement m
        where m.tenant_id = :tenant and g.corrects_id is null and m.corrects_id is null
          and m.metric_id = g.metric_id and m.observed_time = g.observed_time and m.external_id = g.external_id
        union all
        select m.value from inputs.measurement m
        where m.tenant_id = :tenant and m.corrects_id = g.corrects_id
    ) there on true
)

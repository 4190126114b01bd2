checked as materialized (
    select p.*, case
               when p.fault = 'value' then
                   core.fail('ALREADY_EXISTS', format('field=measurements[%s].value', p.ordinal - 1))
               when p.fault = 'recorded_time' then
                   core.fail('FIELD_INVALID', format(E'field=measurements[%s].recorded_time\ndescription=%s',
                                                     p.ordinal - 1, case
                       when p.corrects_id is null then 'is in the future'
                       else 'is that of the corrected measurement: leave it out' end))
               when p.fault <> '' then
                   core.fail('REFERENCE_INVALID', format('field=measurements[%s].%s', p.ordinal - 1, p.fault))
               else not p.present end as adds
    from planned p
),
new as (
    insert into inputs.measurement (tenant_id, id, metric_id, observed_time, value, note, external_id, corrects_id,
                                    recorded_time)
    select :tenant, c.id, c.metric_id, c.observed_time, c.value, c.note, c.external_id, c.corrects_id,
           c.recorded_time
    from checked c where c.adds order by c.ordinal
    returning *
)

-- What becomes of each measurement that measurements.plan has planned.
judged as materialized (
    select p.*, case when p.fault <> '' then 'FAILED' when p.present then 'UNCHANGED' else 'CREATED' end as outcome,
           case p.fault when '' then ''
               when 'value' then 'another value is recorded for this time; to correct it, name it in corrects_id'
               when 'recorded_time' then case when p.corrects_id is null then 'is in the future'
                                              else 'is that of the corrected measurement: leave it out' end
               else 'refers to something that does not exist' end as message
    from planned p
),
-- The same in the order of the rows, which follow each other: so they are noted by their range and without a join,
-- which the planner cannot get wrong.
told as materialized (
    select array_agg(j.outcome order by j.ordinal) as outcomes, array_agg(j.fault order by j.ordinal) as fields,
           array_agg(j.message order by j.ordinal) as messages
    from judged j
)

-- What becomes of each input that upsert.plan has planned: `outcome`, and of those that fail, why.
judged as materialized (
    select p.ordinal, p.old, p.w, case
               when p.fault <> '' or p.wrong is not null then 'FAILED'
               when (p.old).id is null then 'CREATED'
               when p.w is distinct from p.old then 'UPDATED'
               else 'UNCHANGED' end as outcome,
           coalesce((p.wrong).field, case p.fault when 'detail' then 'external_id' else p.fault end) as field, case
               when p.wrong is not null then (p.wrong).message
               when p.fault = 'detail' then 'belongs to ' || (p.old).number || ', which is of another kind'
               when p.fault <> '' then 'is empty, or there twice'
               else '' end as message
    from planned p
),
-- The same in the order of the rows, which follow each other: so they are noted by their range and without a join,
-- which the planner cannot get wrong.
told as materialized (
    select array_agg(j.outcome order by j.ordinal) as outcomes, array_agg(j.field order by j.ordinal) as fields,
           array_agg(j.message order by j.ordinal) as messages,
           array_agg(case when j.outcome = 'UPDATED' then inputs.differences(j.old, j.w) else '[]' end
                     order by j.ordinal) as differences
    from judged j
)

--@request isms.inputs.v1.TakeImportRowsRequest
--@response isms.inputs.v1.ImportBatch
-- The next rows of one level; as many as are no burden for one statement, but at least one. A row without content has
-- been stored: by another replica, which goes on with this import.
with next as (
    select r.* from inputs.import_row r
    where r.tenant_id = :tenant and r.import_id = :import_id and r.ordinal > :after and (select inputs.plan_anew())
    order by r.ordinal limit 500
),
counted as (
    select n.*, sum(n.size) over so_far as through, row_number() over so_far as n,
           first_value(n.level) over so_far as first_level
    from next n window so_far as (order by n.ordinal)
),
batch as (
    select c.ordinal, inputs.with_references(c.content, c.refers) as item, c.content ? 'metric_id' as is_measurement
    from counted c
    where c.level = c.first_level and (c.through <= 2097152 or c.n = 1)
      and case when c.content is null then core.fail('WRONG_STATE', 'state=RUNNING') else true end
)
select (:import_id)::uuid as import_id, array_agg(b.ordinal order by b.ordinal) as ordinals,
       jsonb_agg(b.item order by b.ordinal) filter (where not b.is_measurement) as inputs,
       jsonb_agg(b.item order by b.ordinal) filter (where b.is_measurement) as measurements,
       (select p.update_paths from inputs.import_progress p
        where p.tenant_id = :tenant and p.import_id = :import_id) as update_paths, :after as position
from batch b

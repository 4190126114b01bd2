later as materialized (
    select n.* from inputs.snapshot n where n.tenant_id = :tenant and n.id = (:later_snapshot_id)::uuid
),
earlier as materialized (
    select n.*
    from inputs.snapshot n
    where n.tenant_id = :tenant
--@if earlier_snapshot_id
      and n.id = :earlier_snapshot_id
--@else
      and n.sequence < coalesce((select l.sequence from later l), 9223372036854775807)
      and n.review_id is distinct from (select l.review_id from later l)
    order by n.sequence desc
    limit 1
--@end
),
ends as materialized (
    select e.id as earlier_id, l.id as later_id, coalesce(l.start_date, e.start_date) as start_date,
           coalesce(l.at_sequence, 9223372036854775807) as at_sequence,
           case when e.id is null or l.id is null and (:later_snapshot_id)::uuid is not null
                then core.fail('NOT_FOUND')
                when (:later_snapshot_id)::uuid is null and core.scope() <> 'all'
                then core.fail('FIELD_INVALID', E'field=later_snapshot_id\ndescription='
                                                'name a snapshot: you see what was frozen, not what is there now')
                when l.sequence <= e.sequence
                then core.fail('FIELD_INVALID', E'field=earlier_snapshot_id\ndescription='
                                                'is not older than the later snapshot')
                else true end as ok
    from (select 1) one
    left join earlier e on true
    left join later l on true
)

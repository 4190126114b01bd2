,
before as materialized (
    select t.row_id, t.kind, t.number, t.revision, t.content_sha256, t.state
    from inputs.snapshot_item t
    where t.tenant_id = :tenant and t.snapshot_id = (select e.earlier_id from ends e where e.ok)
),
after as materialized (
--@if later_snapshot_id
    select t.row_id, t.kind, t.number, t.revision, t.content_sha256, t.state
    from inputs.snapshot_item t
    where t.tenant_id = :tenant and t.snapshot_id = (select e.later_id from ends e where e.ok)
--@else
    select i.id as row_id, i.kind, i.number, i.revision, null as content_sha256, i.state
    from inputs.input i
    where i.tenant_id = :tenant and i.delete_time is null
      and (i.closed_date is null or i.closed_date >= (select e.start_date from ends e where e.ok))
--@end
),
-- `change` is '' of what is the same in both. What is in the earlier one only was deleted, or closed before the
-- later one's period: the change log tells which.
items as (
    select coalesce(b.row_id, a.row_id) as row_id, coalesce(b.kind, a.kind) as kind,
           coalesce(b.number, a.number) as number, b.revision as earlier_revision, a.revision as later_revision,
           b.content_sha256 as earlier_sha256, a.content_sha256 as later_sha256,
           case when b.row_id is null then 'ADDED'
                when a.revision = b.revision then ''
                when a.state = 'CLOSED' and b.state <> 'CLOSED' then 'CLOSED'
                when a.row_id is not null then 'CHANGED'
                when l.deleted then 'REMOVED'
                when b.state = 'CLOSED' then 'LEFT_OUT'
                else 'CLOSED' end as change
    from before b
    full join after a on a.row_id = b.row_id
    left join lateral (
        select c.content::jsonb ->> 'delete_time' is not null as deleted
        from core.change c
        where c.tenant_id = :tenant and c.table_name = 'inputs.input' and c.row_id = b.row_id and a.row_id is null
          and c.sequence <= (select e.at_sequence from ends e)
        order by c.revision desc
        limit 1
    ) l on true
)

--@request isms.inputs.v1.CreateSnapshotRequest
--@response isms.inputs.v1.FrozenInputs
-- What the review is to consider: all inputs but those deleted, or closed before the period; and the interested
-- parties.
select s.tenant_id as tenant, s.value as sequence, coalesce(f.items, '[]') as items,
       coalesce(f.states, '{}') as states, coalesce(p.parties, '[]') as parties
from core.sequence s
cross join (
    select jsonb_agg(jsonb_build_object('kind', i.kind, 'id', i.id, 'number', i.number, 'revision', i.revision,
                                        'content_sha256', encode(c.content_sha256, 'hex'))
                     order by inputs.kind_rank(i.kind), i.number) as items,
           array_agg(i.state order by inputs.kind_rank(i.kind), i.number) as states,
           case when count(*) <> count(c.content_sha256) then core.fail('FREEZE_INCOMPLETE') else true end as ok
    from inputs.input i
    left join lateral (
        select h.content_sha256
        from core.change h
        where h.tenant_id = :tenant and h.table_name = 'inputs.input' and h.row_id = i.id
          and h.revision = i.revision
        limit 1
    ) c on true
    where i.tenant_id = :tenant and i.delete_time is null
      and (i.closed_date is null or i.closed_date >= (:period.start_date)::date)
) f
cross join (
    select jsonb_agg(jsonb_build_object('kind', 'PARTY', 'id', i.id, 'number', i.number, 'revision', i.revision,
                                        'content_sha256', encode(c.content_sha256, 'hex'))
                     order by i.number) as parties,
           case when count(*) <> count(c.content_sha256) then core.fail('FREEZE_INCOMPLETE') else true end as ok
    from inputs.party i
    left join lateral (
        select h.content_sha256
        from core.change h
        where h.tenant_id = :tenant and h.table_name = 'inputs.party' and h.row_id = i.id
          and h.revision = i.revision
        limit 1
    ) c on true
    where i.tenant_id = :tenant and i.delete_time is null
) p
where s.tenant_id = :tenant and f.ok and p.ok

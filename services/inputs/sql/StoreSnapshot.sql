--@request isms.inputs.v1.StoreSnapshotRequest
--@response isms.inputs.v1.Snapshot
with target as materialized (
    select case when exists (select from inputs.snapshot s
                             where s.tenant_id = :tenant and s.review_id = (:snapshot.review_id)::uuid
                               and s.opening_id = (:snapshot.opening_id)::uuid)
                then core.fail('CONFLICT') else true end as ok
),
new as (
    insert into inputs.snapshot (tenant_id, id, review_id, opening_id, start_date, end_date, as_of, at_sequence,
                                 item_count, content, sha256)
    select :tenant, (:snapshot.id)::uuid, (:snapshot.review_id)::uuid, (:snapshot.opening_id)::uuid,
           (:snapshot.period.start_date)::date, (:snapshot.period.end_date)::date, :snapshot.as_of,
           :snapshot.sequence, :snapshot.item_count, :snapshot.content, :snapshot.sha256
    from target t where t.ok
    returning *
),
frozen as (
    insert into inputs.snapshot_item (tenant_id, snapshot_id, position, kind, row_id, number, revision,
                                      content_sha256, state)
    select :tenant, n.id, e.position, e.kind, e.id, e.number, e.revision, e.content_sha256,
           ((:states)::text[])[e.position]
    from new n
    cross join rows from (jsonb_to_recordset(:items) as (
        kind text, id uuid, number text, revision bigint, content_sha256 text)) with ordinality
        e (kind, id, number, revision, content_sha256, position)
)
select n.id, n.review_id from new n

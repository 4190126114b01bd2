--@request isms.inputs.v1.StoreSnapshotRequest
--@response isms.inputs.v1.Snapshot
-- Evidence files that were given up since the inputs were read: nothing kept them then, and what is frozen now may name
-- them. (Both bounds, so that the planner reads these few changes by the log's key.)
with given_up as materialized (
    select d.row_id as id from core.change d
    where d.tenant_id = :tenant and d.sequence > :snapshot.sequence and d.sequence <= core.sequence()
      and d.table_name = 'inputs.evidence_file' and d.content::jsonb ->> 'state' = 'DELETED'
),
target as materialized (
    select case when exists (select from inputs.snapshot s
                             where s.tenant_id = :tenant and s.review_id = (:snapshot.review_id)::uuid
                               and s.opening_id = (:snapshot.opening_id)::uuid)
                     or exists (select from given_up g
                                join inputs.evidence_use u on u.tenant_id = :tenant and u.file_id = g.id
                                join jsonb_to_recordset(:items) e (id uuid, revision bigint) on e.id = u.input_id
                                join core.change c on c.tenant_id = :tenant and c.table_name = 'inputs.input'
                                                  and c.row_id = e.id and c.revision = e.revision
                                where c.content::jsonb -> 'evidence'
                                      @> jsonb_build_array(jsonb_build_object('file_id', g.id)))
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

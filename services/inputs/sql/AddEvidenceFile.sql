--@request isms.inputs.v1.AddEvidenceFileRequest
--@response isms.inputs.v1.EvidenceFile
-- The organisation's writers are in order: no two take the same room.
with target as materialized (
    select case
               when (:file.size)::bigint > (:size_max)::bigint then
                   core.fail('LIMIT_REACHED', 'limit=' || (:size_max)::bigint || ' bytes a file')
               when inputs.evidence_total(:tenant) + (:file.size)::bigint > (:total_max)::bigint then
                   core.fail('LIMIT_REACHED', 'limit=' || (:total_max)::bigint || E' bytes of all files\nused_bytes='
                             || inputs.evidence_total(:tenant))
               else true end as ok
),
new as (
    insert into inputs.evidence_file (tenant_id, id, name, media_type, size, sha256, expire_date, note, storage,
                                      creator_id)
    select :tenant, :new_id, :file.name, :file.media_type, :file.size, :file.sha256, :file.expire_date, :file.note,
           :storage, :actor
    from target t where t.ok
    returning *
)
select
--@include evidence.columns
from new f

--@request isms.inputs.v1.AddEvidenceChunkRequest
--@response isms.inputs.v1.EvidenceFile
with new as (
    insert into inputs.evidence_chunk (tenant_id, file_id, start, length) values (:tenant, :id, :offset, :length)
    returning file_id, start, length
)
select f.id, f.name, f.media_type, f.size, f.sha256, f.expire_date, f.note, f.state,
       n.start + n.length as received_bytes, f.creator_id, f.revision, f.create_time, f.update_time
from new n join inputs.evidence_file f on f.tenant_id = :tenant and f.id = n.file_id

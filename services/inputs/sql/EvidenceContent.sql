--@request isms.inputs.v1.EvidenceContentRequest
--@response isms.inputs.v1.EvidenceContent
select f.storage, f.state, f.size, f.sha256,
       coalesce((select c.start + c.length from inputs.evidence_chunk c
                 where c.tenant_id = :tenant and c.file_id = f.id
                 order by c.start desc limit 1), 0) as received_bytes,
       substr(f.block_sha256, (:first * 32 + 1)::integer, (:count * 32)::integer) as block_sha256
from inputs.evidence_file f
where f.tenant_id = :tenant and f.id = :id

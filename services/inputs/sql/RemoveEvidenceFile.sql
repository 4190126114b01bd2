--@request isms.inputs.v1.RemoveEvidenceRequest
--@response isms.inputs.v1.EvidenceContent
-- Nothing, where it was finished meanwhile, or another replica was first.
with new as (
    update inputs.evidence_file f set state = 'REMOVED'
    where f.tenant_id = :tenant and f.id = :id
      and (f.state = 'UPLOADING' and f.create_time < :before or f.state = 'DELETED' and f.update_time < :before)
    returning f.*
)
select f.storage, f.state, f.size from new f

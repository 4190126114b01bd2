--@request isms.inputs.v1.ListEvidenceLeftoversRequest
--@response isms.inputs.v1.ListEvidenceLeftoversResponse
-- Across organisations: run by the job, as the role that the policy `jobs` names; no tenant_id = :tenant here.
select f.tenant_id, f.id
from inputs.evidence_file f
where (f.state = 'UPLOADING' and f.create_time < :before or f.state = 'DELETED' and f.update_time < :before)
  and (f.tenant_id, f.id) > ((:after_tenant_id)::uuid, (:after_id)::uuid)
order by f.tenant_id, f.id
limit 100

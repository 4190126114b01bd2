select
--@include evidence.columns
from inputs.evidence_file f
where f.tenant_id = :tenant and f.id = :id

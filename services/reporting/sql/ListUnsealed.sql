--@request isms.reporting.v1.ListUnsealedRequest
--@response isms.reporting.v1.ListUnsealedResponse
-- Across organisations: run by the job, as the role that the policies `jobs` name; no tenant_id = :tenant here.
select q.tenant_id, q.value as sequence, l.sealed as sealed_sequence
from core.sequence q
cross join lateral (
    select coalesce(max(s.last_sequence), 0) as sealed from core.seal s where s.tenant_id = q.tenant_id
) l
where q.value > l.sealed and (:after_tenant_id::uuid is null or q.tenant_id > (:after_tenant_id)::uuid)
order by q.tenant_id
limit :count

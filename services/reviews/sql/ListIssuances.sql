--@request isms.reviews.v1.ListIssuancesRequest
--@response isms.reviews.v1.ListIssuancesResponse
-- Across organisations: run by the job, as the role that the policy `jobs` names; no tenant_id = :tenant here.
select i.tenant_id, i.id as review_id
from reviews.issuance i
where i.state = 'PENDING'
  and (i.tenant_id, i.id) > ((:after_tenant_id)::uuid, (:after_review_id)::uuid)
order by i.tenant_id, i.id
limit 100

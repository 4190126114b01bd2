--@request isms.inputs.v1.ListRunningImportsRequest
--@response isms.inputs.v1.ListRunningImportsResponse
-- Across organisations: run by the job, as the role that the policy `jobs` names; no tenant_id = :tenant here. One of
-- each, so that who has many to run keeps the others from none of theirs; but for those that failed and have to wait.
select distinct on (i.tenant_id) i.tenant_id, i.id as import_id, i.actor_id
from inputs.import i
where i.state = 'RUNNING' and i.tenant_id > (:after_tenant_id)::uuid
  and i.received_bytes > :above_bytes and i.received_bytes <= :through_bytes
  and not exists (select from inputs.import_progress p
                  where p.tenant_id = i.tenant_id and p.import_id = i.id and p.retry_time > :now)
order by i.tenant_id, i.run_time, i.id
limit 100

--@request isms.reviews.v1.Organisation
--@response isms.reviews.v1.Organisation
-- Suspends or resumes, by the platform: the rest of the row is not its business.
with target as materialized (
    select case when not exists (select from core.organisation o
                                 where o.tenant_id = :tenant and o.tenant_id = '00000000-0000-0000-0000-000000000000')
                    then core.fail('PERMISSION_DENIED')
                else true end as ok
)
select moved.tenant_id as id, moved.name, moved.state
from target, lateral reviews.change_organisation((:id)::uuid, :state) moved
where target.ok

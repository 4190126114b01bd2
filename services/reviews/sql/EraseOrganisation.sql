-- Ends an organisation, by the platform.
with target as materialized (
    select case when not exists (select from core.organisation o
                                 where o.tenant_id = :tenant and o.tenant_id = '00000000-0000-0000-0000-000000000000')
                    then core.fail('PERMISSION_DENIED')
                else true end as ok
)
select erased.id, erased.name, erased.state
from target, lateral core.erase_organisation((:id)::uuid, :name) erased
where target.ok

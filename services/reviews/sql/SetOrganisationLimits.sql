-- Of the handler of that name; by the platform: the rest of the row is not its business.
with target as materialized (
    select case when not exists (select from core.organisation o
                                 where o.tenant_id = :tenant and o.tenant_id = '00000000-0000-0000-0000-000000000000')
                    then core.fail('PERMISSION_DENIED')
                else true end as ok
)
select o.tenant_id as id, o.name, o.state, o.calls_per_second as "limits.calls_per_second",
       o.calls_burst as "limits.calls_burst", o.calls_in_flight as "limits.calls_in_flight"
from target, lateral reviews.change_organisation((:id)::uuid, null, :limits.calls_per_second, :limits.calls_burst,
                                                 :limits.calls_in_flight) o
where target.ok

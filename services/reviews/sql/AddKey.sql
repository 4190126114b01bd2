--@request isms.reviews.v1.StoredKey
--@response isms.reviews.v1.Key
with target as materialized (
    select case when 'PLATFORM_ADMIN' = any ((:key.roles)::text[])
                     and :tenant <> '00000000-0000-0000-0000-000000000000'::uuid
                    then core.fail('FIELD_INVALID', 'field=key.roles')
                when :key.expire_time <= :now::timestamptz then core.fail('FIELD_INVALID', 'field=key.expire_time')
                else true end as ok
),
k as (
    insert into core.key (tenant_id, id, name, roles, secret_sha256, expire_time)
    select :tenant, :id, :key.name, (:key.roles)::text[], :secret_sha256, :key.expire_time
    from target
    where target.ok
    returning *
)
select
--@include key.columns
from k

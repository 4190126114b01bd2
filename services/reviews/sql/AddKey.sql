--@request isms.reviews.v1.StoredKey
--@response isms.reviews.v1.Key
with target as materialized (
    -- The platform's keys that see an organisation's content are made by the database's owner only (isms-migrate
    -- platform-key); no organisation makes keys of the platform's. A form's intake tokens are made by IssueIntakeToken.
    select case when case when :tenant = '00000000-0000-0000-0000-000000000000'::uuid
                          then not (:key.roles)::text[] <@ '{PLATFORM_ADMIN}'
                          else (:key.roles)::text[] && '{PLATFORM_ADMIN,PLATFORM_AGENT,INTAKE}' end
                    then core.fail('FIELD_INVALID', 'field=key.roles')
                when :key.expire_time <= :now::timestamptz then core.fail('FIELD_INVALID', 'field=key.expire_time')
                else true end as ok
),
k as (
    insert into core.key (tenant_id, id, name, roles, permissions, secret_sha256, expire_time)
    select :tenant, :id, :key.name, (:key.roles)::text[], (:key.permissions)::text[], :secret_sha256, :key.expire_time
    from target
    where target.ok
    returning *
)
select
--@include key.columns
from k

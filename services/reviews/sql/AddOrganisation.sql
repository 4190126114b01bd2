--@request isms.reviews.v1.NewOrganisation
--@response isms.reviews.v1.CreateOrganisationResponse
-- By the platform (tenant_id = :tenant is checked by its policy): the rows become those of the new tenant.
with wanted as materialized (
    select (:id)::uuid as id,
           coalesce(nullif(:organisation.time_zone, ''), 'UTC') as time_zone,
           (select array_agg(distinct role order by role)
            from unnest((:administrator.roles)::text[] || '{TENANT_ADMIN}'::text[]) role) as roles,
           case when not exists (select from core.organisation o
                                 where o.tenant_id = :tenant and o.tenant_id = '00000000-0000-0000-0000-000000000000')
                    then core.fail('PERMISSION_DENIED')
                when (:administrator.roles)::text[] && '{PLATFORM_ADMIN,PLATFORM_AGENT,INTAKE}'
                    then core.fail('FIELD_INVALID', 'field=administrator.roles')
                when (:administrator.issuer = '') <> (:administrator.subject = '')
                    then core.fail('FIELD_INVALID', 'field=administrator.subject')
                when cardinality((:administrator.review_ids)::text[]) > 0
                    then core.fail('REFERENCE_INVALID', 'field=administrator.review_ids')
                else true end as ok
),
new as (
    select w.*
    from wanted w, lateral core.add_organisation(
        w.id, :organisation.name, w.time_zone, :organisation.isms_scope,
        (:administrator_id)::uuid, :administrator.name, :administrator.email, :administrator.position, w.roles,
        :administrator.issuer, :administrator.subject,
        (:key.id)::uuid, :key.key.name, (:key.key.roles)::text[], (:key.secret_sha256)::bytea)
    where w.ok
)
select new.id as "organisation.id",
       (:organisation.name)::text as "organisation.name",
       'ACTIVE' as "organisation.state",
       new.time_zone as "organisation.time_zone",
       (:organisation.isms_scope)::text as "organisation.isms_scope",
       1::bigint as "organisation.revision",
       '1' as "organisation.etag",
       core.now() as "organisation.create_time",
       core.now() as "organisation.update_time",
       (:administrator_id)::uuid as "administrator.id",
       (:administrator.name)::text as "administrator.name",
       (:administrator.email)::text as "administrator.email",
       (:administrator.position)::text as "administrator.position",
       new.roles as "administrator.roles",
       'ACTIVE' as "administrator.state",
       (:administrator.issuer)::text as "administrator.issuer",
       (:administrator.subject)::text as "administrator.subject",
       1::bigint as "administrator.revision",
       '1' as "administrator.etag",
       core.now() as "administrator.create_time",
       core.now() as "administrator.update_time"
from new

with wanted as materialized (
    select (:member.roles)::text[] as roles,
           coalesce(nullif(:member.state, ''), 'ACTIVE') as state,
           (:member.issuer)::text as issuer,
           (:member.subject)::text as subject,
           (:member.review_ids)::text[]::uuid[] as review_ids
),
target as materialized (
    select w.*,
           case when false then false
--@include member.checks
                else true end as ok
    from wanted w
),
new as (
    insert into core.member (tenant_id, id, name, email, position, roles, state, issuer, subject, review_ids)
    select :tenant, :new_id, :member.name, :member.email, :member.position, t.roles, t.state, t.issuer, t.subject,
           t.review_ids
    from target t
    where t.ok
    returning *
)
--@answer core.member new
select
--@include member.columns
from new m

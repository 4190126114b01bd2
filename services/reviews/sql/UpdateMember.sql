with wanted as materialized (
    select m.id, m.revision, m.state as old_state, m.roles as old_roles,
           case when :mask.roles then (:member.roles)::text[] else m.roles end as roles,
           case when :mask.state then coalesce(nullif(:member.state, ''), m.state) else m.state end as state,
           case when :mask.issuer then :member.issuer else m.issuer end as issuer,
           case when :mask.subject then :member.subject else m.subject end as subject,
           case when :mask.review_ids then (:member.review_ids)::text[]::uuid[] else m.review_ids end as review_ids
    from (select 1) one left join core.member m on m.tenant_id = :tenant and m.id = :id
),
target as materialized (
    select w.*,
           case when w.id is null then core.fail('NOT_FOUND')
                when :member.etag <> '' and w.revision::text <> :member.etag then core.fail('ETAG_MISMATCH')
                when w.old_state = 'ERASED'
                    then core.fail('WRONG_STATE', E'state=ERASED\nallowed=ACTIVE,SUSPENDED')
--@include member.checks
                -- An organisation keeps somebody who administers it.
                when 'TENANT_ADMIN' = any (w.old_roles) and w.old_state = 'ACTIVE'
                     and ('TENANT_ADMIN' <> all (w.roles) or w.state <> 'ACTIVE')
                     and not exists (select from core.member o
                                     where o.tenant_id = :tenant and o.id <> w.id and o.state = 'ACTIVE'
                                       and 'TENANT_ADMIN' = any (o.roles))
                    then core.fail('IN_USE', 'role=TENANT_ADMIN')
                else true end as ok
    from wanted w
),
new as (
    update core.member m
    set name = case when :mask.name then :member.name else m.name end,
        email = case when :mask.email then :member.email else m.email end,
        position = case when :mask.position then :member.position else m.position end,
        roles = target.roles,
        state = target.state,
        issuer = target.issuer,
        subject = target.subject,
        review_ids = target.review_ids
    from target
    where m.tenant_id = :tenant and m.id = target.id and target.ok
    returning m.*
)
--@answer core.member new
select
--@include member.columns
from new m

-- A review under way needs those who take part in it under the names that its record will be checked against; once it
-- is signed or cancelled they can go. Signed records keep the hash.
with target as materialized (
    select m.id,
           case when m.id is null then core.fail('NOT_FOUND')
                when :etag <> '' and m.revision::text <> :etag then core.fail('ETAG_MISMATCH')
                when m.state = 'ERASED' then core.fail('WRONG_STATE', E'state=ERASED\nallowed=ACTIVE,SUSPENDED')
                -- An organisation keeps somebody who administers it.
                when 'TENANT_ADMIN' = any (m.roles) and m.state = 'ACTIVE'
                     and not exists (select from core.member o
                                     where o.tenant_id = :tenant and o.id <> m.id and o.state = 'ACTIVE'
                                       and 'TENANT_ADMIN' = any (o.roles))
                    then core.fail('IN_USE', 'role=TENANT_ADMIN')
                when r.number is not null then core.fail('IN_USE', 'review=' || r.number)
                else true end as ok
    from (select 1) one
    left join core.member m on m.tenant_id = :tenant and m.id = :id
    left join lateral (
        select r.number from reviews.review r
        where r.tenant_id = :tenant and r.state in ('PREPARING', 'IN_SESSION', 'MINUTES_DRAFTED')
          and (m.id in (r.chair_id, r.preparer_id)
               or r.attendance @> jsonb_build_array(jsonb_build_object('member_id', m.id)))
        order by r.number
        limit 1
    ) r on true
),
new as (
    select e.*
    from target, lateral core.erase_members(:tenant, target.id) e
    where target.ok
)
--@answer core.member new
select
--@include member.columns
from new m

with target as materialized (
    select k.id,
           case when k.id is null then core.fail('NOT_FOUND')
                when k.state <> 'ACTIVE' then core.fail('WRONG_STATE', 'state=' || k.state || E'\nallowed=ACTIVE')
                else true end as ok
    from (select 1) one left join core.key k on k.tenant_id = :tenant and k.id = :id
),
new as (
    update core.key k
    set state = 'REVOKED'
    from target
    where k.tenant_id = :tenant and k.id = target.id and target.ok
    returning k.*
)
--@answer core.key new
select
--@include key.columns
from new k

with target as materialized (
    select f.id, case
               when f.id is null then core.fail('NOT_FOUND')
               when f.state <> 'OPEN' then core.fail('WRONG_STATE', 'state=' || f.state || E'\nallowed=OPEN')
               else true end as ok
    from (select 1) one
    left join inputs.intake_form f on f.tenant_id = :tenant and f.id = :id
),
revoked as materialized (
    select count(t.id) as tokens
    from target left join lateral core.revoke_intake_tokens(:tenant, target.id, null) t on target.ok
),
new as (
    update inputs.intake_form f
    set state = 'CLOSED'
    from target cross join revoked
    where f.tenant_id = :tenant and f.id = target.id and target.ok
    returning f.*
)
--@answer inputs.intake_form new
select
--@include intake_form.columns
from new f

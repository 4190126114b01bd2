with target as materialized (
    select t.id, t.form_id, case
               when t.id is null then core.fail('NOT_FOUND')
               when t.state <> 'ACTIVE' then core.fail('WRONG_STATE', 'state=' || t.state || E'\nallowed=ACTIVE')
               else true end as ok
    from (select 1) one
    left join core.intake_tokens(:tenant, :form_id) t on t.id = :token_id
),
new as (
    select r.*
    from target cross join lateral core.revoke_intake_tokens(:tenant, target.form_id, target.id) r
    where target.ok
)
--@answer core.key new
select k.id, k.form_id, k.name, k.state, k.expire_time, k.create_time, k.update_time,
       (select count(*)::integer from inputs.intake_submission s
        where s.tenant_id = :tenant and s.form_id = k.form_id and s.token_id = k.id) as submissions
from new k

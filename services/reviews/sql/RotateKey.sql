--@request isms.reviews.v1.Rotation
--@response isms.reviews.v1.Key
with target as materialized (
    select k.id, :now::timestamptz + make_interval(secs => :overlap_seconds::integer) as until,
           case when k.id is null then core.fail('NOT_FOUND')
                when k.state <> 'ACTIVE' then core.fail('WRONG_STATE', 'state=' || k.state || E'\nallowed=ACTIVE')
                else true end as ok
    from (select 1) one left join core.key k on k.tenant_id = :tenant and k.id = :id
),
k as (
    update core.key k
    set secret_sha256 = :secret_sha256,
        previous_secret_sha256 = case when :overlap_seconds > 0 then k.secret_sha256 end,
        previous_expire_time = case when :overlap_seconds > 0 then target.until end
    from target
    where k.tenant_id = :tenant and k.id = target.id and target.ok
    returning k.*
)
select
--@include key.columns
from k

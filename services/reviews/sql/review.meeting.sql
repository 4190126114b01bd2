target as materialized (
    select r.*,
           case when r.id is null then core.fail('NOT_FOUND')
                when r.state not in ('IN_SESSION', 'MINUTES_DRAFTED')
                    then core.fail('WRONG_STATE', 'state=' || r.state || E'\nallowed=IN_SESSION,MINUTES_DRAFTED')
                else true end as ok
    from (select 1) one left join reviews.review r on r.tenant_id = :tenant and r.id = :id
)

with target as materialized (
    select s.id, case when s.id is null then core.fail('NOT_FOUND') else true end as ok
    from (select 1) one
    left join inputs.intake_submission s on s.tenant_id = :tenant and s.id = :id
),
new as (
    select e.*
    from target cross join lateral inputs.forget_contact(:tenant, target.id) e
    where target.ok
)
--@answer inputs.intake_submission new
select
--@include intake_submission.columns
from new s

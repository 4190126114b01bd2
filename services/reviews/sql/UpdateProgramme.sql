with target as materialized (
    select p.id,
           case when p.id is null then core.fail('NOT_FOUND')
                when :programme.etag <> '' and p.revision::text <> :programme.etag then core.fail('ETAG_MISMATCH')
                else true end as ok
    from (select 1) one left join reviews.programme p on p.tenant_id = :tenant and p.id = :id
),
new as (
    update reviews.programme p
    set title = case when :mask.title then :programme.title else p.title end,
        interval_months = case when :mask.interval_months then :programme.interval_months else p.interval_months end,
        lead_days = case when :mask.lead_days then :programme.lead_days else p.lead_days end,
        grace_days = case when :mask.grace_days then :programme.grace_days else p.grace_days end,
        quorum_members = case when :mask.quorum_members then :programme.quorum_members else p.quorum_members end,
        quorum_top_management = case when :mask.quorum_top_management then :programme.quorum_top_management
                                     else p.quorum_top_management end,
        four_eyes = case when :mask.four_eyes then :programme.four_eyes else p.four_eyes end,
        decision_criteria = case when :mask.decision_criteria then :programme.decision_criteria
                                 else p.decision_criteria end,
        max_auth_age_seconds = case when :mask.sign_off.max_auth_age_seconds
                                    then coalesce(nullif(:programme.sign_off.max_auth_age_seconds, 0), 900)
                                    else p.max_auth_age_seconds end,
        acr_values = case when :mask.sign_off.acr_values
                          then coalesce((:programme.sign_off.acr_values)::text[], '{}') else p.acr_values end
    from target
    where p.tenant_id = :tenant and p.id = target.id and target.ok
    returning p.*
)
--@answer reviews.programme new
select
--@include programme.columns
from new p

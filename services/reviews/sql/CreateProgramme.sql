with new as (
    insert into reviews.programme (tenant_id, id, title, interval_months, lead_days, grace_days, quorum_members,
                                   quorum_top_management, four_eyes, decision_criteria, max_auth_age_seconds,
                                   acr_values)
    values (:tenant, :new_id, :programme.title, :programme.interval_months, :programme.lead_days,
            :programme.grace_days, :programme.quorum_members, :programme.quorum_top_management,
            :programme.four_eyes, :programme.decision_criteria,
            coalesce(nullif(:programme.sign_off.max_auth_age_seconds, 0), 900),
            coalesce((:programme.sign_off.acr_values)::text[], '{}'))
    returning *
)
--@answer reviews.programme new
select
--@include programme.columns
from new p

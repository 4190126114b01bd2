with new as (
    insert into reviews.programme (tenant_id, id, title, interval_months, lead_days, grace_days, quorum_members,
                                   quorum_top_management, four_eyes, decision_criteria)
    values (:tenant, :new_id, :programme.title, :programme.interval_months, :programme.lead_days,
            :programme.grace_days, :programme.quorum_members, :programme.quorum_top_management,
            :programme.four_eyes, :programme.decision_criteria)
    returning *
)
--@answer reviews.programme new
select
--@include programme.columns
from new p

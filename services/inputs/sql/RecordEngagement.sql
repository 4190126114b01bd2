with checked as materialized (
    select case
               when not exists (select from inputs.party p
                                where p.tenant_id = :tenant and p.id = :engagement.party_id and p.delete_time is null)
                   then core.fail('REFERENCE_INVALID', inputs.fault_facts('engagement',
                                  inputs.lost('party_id', 'interested party')))
               when exists (select from unnest((:engagement.feedback_ids)::uuid[]) f (id)
                            where not exists (select from inputs.input i
                                              where i.tenant_id = :tenant and i.id = f.id and i.kind = 'FEEDBACK'))
                   then core.fail('REFERENCE_INVALID', inputs.fault_facts('engagement',
                                  inputs.lost('feedback_ids', 'feedback')))
               when fault is not null then core.fail((fault).reason, inputs.fault_facts('engagement', fault))
               else true end as ok
    from inputs.survey_fault(:engagement.type, :engagement.survey) fault
),
new as (
    insert into inputs.engagement (tenant_id, id, party_id, engagement_date, type, summary, survey, feedback_ids)
    select :tenant, :new_id, :engagement.party_id, :engagement.engagement_date, :engagement.type,
           :engagement.summary, :engagement.survey, :engagement.feedback_ids
    from checked c where c.ok
    returning *
)
--@answer inputs.engagement new
select
--@include engagement.columns
from new e

with target as materialized (
    select c.id, case
               when c.id is null then core.fail('NOT_FOUND')
               when :contribution.etag <> '' and c.revision::text <> :contribution.etag then core.fail('ETAG_MISMATCH')
               when c.state <> 'REQUESTED'
                   then core.fail('WRONG_STATE', 'state=' || c.state || E'\nallowed=REQUESTED')
               when :mask.assignee_id
                    and not exists (select from core.member m
                                    where m.tenant_id = :tenant and m.id = (:contribution.assignee_id)::uuid
                                      and m.state = 'ACTIVE')
                   then core.fail('REFERENCE_INVALID',
                                  E'field=contribution.assignee_id\ndescription=is no active member')
               when :mask.assignee_id
                    and not exists (select from core.member m
                                    where m.tenant_id = :tenant and m.id = (:contribution.assignee_id)::uuid
                                      and inputs.may_contribute(m.roles))
                   then core.fail('FIELD_INVALID', E'field=contribution.assignee_id\n'
                                  'description=has no role that may write inputs')
               else true end as ok
    from (select 1) one
    left join inputs.contribution c on c.tenant_id = :tenant and c.id = :id
),
new as (
    update inputs.contribution c
    set assignee_id = case when :mask.assignee_id then :contribution.assignee_id else c.assignee_id end,
        review_id = case when :mask.review_id then :contribution.review_id else c.review_id end,
        due_date = case when :mask.due_date then :contribution.due_date else c.due_date end,
        note = case when :mask.note then :contribution.note else c.note end
    from target
    where c.tenant_id = :tenant and c.id = target.id and target.ok
    returning c.*
)
--@answer inputs.contribution new
select
--@include contribution.columns
from new c

with target as materialized (
    select case
               when not inputs.check_questions(:form.questions, 'form.questions') then false
               when :form.open_until <= :now::timestamptz
                   then core.fail('FIELD_INVALID', E'field=form.open_until\ndescription=must be in the future')
               when (:form.party_id)::uuid is not null
                    and not exists (select from inputs.party p
                                    where p.tenant_id = :tenant and p.id = (:form.party_id)::uuid
                                      and p.delete_time is null)
                   then core.fail('REFERENCE_INVALID', E'field=form.party_id\ndescription=is not in the register')
               else true end as ok
),
new as (
    insert into inputs.intake_form (tenant_id, id, title, introduction, purpose, interested_party, party_id, channel,
                                    language, questions, open_until, maximum_submissions, daily_maximum)
    select :tenant, :new_id, :form.title, :form.introduction, :form.purpose, :form.interested_party, :form.party_id,
           :form.channel, :form.language, :form.questions, :form.open_until,
           coalesce(nullif((:form.maximum_submissions)::integer, 0), 1000),
           coalesce(nullif((:form.daily_maximum)::integer, 0), 200)
    from target
    where target.ok
    returning *
)
--@answer inputs.intake_form new
select
--@include intake_form.columns
from new f

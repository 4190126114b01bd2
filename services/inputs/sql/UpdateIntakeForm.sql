with target as materialized (
    select f.id, case
               when f.id is null then core.fail('NOT_FOUND')
               when :form.etag <> '' and f.revision::text <> :form.etag then core.fail('ETAG_MISMATCH')
               when f.state <> 'OPEN' then core.fail('WRONG_STATE', 'state=' || f.state || E'\nallowed=OPEN')
               when :mask.questions and not inputs.check_questions(:form.questions, 'form.questions') then false
               when :mask.party_id and (:form.party_id)::uuid is not null
                    and not exists (select from inputs.party p
                                    where p.tenant_id = :tenant and p.id = (:form.party_id)::uuid
                                      and p.delete_time is null)
                   then core.fail('REFERENCE_INVALID', E'field=form.party_id\ndescription=is not in the register')
               else true end as ok
    from (select 1) one
    left join inputs.intake_form f on f.tenant_id = :tenant and f.id = :id
),
new as (
    update inputs.intake_form f
    set title = case when :mask.title then :form.title else f.title end,
        introduction = case when :mask.introduction then :form.introduction else f.introduction end,
        interested_party = case when :mask.interested_party then :form.interested_party else f.interested_party end,
        party_id = case when :mask.party_id then :form.party_id else f.party_id end,
        channel = case when :mask.channel then :form.channel else f.channel end,
        language = case when :mask.language then :form.language else f.language end,
        questions = case when :mask.questions then :form.questions else f.questions end,
        open_until = case when :mask.open_until then :form.open_until else f.open_until end,
        maximum_submissions = case when :mask.maximum_submissions
                                   then coalesce(nullif((:form.maximum_submissions)::integer, 0), 1000)
                                   else f.maximum_submissions end,
        daily_maximum = case when :mask.daily_maximum then coalesce(nullif((:form.daily_maximum)::integer, 0), 200)
                             else f.daily_maximum end
    from target
    where f.tenant_id = :tenant and f.id = target.id and target.ok
    returning f.*
)
--@answer inputs.intake_form new
select
--@include intake_form.columns
from new f

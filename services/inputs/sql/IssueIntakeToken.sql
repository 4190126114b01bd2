--@request isms.inputs.v1.NewIntakeToken
--@response isms.inputs.v1.IntakeToken
with target as materialized (
    select f.id, case
               when f.id is null then core.fail('NOT_FOUND')
               when f.state <> 'OPEN' then core.fail('WRONG_STATE', 'state=' || f.state || E'\nallowed=OPEN')
               when :expire_time <= :now::timestamptz
                   then core.fail('FIELD_INVALID', E'field=expire_time\ndescription=must be in the future')
               else true end as ok
    from (select 1) one
    left join inputs.intake_form f on f.tenant_id = :tenant and f.id = :form_id
),
issued as materialized (
    select target.id as form_id, core.issue_intake_token(:tenant, :id, target.id, :name, :secret_sha256, :expire_time)
    from target
    where target.ok
)
select (:id)::uuid as id, i.form_id, (:name)::text as name, 'ACTIVE' as state,
       (:expire_time)::timestamptz as expire_time, :now::timestamptz as create_time, :now::timestamptz as update_time
from issued i

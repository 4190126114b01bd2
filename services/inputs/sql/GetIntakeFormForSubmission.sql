-- The caller's form, found by its token.
select f.title, f.introduction, f.language, f.questions, f.open_until,
       coalesce(f.open_until <= :now::timestamptz, false) as ended
from inputs.intake_form f
where f.tenant_id = :tenant and f.id = core.intake_form()

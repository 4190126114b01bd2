--@request isms.inputs.v1.SubmitIntakeRequest
--@response isms.inputs.v1.IntakeStanding
-- The caller's form, and how much of what it accepts it has had.
select f.title as "form.title", f.questions as "form.questions", f.open_until as "form.open_until",
       f.maximum_submissions as "form.maximum_submissions", f.daily_maximum as "form.daily_maximum",
       c.in_all as "form.submissions", c.on_the_day as submissions_today
from inputs.intake_form f
cross join inputs.count_submissions(:tenant, :now) c
where f.tenant_id = :tenant and f.id = core.intake_form()

--@request isms.inputs.v1.NewIntakeSubmission
--@response isms.inputs.v1.SubmitIntakeResponse
with taken as materialized (
    select inputs.take_submission(:tenant, :new_id, :new_id.2, :title, :summary, :answers, :contact)
)
select (:new_id)::uuid as submission_id
from taken

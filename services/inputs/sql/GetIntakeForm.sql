select
--@include intake_form.columns
from inputs.intake_form f
where f.tenant_id = :tenant and f.id = :id

select
--@include intake_submission.columns
    , s.contact, s.id::text as "page.1"
from inputs.intake_submission s
where s.tenant_id = :tenant and s.form_id = :form_id
--@if page_token
  and s.id < (:page.1)::uuid
--@end
order by s.id desc
limit :page.limit

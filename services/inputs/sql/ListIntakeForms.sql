select
--@include intake_form.columns
    , f.id::text as "page.1"
from inputs.intake_form f
where f.tenant_id = :tenant
  and case when :state = '' then true else f.state = :state end
--@if page_token
  and f.id < (:page.1)::uuid
--@end
order by f.id desc
limit :page.limit

with submitted as (
    select s.token_id, count(*)::integer as submissions
    from inputs.intake_submission s
    where s.tenant_id = :tenant and s.form_id = :form_id
    group by s.token_id
)
select t.id, t.form_id, t.name, t.state, t.expire_time, t.last_use_time, coalesce(s.submissions, 0) as submissions,
       t.create_time, t.update_time, t.id::text as "page.1"
from core.intake_tokens(:tenant, :form_id) t
left join submitted s on s.token_id = t.id
where true
--@if page_token
  and t.id > (:page.1)::uuid
--@end
order by t.id
limit :page.limit

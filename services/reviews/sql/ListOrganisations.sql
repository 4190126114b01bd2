-- Only for the platform's own organisation; the policy `platform` lets its administrators see the others.
select o.tenant_id as id, o.name, o.state, o.calls_per_second as "limits.calls_per_second",
       o.calls_burst as "limits.calls_burst", o.calls_in_flight as "limits.calls_in_flight",
       o.name as "page.1", o.tenant_id::text as "page.2"
from core.organisation own
join core.organisation o on o.tenant_id <> own.tenant_id
where own.tenant_id = :tenant and own.tenant_id = '00000000-0000-0000-0000-000000000000'
--@if page_token
  and (o.name, o.tenant_id) > ((:page.1)::text, (:page.2)::uuid)
--@end
order by o.name, o.tenant_id
limit :page.limit

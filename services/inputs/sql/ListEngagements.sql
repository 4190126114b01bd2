select
--@include engagement.columns
    , e.engagement_date::text as "page.1", e.id::text as "page.2"
from inputs.engagement e
where e.tenant_id = :tenant
--@if party_id
  and e.party_id = (:party_id)::uuid
--@end
  and case when :type = '' then true else e.type = :type end
--@if page_token
  and (e.engagement_date, e.id) < ((:page.1)::date, (:page.2)::uuid)
--@end
order by e.engagement_date desc, e.id desc
limit :page.limit

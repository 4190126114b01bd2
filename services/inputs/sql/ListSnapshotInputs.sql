-- The page is cut first and each row looked up then, whatever the planner thinks of the change log; and only
-- while the log still holds what was frozen.
with snapshot as materialized (
    select s.id, case when s.id is null then core.fail('NOT_FOUND') else true end as ok
    from (select 1) one
    left join (
        select n.id
        from inputs.snapshot n
        where n.tenant_id = :tenant and n.review_id = :review_id
          and ((:opening_id)::uuid is null or n.opening_id = (:opening_id)::uuid)
        order by n.sequence desc
        limit 1
    ) s on true
),
page as materialized (
    select t.position, t.row_id, t.revision, t.number, t.content_sha256
    from inputs.snapshot_item t
    where t.tenant_id = :tenant and t.snapshot_id = (select s.id from snapshot s where s.ok)
      and case when :kind = '' then true else t.kind = :kind end
      and case when :agenda_item = '' then true
               else t.kind = any (array(select k.kind from inputs.kinds() k where k.item = :agenda_item)) end
--@if page_token
      and t.position > (:page.1)::integer
--@end
    order by t.position
    limit :page.limit
)
select
--@include input.columns
    , p.position::text as "page.1"
from page p
left join lateral (
--@include frozen.content
) i on true
where i.id is not null or core.fail('DATA_CORRUPT', 'number=' || p.number)
order by p.position

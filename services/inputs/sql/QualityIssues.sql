--@request isms.inputs.v1.QualityQuestion
--@response isms.inputs.v1.CheckQualityResponse
-- `problem` holds what the handler puts behind the check's own sentence. Titles are looked up for the page only.
with
--@include quality.found
, page as materialized (
    select f.*
    from listed f
--@if page_token
    where (f.place, f.number, f.check_place, f.field)
          > ((:page.1)::integer, :page.2 collate "C", (:page.3)::integer, :page.4 collate "C")
--@end
    order by f.place, f.number, f.check_place, f.field
    limit :page.limit
)
select p.name as "check", p.item as agenda_item, p.kind, p.id as input_id, i.number, i.title, i.owner_id,
       i.owner_name, p.field, p.detail as problem,
       p.place::text as "page.1", p.number as "page.2", p.check_place::text as "page.3", p.field as "page.4"
from page p
left join inputs.input i on i.tenant_id = :tenant and i.id = p.id
order by p.place, p.number, p.check_place, p.field

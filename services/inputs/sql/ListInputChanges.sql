--@request isms.inputs.v1.ListInputChangesRequest
--@response isms.inputs.v1.InputRevisionList
-- The input is looked up first, since that is what says whether the caller may see it. Rows of the change log are taken
-- only while they still are what was hashed.
with target as materialized (
    select i.id, i.number, case when i.id is null then core.fail('NOT_FOUND') else true end as ok
    from (select 1) one
    left join inputs.input i on i.tenant_id = :tenant and i.id = :id
)
select c.revision, c.change_time, c.actor as actor_id, m.name as actor_name, c.actor_kind, c.on_behalf_of, c.method,
       c.request_id, c.sequence, c.content, b.content as before, c.revision::text as "page.1"
from target t
join core.change c on c.tenant_id = :tenant and c.table_name = 'inputs.input' and c.row_id = t.id
left join core.change b on b.tenant_id = :tenant and b.table_name = 'inputs.input' and b.row_id = t.id
                           and b.revision = c.revision - 1
left join core.member m on m.tenant_id = :tenant and m.id = c.actor
where t.ok
  and c.revision < case when (:page.1)::bigint is null then 9223372036854775807 else (:page.1)::bigint end
  and (sha256(convert_to(c.content, 'UTF8')) = c.content_sha256
       and (b.content is null or sha256(convert_to(b.content, 'UTF8')) = b.content_sha256)
       or core.fail('DATA_CORRUPT', 'number=' || t.number))
order by c.revision desc
limit :page.limit

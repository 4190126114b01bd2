-- The revisions of the entry in the change log, each beside the one before it. Of the contact the log has a salted
-- hash: of a change it tells, not what was there.
with party as materialized (
    select p.id, case when p.id is null then core.fail('NOT_FOUND') else true end as ok
    from (select 1) one
    left join inputs.party p on p.tenant_id = :tenant and p.id = :party_id
)
select c.revision, c.change_time, c.actor as actor_id, (
           select jsonb_agg(jsonb_build_object(
                      'field', n.key,
                      'before', case when n.key = 'contact' then '' else coalesce(b.content::jsonb ->> n.key, '') end,
                      'after', case when n.key = 'contact' then '' else coalesce(n.value, '') end) order by n.key)
           from jsonb_each_text(c.content::jsonb) n
           where n.key <> all ('{tenant_id,id,revision,create_time,update_time}')
             and (n.key <> 'contact' or b.content is not null)
             and coalesce(n.value, '') <> coalesce(b.content::jsonb ->> n.key, '')) as fields,
       c.revision::text as "page.1"
from party p
join core.change c on c.tenant_id = :tenant and c.table_name = 'inputs.party' and c.row_id = p.id
left join core.change b on b.tenant_id = :tenant and b.table_name = c.table_name and b.row_id = c.row_id
                           and b.revision = c.revision - 1
where p.ok
--@if page_token
  and c.revision < (:page.1)::bigint
--@end
order by c.revision desc
limit :page.limit

--@request isms.inputs.v1.DiffSnapshotsRequest
--@response isms.inputs.v1.DiffPage
-- The page is cut first; only then are contents looked up, while the log still holds what was frozen.
with
--@include diff.ends
--@include diff.items
,
page as materialized (
    select i.*, k.item as agenda_item, inputs.kind_rank(i.kind) as rank
    from items i
    join inputs.kinds() k on k.kind = i.kind
    where i.change <> ''
      and case when :kind = '' then true else i.kind = :kind end
      and case when :agenda_item = '' then true else k.item = :agenda_item end
      and case when :change = '' then true else i.change = :change end
--@if page_token
      and (inputs.kind_rank(i.kind), i.number) > ((:page.1)::integer, :page.2)
--@end
    order by inputs.kind_rank(i.kind), i.number
    limit :page.limit
)
select p.change, p.row_id as input_id, p.number, p.kind, p.agenda_item,
       coalesce(a.content, b.content)::jsonb ->> 'title' as title,
       p.earlier_revision, p.later_revision,
       case when a.content is not null then b.content end as earlier_content,
       case when b.content is not null then a.content end as later_content,
       p.rank::text as "page.1", p.number as "page.2"
from page p
left join lateral (
    select c.content
    from core.change c
    where c.tenant_id = :tenant and c.table_name = 'inputs.input' and c.row_id = p.row_id
      and c.revision = p.earlier_revision
      and (encode(sha256(convert_to(c.content, 'UTF8')), 'hex') = p.earlier_sha256
           or core.fail('DATA_CORRUPT', 'number=' || p.number))
    limit 1
) b on true
left join lateral (
    select c.content
    from core.change c
    where c.tenant_id = :tenant and c.table_name = 'inputs.input' and c.row_id = p.row_id
      and c.revision = p.later_revision
      and (p.later_sha256 is null or encode(sha256(convert_to(c.content, 'UTF8')), 'hex') = p.later_sha256
           or core.fail('DATA_CORRUPT', 'number=' || p.number))
    limit 1
) a on true
where (p.earlier_revision is null or b.content is not null) and (p.later_revision is null or a.content is not null)
      or core.fail('DATA_CORRUPT', 'number=' || p.number)
order by p.rank, p.number

-- Everything is computed again from the bytes that are stored. What the content names is compared with the table of
-- items, position by position, and each revision in the change log with the hash that it was frozen with.
with snapshot as materialized (
    select s.id, encode(sha256(s.content), 'hex') as sha256, c.content,
           case when encode(sha256(s.content), 'hex') <> s.sha256 then false
                else (c.content ->> 'review_id', c.content ->> 'opening_id', c.content ->> 'tenant',
                      (c.content ->> 'sequence')::bigint, (c.content ->> 'as_of')::timestamptz,
                      c.content -> 'period' ->> 'start_date', c.content -> 'period' ->> 'end_date',
                      coalesce(jsonb_array_length(c.content -> 'items'), 0))
                     is not distinct from
                     (s.review_id::text, s.opening_id::text, s.tenant_id::text, s.at_sequence, s.as_of,
                      s.start_date::text, s.end_date::text, s.item_count) end as holds
    from inputs.snapshot s
    cross join lateral (select inputs.json_of(s.content) as content offset 0) c -- read once, not for each use
    where s.tenant_id = :tenant and s.id = :snapshot_id
),
named as materialized (
    select e.position, e.item ->> 'kind' as kind, e.item ->> 'id' as id, e.item ->> 'number' as number,
           e.item ->> 'revision' as revision, e.item ->> 'content_sha256' as content_sha256
    from snapshot s
    cross join jsonb_array_elements(case jsonb_typeof(s.content -> 'items')
                                    when 'array' then s.content -> 'items' else '[]' end)
        with ordinality e (item, position)
),
-- Parties stand in the content only.
parties as materialized (
    select e.position, e.item ->> 'kind' as kind, e.item ->> 'id' as id, e.item ->> 'number' as number,
           e.item ->> 'revision' as revision, e.item ->> 'content_sha256' as content_sha256,
           c.content, encode(c.content_sha256, 'hex') as logged_sha256,
           encode(sha256(convert_to(c.content, 'UTF8')), 'hex') as actual_sha256
    from snapshot s
    cross join jsonb_array_elements(case jsonb_typeof(s.content -> 'parties')
                                    when 'array' then s.content -> 'parties' else '[]' end)
        with ordinality e (item, position)
    left join lateral (
        select h.content, h.content_sha256
        from core.change h
        where h.tenant_id = :tenant and h.table_name = 'inputs.party'
          and h.row_id = case when s.holds then (e.item ->> 'id')::uuid end
          and h.revision = case when s.holds then (e.item ->> 'revision')::bigint end
        limit 1
    ) c on true
    where s.holds
),
kept as materialized (
    select t.position, t.kind, t.row_id::text as id, t.number, t.revision::text as revision, t.content_sha256, t.state,
           c.content, encode(c.content_sha256, 'hex') as logged_sha256,
           encode(sha256(convert_to(c.content, 'UTF8')), 'hex') as actual_sha256
    from inputs.snapshot_item t
    left join lateral (
        select h.content, h.content_sha256
        from core.change h
        where h.tenant_id = :tenant and h.table_name = 'inputs.input' and h.row_id = t.row_id
          and h.revision = t.revision
        limit 1
    ) c on true
    where t.tenant_id = :tenant and t.snapshot_id = :snapshot_id
),
checked as (
    select coalesce(k.position, n.position) as position, coalesce(n.kind, k.kind) as kind,
           coalesce(n.id, k.id) as id, coalesce(n.number, k.number) as number,
           coalesce(k.revision, case when n.revision ~ '^[0-9]{1,18}$' then n.revision end) as revision,
           case when n.position is null then 'NOT_IN_CONTENT'
                when k.position is null then 'NOT_IN_TABLE'
                when (n.kind, n.id, n.number, n.revision, n.content_sha256)
                     is distinct from (k.kind, k.id, k.number, k.revision, k.content_sha256) then 'DIFFERS'
                when k.content is null then 'REVISION_MISSING'
                when k.actual_sha256 <> k.content_sha256 or k.logged_sha256 <> k.content_sha256
                     then 'REVISION_ALTERED'
                when k.content::jsonb ->> 'state' is distinct from k.state then 'DIFFERS' end as fault
    from named n
    full join kept k on k.position = n.position
    union all
    select p.position + 1000000000, p.kind, p.id, p.number, p.revision,
           case when p.content is null then 'REVISION_MISSING'
                when p.actual_sha256 <> p.content_sha256 or p.logged_sha256 <> p.content_sha256
                     then 'REVISION_ALTERED' end
    from parties p
),
told as (
    select count(*)::integer as items, count(c.fault)::integer as broken,
           coalesce(jsonb_agg(jsonb_build_object('fault', c.fault, 'kind', c.kind, 'id', c.id, 'number', c.number,
                                                 'revision', c.revision) order by c.position)
                    filter (where c.place <= 100), '[]') as list
    from (select c.*, case when c.fault is not null
                           then row_number() over (partition by c.fault is null order by c.position) end as place
          from checked c) c
)
select s.id as snapshot_id, s.sha256, s.holds as content_holds, t.items as item_count, t.broken as broken_count,
       t.list as broken, s.holds and t.broken = 0 as holds
from snapshot s cross join told t

-- Inputs with the same values are one from the beginning (`alike`); then each counts under each of its values, and in
-- the sums of its row, its column and of all only once. Of the values, those that count most get a place of their own,
-- the others share the last.
with known as materialized (
    select ((:now)::timestamptz at time zone o.time_zone)::date as today,
           array(select k.item from inputs.kinds() k order by inputs.kind_rank(k.kind)) as items
    from core.organisation o
    where o.tenant_id = :tenant
),
alike as (
    select inputs.values_of(i, :rows, k.today, k.items) as rows,
           inputs.values_of(i, :columns, k.today, k.items) as columns, count(*) as count
    from known k
    cross join inputs.input i
    where i.tenant_id = :tenant
--@include input.filter
    group by 1, 2
),
sums as materialized (
    select r.value as row_value, c.value as column_value, grouping(r.value) as no_row, grouping(c.value) as no_column,
           sum(a.count) as pairs,
           sum(a.count) filter (where c.n = 1) as row_count,
           sum(a.count) filter (where r.n = 1) as column_count,
           sum(a.count) filter (where c.n = 1 and r.n = 1) as total
    from alike a
    cross join lateral unnest(a.rows) with ordinality r (value, n)
    cross join lateral unnest(a.columns) with ordinality c (value, n)
    where array_position(a.rows, r.value) = r.n and array_position(a.columns, c.value) = c.n
    group by grouping sets ((r.value, c.value), (r.value), (c.value), ())
),
ranked as (
    select v.*, inputs.value_place(v.dimension, v.value) as place,
           row_number() over (partition by v.side order by v.count desc, v.value)
               > coalesce(nullif(:limit, 0), 50) as is_remainder
    from (
        select 'ROW' as side, :rows as dimension, s.row_value as value, s.row_count as count
        from sums s where s.no_row = 0 and s.no_column = 1
        union all
        select 'COLUMN', :columns, s.column_value, s.column_count
        from sums s where s.no_row = 1 and s.no_column = 0 and :columns <> ''
    ) v
),
placed as materialized (
    select r.side, r.dimension, r.value, r.count, r.is_remainder,
           least(row_number() over (partition by r.side order by r.is_remainder, r.place, r.count desc, r.value) - 1,
                 count(*) filter (where not r.is_remainder) over (partition by r.side))::integer as position
    from ranked r
),
named as (
    select p.side, p.position, p.dimension, case when p.is_remainder then '' else min(p.value) end as value,
           sum(p.count) as count, case when p.is_remainder then count(*) else 0 end as remainder
    from placed p
    group by p.side, p.dimension, p.position, p.is_remainder
),
answered as materialized (
    select n.side, jsonb_agg(jsonb_build_object(
               'value', n.value, 'name', coalesce(m.name, ''), 'count', n.count, 'remainder', n.remainder)
               order by n.position) as list
    from named n
    left join core.member m on m.tenant_id = :tenant and n.dimension = 'OWNER' and m.id::text = n.value
    group by n.side
),
cell as (
    select r.position as row, k.position as column, sum(s.pairs) as count
    from sums s
    join placed r on r.side = 'ROW' and r.value = s.row_value
    join placed k on k.side = 'COLUMN' and k.value = s.column_value
    where s.no_row = 0 and s.no_column = 0
    group by r.position, k.position
)
select (select s.total::bigint from sums s where s.no_row = 1 and s.no_column = 1) as total,
       (select a.list from answered a where a.side = 'ROW') as rows,
       (select a.list from answered a where a.side = 'COLUMN') as columns,
       (select jsonb_agg(jsonb_build_object('row', c.row, 'column', c.column, 'count', c.count)
                         order by c.row, c.column) from cell c) as cells

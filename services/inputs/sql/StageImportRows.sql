--@request isms.inputs.v1.StageImportRowsRequest
--@response isms.inputs.v1.ImportCount
-- Reading again what was read before a replica ended makes the same rows: those that are there stay.
with given as (
    select inputs.with_local_times(e.item, ((:local_times)::text[])[e.n], o.time_zone) as item, e.n
    from jsonb_array_elements((:inputs)::jsonb || (:measurements)::jsonb) with ordinality e (item, n)
    join core.organisation o on o.tenant_id = :tenant
),
new as (
    insert into inputs.import_row (tenant_id, import_id, ordinal, line, row, level, external_id, title, size, content,
                                   refers)
    select :tenant, :import_id, :first + g.n::integer - 1, ((:lines)::integer[])[g.n], ((:rows)::integer[])[g.n],
           ((:levels)::integer[])[g.n],
           coalesce(g.item ->> 'external_id', ''), coalesce(g.item ->> 'title', ''), octet_length(g.item::text), g.item,
           coalesce(nullif(((:references)::text[])[g.n], ''), '[]')::jsonb
    from given g
    on conflict do nothing
    returning 1
),
progress as (
    insert into inputs.import_progress (tenant_id, import_id, phase, rows_total)
    select :tenant, :import_id, 'READING', :first + count(*)::integer - 1 from given
    on conflict (tenant_id, import_id) do update set rows_total = greatest(inputs.import_progress.rows_total,
                                                                           excluded.rows_total)
    returning 1
)
select count(*)::integer as count from progress

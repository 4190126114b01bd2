-- The rows that failed: how many, and the first 100 as ImportErrors.
failed as materialized (
    select (select count(*) from inputs.import_row r
            where r.tenant_id = :tenant and r.import_id = :id and r.outcome = 'FAILED')::integer as count,
           coalesce((select jsonb_agg(jsonb_build_object('line', f.line, 'row', f.row, 'column', f.column_name,
                                                         'message', f.message) order by f.ordinal)
                     from (select r.line, r.row, r.ordinal, coalesce(m.column_name, r.field) as column_name,
                                  case when m.column_name is null and r.field <> '' and r.line > 0
                                       then r.field || ' ' || r.message || ', and no column is mapped to it'
                                       else r.message end as message
                           from inputs.import_row r
                           join inputs.import i on i.tenant_id = r.tenant_id and i.id = r.import_id
                           left join lateral (select c ->> 'column' as column_name
                                              from jsonb_array_elements(i.columns) c
                                              where c ->> 'field' = r.field limit 1) m on true
                           where r.tenant_id = :tenant and r.import_id = :id and r.outcome = 'FAILED'
                           order by r.ordinal limit 100) f), '[]') as errors
)

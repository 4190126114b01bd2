-- pg_temp.plan_faults(statement, parameters, service): what is wrong with the plan of a statement with $n parameters,
-- made as its service's role and without knowing their values; no rows: nothing.
--
-- Each table that grows with the organisations is to be reached by an index that leads with tenant_id, and by the
-- tenant: only then does what one organisation asks cost the same however many others there are. (A table of ten
-- pages is read whole sooner than by an index, and organisations have a row each.) And a page is read in its order:
-- what sorts all that an organisation has, to take the first fifty, is slow for a large one.

create function pg_temp.plan_of(statement text, parameters integer, service text) returns jsonb language plpgsql as $$
declare
    plan json;
begin
    execute format('set local role isms_%s', service);
    perform set_config('plan_cache_mode', 'force_generic_plan', true);
    execute 'prepare planned as ' || statement;
    execute 'explain (format json, costs off) execute planned'
            || case when parameters > 0 then '(null' || repeat(', null', parameters - 1) || ')' else '' end into plan;
    execute 'deallocate planned';
    reset role;
    return plan::jsonb;
end
$$;

create function pg_temp.grows(relation text, service text) returns boolean language sql as $$
    select exists (
        select from pg_class c
        where c.relname = relation and c.relnamespace::regnamespace::text in ('core', service) and c.relpages > 10
          and c.relname <> 'organisation')
$$;

-- The node whose rows a node takes, past those that only compute or check.
create function pg_temp.below(node jsonb) returns jsonb language plpgsql as $$
begin
    loop
        node := jsonb_path_query_first(node, '$.Plans[*] ? (@."Parent Relationship" == "Outer")');
        exit when node ->> 'Node Type' is distinct from 'Result';
    end loop;
    return node;
end
$$;

create function pg_temp.plan_faults(statement text, parameters integer, service text) returns setof text
    language sql as $$
    with node as (
        select n, n ->> 'Node Type' as type, n ->> 'Relation Name' as relation, n ->> 'Index Name' as index,
               coalesce(n ->> 'Index Cond', '') as condition
        from jsonb_path_query(pg_temp.plan_of(statement, parameters, service), 'strict $.** ? (@."Node Type" != "")') n
    )
    select 'reads all of ' || relation from node
    where type in ('Seq Scan', 'Sample Scan') and pg_temp.grows(relation, service)
    union all
    select 'sorts all of an organisation''s ' || (scan ->> 'Relation Name') || ' for a page' from node
    cross join pg_temp.below(n) sort
    cross join pg_temp.below(sort) scan
    where type = 'Limit' and sort ->> 'Node Type' = 'Sort' and pg_temp.grows(scan ->> 'Relation Name', service)
      and replace(coalesce(scan ->> 'Index Cond', scan ->> 'Recheck Cond'), 'tenant_id = ', '') !~ ' = '
    union all
    select 'uses ' || index || ' without the tenant' from node
    where index is not null and condition !~ '\mtenant_id = '
    union all
    select 'uses ' || index || ', which does not lead with tenant_id' from node
    where index is not null and not exists (
        select from pg_index x
        join pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[0]
        where x.indexrelid::regclass::text ~ ('\m' || index || '$') and a.attname = 'tenant_id')
$$;

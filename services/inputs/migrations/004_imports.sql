-- Getting data in from files: the imports, what was uploaded for them, the rows that are in it, and stored mappings.

create table inputs.import_profile (
    tenant_id   uuid not null references core.organisation (tenant_id),
    id          uuid not null,
    name        text not null check (name <> ''),
    format      text not null default '' check (format in ('', 'CSV', 'XLSX', 'OSCAL')),
    kind        text not null default '' check (kind = '' or inputs.kind_rank(kind) is not null),
    metric_id   uuid,
    source      text not null default '',
    columns     jsonb not null,
    table_place jsonb,
    built_in    boolean not null default false check (not built_in),
    revision    bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    delete_time timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, metric_id) references inputs.input (tenant_id, id)
);
create unique index import_profile_name on inputs.import_profile (tenant_id, lower(name)) where delete_time is null;

-- `phase` is where it stands while it is RUNNING; '' else. The change log has each portion that was stored.
create table inputs.import (
    tenant_id      uuid not null references core.organisation (tenant_id),
    id             uuid not null,
    state          text not null default 'UPLOADING' check (state in (
                       'UPLOADING', 'RUNNING', 'DONE', 'PARTLY_DONE', 'REFUSED', 'CHECKED', 'CANCELLED', 'FAILED')),
    phase          text not null default '' check (phase in ('', 'READING', 'STORING')),
    format         text not null check (format in ('CSV', 'XLSX', 'OSCAL')),
    kind           text not null,
    metric_id      uuid,
    profile_id     uuid, -- may be built in, or deleted since
    file_name      text not null,
    source         text not null,
    columns        jsonb not null,
    table_place    jsonb,
    dry_run        boolean not null,
    received_bytes bigint not null default 0,
    sha256         text not null default '', -- of the file, once it is run
    chunks         integer not null default 0,
    actor_id       uuid, -- who started it
    run_time       timestamptz,
    rows           integer not null default 0,
    rows_total     integer not null default 0,
    rows_checked   integer not null default 0,
    rows_stored    integer not null default 0,
    created        integer not null default 0,
    updated        integer not null default 0,
    unchanged      integer not null default 0,
    errors         jsonb not null default '[]',
    error_count    integer not null default 0,
    revision       bigint not null default 1,
    create_time    timestamptz not null default now(),
    update_time    timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, metric_id) references inputs.input (tenant_id, id),
    check ((state = 'RUNNING') = (phase <> ''))
);
create index import_running on inputs.import (tenant_id, run_time, id) where state = 'RUNNING';
-- Whether one refers to an input, asked for each that is deleted with its organisation (005_evidence.sql).
create index import_metric on inputs.import (tenant_id, metric_id) where metric_id is not null;
create index import_uploading on inputs.import (tenant_id, id) where state = 'UPLOADING';

-- The file, until the import has ended: then its size and SHA-256 are what is left of it. Working data: not logged, not
-- exported.
create table inputs.import_chunk (
    tenant_id   uuid not null,
    import_id   uuid not null,
    start       bigint not null,
    data        bytea not null,
    primary key (tenant_id, import_id, start),
    foreign key (tenant_id, import_id) references inputs.import (tenant_id, id)
);

-- The file's rows between reading and storing, in the order in which they are stored; then what became of them.
-- Working data as well.
create table inputs.import_row (
    tenant_id   uuid not null,
    import_id   uuid not null,
    ordinal     integer not null,
    line        integer not null,
    row         integer not null,
    level       integer not null, -- may refer to rows of lower ones
    external_id text not null,
    title       text not null,
    size        integer not null,
    content     jsonb, -- Input or Measurement in proto JSON; NULL once it is not needed any more
    refers      jsonb not null default '[]',
    outcome     text not null default '' check (outcome in ('', 'CREATED', 'UPDATED', 'UNCHANGED', 'FAILED')),
    stored      boolean not null default false,
    differences jsonb not null default '[]',
    field       text not null default '',
    message     text not null default '',
    primary key (tenant_id, import_id, ordinal),
    foreign key (tenant_id, import_id) references inputs.import (tenant_id, id)
);
create index import_row_failed on inputs.import_row (tenant_id, import_id, ordinal) where outcome = 'FAILED';

-- How far reading and checking have come, which write nothing else that anybody sees; and how often it has failed in a
-- row without coming any further. Working data as well.
create table inputs.import_progress (
    tenant_id    uuid not null,
    import_id    uuid not null,
    phase        text not null check (phase in ('READING', 'CHECKING')),
    rows         integer not null default 0, -- of the file
    rows_total   integer not null,
    rows_checked integer not null default 0,
    update_paths text[] not null default '{}', -- what is taken over into inputs that are there already
    failures     integer not null default 0,
    failed_at    integer not null default 0, -- rows read, checked and stored, summed up, when it failed last
    retry_time   timestamptz, -- not before
    primary key (tenant_id, import_id),
    foreign key (tenant_id, import_id) references inputs.import (tenant_id, id)
);

do $$
declare
    target text;
begin
    foreach target in array array['import_profile', 'import', 'import_chunk', 'import_row', 'import_progress']
    loop
        call core.protect(('inputs.' || target)::regclass);
        execute format('create policy scope on inputs.%I as restrictive to isms_inputs '
                       'using ((select core.sees_all()))', target);
    end loop;
end
$$;
call core.log_changes('inputs.import_profile');
call core.log_changes('inputs.import');

-- The import says which file its inputs came from, who had it run and what became of it.
create function inputs.guard_import() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.state not in ('UPLOADING', 'RUNNING') then
        raise exception 'an import that has ended does not change';
    end if;
    if old.state = 'RUNNING'
       and row(new.sha256, new.received_bytes, new.file_name, new.format, new.source, new.kind, new.metric_id,
               new.columns, new.table_place, new.dry_run, new.actor_id, new.run_time)
           is distinct from
           row(old.sha256, old.received_bytes, old.file_name, old.format, old.source, old.kind, old.metric_id,
               old.columns, old.table_place, old.dry_run, old.actor_id, old.run_time) then
        raise exception 'a file that is run does not change';
    end if;
    return new;
end
$$;
create trigger guard before update on inputs.import for each row execute function inputs.guard_import();

-- The importing jobs find out which organisations have something to import, and what nobody needs any more.
create policy jobs on inputs.import for select to isms_jobs using (state in ('UPLOADING', 'RUNNING'));
create policy jobs on inputs.import_progress for select to isms_jobs using (retry_time is not null);
create policy jobs on inputs.import_chunk for select to isms_jobs using (start = 0);
grant usage on schema inputs to isms_jobs;
grant select (tenant_id, id, state, actor_id, run_time, received_bytes, update_time) on inputs.import to isms_jobs;
grant select (tenant_id, import_id, retry_time) on inputs.import_progress to isms_jobs;
grant select (tenant_id, import_id, start) on inputs.import_chunk to isms_jobs;

-- Mappings that come with the service, in the form of inputs.import_profile.
create function inputs.built_in_profiles() returns setof inputs.import_profile language sql stable
    set search_path = pg_catalog, pg_temp
    begin atomic
        select core.tenant(), p.id::uuid, p.name, 'CSV', p.kind, null::uuid, 'jira',
               j.columns::jsonb || p.columns::jsonb, null::jsonb, true, 1::bigint, timestamptz '2026-01-01',
               timestamptz '2026-01-01', null::timestamptz
        from (values ('[
            {"column": "Issue key", "field": "external_id"},
            {"column": "Summary", "field": "title"},
            {"column": "Description", "field": "summary", "optional": true},
            {"column": "Status", "field": "state", "values": {"To Do": "OPEN", "Not Started": "OPEN",
                "Open": "OPEN", "Backlog": "OPEN", "In Review": "IN_PROGRESS", "Blocked": "IN_PROGRESS",
                "Resolved": "CLOSED", "Done": "CLOSED", "Closed": "CLOSED", "Won''t Do": "CLOSED"}},
            {"column": "Priority", "field": "severity", "optional": true, "values": {"Highest": "CRITICAL",
                "Lowest": "INFORMATIONAL", "Blocker": "CRITICAL", "Minor": "LOW", "Major": "HIGH",
                "Trivial": "INFORMATIONAL"}},
            {"column": "Created", "field": "effective_date"},
            {"column": "Due date", "field": "due_date", "optional": true},
            {"column": "Resolved", "field": "closed_date", "optional": true},
            {"column": "Assignee", "field": "owner_name", "optional": true},
            {"column": "Labels", "field": "labels", "optional": true, "repeated": true}]')) j (columns),
        (values
            ('a1b5c2d0-0001-7000-8000-000000000001', 'Jira CSV: findings', 'FINDING', '[
                {"column": "Comment", "field": "finding.response", "optional": true, "repeated": true},
                {"column": "Custom field (Root Cause)", "field": "finding.cause.description", "optional": true},
                {"column": "Custom field (Compliance Requirement)", "field": "finding.reference", "optional": true}]'),
            ('a1b5c2d0-0001-7000-8000-000000000002', 'Jira CSV: nonconformities', 'NONCONFORMITY', '[
                {"column": "Comment", "field": "nonconformity.corrective_action", "optional": true, "repeated": true},
                {"column": "Custom field (Root Cause)", "field": "nonconformity.cause.description", "optional": true}]')
        ) p (id, name, kind, columns);
    end;

-- What an input says, in one object without what only the service knows.
create function inputs.said(i inputs.input) returns jsonb language sql immutable parallel safe
    return (to_jsonb(i) - '{tenant_id,id,number,kind,source,external_id,detail,revision,create_time,
                            update_time}'::text[]) || i.detail;

-- The values of an object that are no objects themselves, by their paths; empty ones are left out.
create function inputs.leaves(content jsonb) returns table (path text, value jsonb) language sql immutable parallel safe
    as $$
        with recursive walk (path, value) as (
            select e.key, e.value from jsonb_each(content) e
            union all
            select w.path || '.' || e.key, e.value
            from walk w cross join lateral jsonb_each(
                case when jsonb_typeof(w.value) = 'object' then w.value else '{}' end) e
        )
        select w.path, w.value from walk w
        where jsonb_typeof(w.value) <> 'object' and w.value not in ('null', '""', '[]')
    $$;

create function inputs.shown(value jsonb) returns text language sql immutable parallel safe
    return (select case when length(v.shown) > 1000 then left(v.shown, 999) || '…' else v.shown end
            from (select coalesce(value #>> '{}', '') as shown) v);

-- FieldDifferences between two revisions of an input, in the statement that judges a portion of an import: the rows
-- stay in the database. A list is one value here, as it is in a cell; input_diff.c, which tells the history, compares
-- its items. tests/e2e/test_differences.py holds both to the same answers.
create function inputs.differences(old inputs.input, new inputs.input) returns jsonb language sql stable parallel safe
    as $$
        select coalesce(jsonb_agg(jsonb_build_object(
                   'field', coalesce(o.path, n.path), 'from', inputs.shown(o.value), 'to', inputs.shown(n.value))
                   order by coalesce(o.path, n.path)), '[]')
        from inputs.leaves(inputs.said(old)) o
        full join inputs.leaves(inputs.said(new)) n on n.path = o.path
        where o.value is distinct from n.value
    $$;

-- Has this session plan its statements anew. The services keep their plans, and an import makes an empty table a large
-- one: a plan for the empty one would read all of it for each portion, until the next analyze.
create function inputs.plan_anew() returns boolean language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    execute 'discard plans';
    return true;
end
$$;

-- An Input in proto JSON with the ids of what it refers to by external ids of the same source; what is not there (yet)
-- is left out.
create function inputs.with_references(item jsonb, refers jsonb) returns jsonb language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    reference jsonb;
    ids       uuid[];
begin
    if refers = '[]' then
        return item; -- by far the usual case
    end if;
    for reference in select e.value from jsonb_array_elements(refers) e loop
        select array_agg(i.id order by k.n) into ids
        from jsonb_array_elements_text(reference -> 'keys') with ordinality k (key, n)
        join inputs.input i on i.tenant_id = core.tenant() and i.source = item ->> 'source' and i.external_id = k.key;
        if ids is not null then
            item := jsonb_set(item, string_to_array(reference ->> 'field', '.'),
                              case reference ->> 'field' when 'related_ids' then to_jsonb(ids)
                                                         else to_jsonb(ids[1]) end);
        end if;
    end loop;
    return item;
end
$$;

-- An Input or Measurement in proto JSON with the moments at which clocks in the zone show what the fields say as if it
-- were UTC. Where clocks are changed, PostgreSQL's rule: an hour that they skip is counted on from the one before, of
-- one that they show twice it is the second. What would be beyond the years 1 to 9999 is their first or last moment.
create function inputs.with_local_times(item jsonb, fields text, zone text) returns jsonb language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    path   text[];
    shown  timestamp;
    moment timestamptz;
begin
    if fields = '' then
        return item;
    end if;
    for path in select string_to_array(f, '.') from string_to_table(fields, ',') f loop
        shown := (item #>> path)::timestamptz at time zone 'UTC';
        moment := least(greatest(shown at time zone zone, '0001-01-01 00:00Z'), '9999-12-31 23:59:59.999999Z');
        item := jsonb_set(item, path, to_jsonb(moment), false);
    end loop;
    return item;
end
$$;

-- The file of an import that has ended: how many chunks it had.
create function inputs.remove_import_chunks(p_tenant uuid, p_import uuid) returns integer language sql
    security definer set search_path = pg_catalog, pg_temp
    begin atomic
        with removed as (
            delete from inputs.import_chunk c
            using inputs.import i
            where c.tenant_id = p_tenant and c.import_id = p_import and i.tenant_id = c.tenant_id and i.id = c.import_id
              and i.state not in ('UPLOADING', 'RUNNING')
            returning 1
        )
        select count(*)::integer from removed;
    end;

revoke all on all functions in schema inputs from public;
grant execute on all functions in schema inputs to isms_inputs;
grant select, insert, update on inputs.import_profile, inputs.import, inputs.import_row, inputs.import_progress
    to isms_inputs;
grant select, insert on inputs.import_chunk to isms_inputs;

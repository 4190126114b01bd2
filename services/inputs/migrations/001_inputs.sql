-- Schema inputs: what clause 9.3.2 wants considered, the measurements, imports, and what reviews froze.

create schema inputs;
grant usage on schema inputs to isms_inputs;

-- `detail` has one member, named after the kind: {"risk": {…}}, in proto JSON with the names of inputs.proto.
create table inputs.input (
    tenant_id      uuid not null references core.organisation (tenant_id),
    id             uuid not null,
    number         text not null,
    kind           text not null check (kind in (
                       'CONTEXT_ISSUE', 'REQUIREMENT', 'NONCONFORMITY', 'METRIC', 'AUDIT', 'FINDING', 'OBJECTIVE',
                       'FEEDBACK', 'RISK', 'TREATMENT', 'IMPROVEMENT')),
    title          text not null check (title <> ''),
    summary        text not null default '',
    owner_id       uuid,
    owner_name     text not null default '',
    source         text not null default '',
    external_id    text not null default '',
    severity       text not null default '' check (severity in (
                       '', 'INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL')),
    state          text not null default 'OPEN' check (state in ('OPEN', 'IN_PROGRESS', 'CLOSED')),
    effective_date date,
    due_date       date,
    closed_date    date,
    labels         text[] not null default '{}',
    evidence       jsonb not null default '[]' check (jsonb_typeof(evidence) = 'array'),
    related_ids    uuid[] not null default '{}',
    risk_impact    jsonb,
    detail         jsonb not null check (jsonb_typeof(detail -> lower(kind)) = 'object'
                                         and detail - lower(kind) = '{}'),
    revision       bigint not null default 1,
    create_time    timestamptz not null default now(),
    update_time    timestamptz not null default now(),
    delete_time    timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, number),
    check ((state = 'CLOSED') = (closed_date is not null))
);
-- Deleted ones included: a source that sends one again gets it back, not a second one.
create unique index input_external on inputs.input (tenant_id, source, external_id) where external_id <> '';
-- The orders of ListInputs, within a kind and over all (that by number is the unique key's).
create index input_kind on inputs.input (tenant_id, kind, number);
create index input_due on inputs.input (tenant_id, coalesce(due_date, 'infinity'), number);
create index input_updated on inputs.input (tenant_id, update_time desc, id desc);

-- Values at a time. Never changed: a correction is a row of its own, one at most for each row.
create table inputs.measurement (
    tenant_id     uuid not null,
    id            uuid not null,
    metric_id     uuid not null,
    observed_time timestamptz not null,
    value         double precision not null check (value between -1e15 and 1e15),
    note          text not null default '',
    external_id   text not null default '',
    corrects_id   uuid,
    recorded_time timestamptz not null, -- of a correction, that of what it corrects: it does not make a point late
    revision      bigint not null default 1,
    create_time   timestamptz not null default now(),
    update_time   timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, metric_id) references inputs.input (tenant_id, id),
    foreign key (tenant_id, corrects_id) references inputs.measurement (tenant_id, id)
);
create unique index measurement_point on inputs.measurement (tenant_id, metric_id, observed_time, external_id)
    where corrects_id is null;
create unique index measurement_correction on inputs.measurement (tenant_id, corrects_id)
    where corrects_id is not null;
create index measurement_time on inputs.measurement (tenant_id, metric_id, observed_time desc, id desc);

create table inputs.import (
    tenant_id      uuid not null references core.organisation (tenant_id),
    id             uuid not null,
    state          text not null default 'UPLOADING' check (state in ('UPLOADING', 'DONE', 'REFUSED', 'CHECKED')),
    kind           text not null,
    metric_id      uuid,
    file_name      text not null,
    source         text not null,
    columns        jsonb not null,
    dry_run        boolean not null,
    received_bytes bigint not null default 0,
    chunks         integer not null default 0,
    rows           integer not null default 0,
    created        integer not null default 0,
    updated        integer not null default 0,
    unchanged      integer not null default 0,
    errors         jsonb not null default '[]',
    error_count    integer not null default 0,
    revision       bigint not null default 1,
    create_time    timestamptz not null default now(),
    update_time    timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, metric_id) references inputs.input (tenant_id, id)
);

create table inputs.import_chunk (
    tenant_id   uuid not null,
    import_id   uuid not null,
    start       bigint not null,
    data        bytea not null,
    sequence    bigint not null default core.sequence(),
    create_time timestamptz not null default core.now(),
    primary key (tenant_id, import_id, start),
    foreign key (tenant_id, import_id) references inputs.import (tenant_id, id)
);

-- One for each attempt to open a review; the review says which succeeded. `content` is the canonical form that was
-- hashed, kept as those bytes.
create table inputs.snapshot (
    tenant_id   uuid not null references core.organisation (tenant_id),
    id          uuid not null,
    review_id   uuid not null,
    opening_id  uuid not null,
    start_date  date not null,
    end_date    date not null,
    as_of       timestamptz not null,
    at_sequence bigint not null,
    item_count  integer not null,
    content     bytea not null,
    sha256      text not null check (sha256 = encode(sha256(content), 'hex')),
    sequence    bigint not null default core.sequence(),
    create_time timestamptz not null default core.now(),
    primary key (tenant_id, id),
    unique (tenant_id, review_id, opening_id)
);

create table inputs.snapshot_item (
    tenant_id      uuid not null,
    snapshot_id    uuid not null,
    position       integer not null,
    kind           text not null,
    row_id         uuid not null,
    number         text not null,
    revision       bigint not null,
    content_sha256 text not null,
    sequence       bigint not null default core.sequence(),
    primary key (tenant_id, snapshot_id, position),
    foreign key (tenant_id, snapshot_id) references inputs.snapshot (tenant_id, id)
);
create index snapshot_item_row on inputs.snapshot_item (tenant_id, row_id);

-- The numbers people see begin with the kind, and with the year it came up.
create function inputs.number_prefix(kind text, day date) returns text language sql immutable parallel safe
    return case kind
        when 'CONTEXT_ISSUE' then 'CI' when 'REQUIREMENT' then 'RQ' when 'NONCONFORMITY' then 'NC'
        when 'METRIC' then 'KPI' when 'AUDIT' then 'AU' when 'FINDING' then 'FD' when 'OBJECTIVE' then 'OB'
        when 'FEEDBACK' then 'FB' when 'RISK' then 'RK' when 'TREATMENT' then 'TR' when 'IMPROVEMENT' then 'IM' end
        || '-' || lpad(extract(year from day)::text, 4, '0');

create function inputs.number_input() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.number := core.next_number(new.tenant_id,
        inputs.number_prefix(new.kind, coalesce(new.effective_date, (core.now() at time zone 'UTC')::date)));
    return new;
end
$$;
create trigger number_input before insert on inputs.input for each row execute function inputs.number_input();

-- A UUIDv7 for one of many rows of a call: the time of the call's :new_id, the rest from it and the row's key,
-- so that a repeated call makes the same ones.
create function inputs.row_id(base uuid, key text) returns uuid language sql immutable parallel safe as $$
    select encode(substr(uuid_send(base), 1, 6)
                  || set_byte(set_byte(substr(hash, 1, 10), 0, get_byte(hash, 0) & 15 | 112),
                              2, get_byte(hash, 2) & 63 | 128),
                  'hex')::uuid
    from sha256(uuid_send(base) || convert_to(key, 'UTF8')) hash
$$;

-- What an Input in proto JSON has of the members of its oneof `detail`; NULL: none.
create function inputs.detail_of(item jsonb) returns jsonb language sql immutable parallel safe
    return nullif(jsonb_strip_nulls(jsonb_build_object(
        'context_issue', item -> 'context_issue', 'requirement', item -> 'requirement',
        'nonconformity', item -> 'nonconformity', 'metric', item -> 'metric', 'audit', item -> 'audit',
        'finding', item -> 'finding', 'objective', item -> 'objective', 'feedback', item -> 'feedback',
        'risk', item -> 'risk', 'treatment', item -> 'treatment', 'improvement', item -> 'improvement')), '{}');

-- `old` as it is once the fields of `item` (an Input in proto JSON) that `paths` names are taken over, in the sense
-- of an update mask; none or "*": all that a client may change. Of a new one (`old` NULL) everything is taken.
-- What was deleted comes back. The one place where a client's content becomes a row: create, update and upsert
-- all come here.
create function inputs.merge(old inputs.input, new_id uuid, item jsonb, paths text[], today date) returns inputs.input
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    fields constant jsonb := '{"title": "", "summary": "", "owner_id": null, "owner_name": "", "severity": "",
        "state": "", "effective_date": null, "due_date": null, "closed_date": null, "labels": [], "evidence": [],
        "related_ids": [], "risk_impact": null}';
    own     constant text[] := '{tenant_id, id, number, kind, source, external_id, detail, revision, create_time,
        update_time, delete_time}';
    content jsonb := item;
    result  inputs.input := old;
    path    text;
    steps   text[];
    kind    text;
begin
    if old.id is not null and cardinality(paths) > 0 and paths <> '{*}' then
        content := to_jsonb(old) || old.detail;
        foreach path in array paths loop
            steps := string_to_array(path, '.');
            if not fields ? steps[1] and inputs.detail_of(jsonb_build_object(steps[1], true)) is null then
                perform core.fail('MASK_INVALID', 'path=' || path);
            end if;
            if item #> steps is null then
                content := content #- steps;
            else
                for depth in 1 .. cardinality(steps) - 1 loop
                    content := jsonb_set(content, steps[:depth],
                                         coalesce(nullif(content #> steps[:depth], 'null'), '{}'));
                end loop;
                content := jsonb_set(content, steps, item #> steps);
            end if;
        end loop;
    end if;

    result.detail := inputs.detail_of(content);
    select upper(min(k)) into kind from jsonb_object_keys(result.detail) k having count(*) = 1;
    if old.id is null then
        result.tenant_id := core.tenant();
        result.id := new_id;
        result.kind := kind;
        result.source := coalesce(item ->> 'source', '');
        result.external_id := coalesce(item ->> 'external_id', '');
    end if;
    if kind is distinct from result.kind or kind is null then
        perform core.fail('MASK_INVALID', 'field=detail' || coalesce(E'\nkind=' || result.kind, ''));
    end if;

    result := jsonb_populate_record(result, fields || (content - own));
    result.state := coalesce(nullif(result.state, ''), old.state, 'OPEN');
    result.closed_date := case when result.state = 'CLOSED'
                               then coalesce(result.closed_date, old.closed_date, today) end;
    result.delete_time := null;
    return result;
end
$$;

-- The first field of an input that refers to something that is not there; NULL: all is well. (Conditions are nested
-- so that an input without references, the usual case in an import, runs no query at all.)
create function inputs.wrong_reference(i inputs.input) returns text language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    field text := case i.kind when 'FINDING' then 'audit_id' when 'OBJECTIVE' then 'metric_id'
                              when 'TREATMENT' then 'risk_id' end;
    value text := i.detail -> lower(i.kind) ->> field;
begin
    if i.owner_id is not null then
        if not exists (select from core.member m where m.tenant_id = i.tenant_id and m.id = i.owner_id) then
            return 'owner_id';
        end if;
    end if;
    if i.related_ids <> '{}' then
        if exists (select from unnest(i.related_ids) r (id)
                   where not exists (select from inputs.input o where o.tenant_id = i.tenant_id and o.id = r.id)) then
            return 'related_ids';
        end if;
    end if;
    if value <> '' then
        if not exists (select from inputs.input o where o.tenant_id = i.tenant_id and o.id = value::uuid
                                                    and lower(o.kind) || '_id' = field) then
            return lower(i.kind) || '.' || field;
        end if;
    end if;
    return null;
end
$$;

do $$
declare
    target text;
begin
    foreach target in array array['input', 'measurement', 'import', 'import_chunk', 'snapshot', 'snapshot_item']
    loop
        call core.protect(('inputs.' || target)::regclass);
    end loop;
end
$$;
call core.log_changes('inputs.input');
-- Logged though never changed: the seals cover the values, and a repeated request is answered from the log.
call core.log_changes('inputs.measurement');
create trigger refuse_change before update on inputs.measurement
    for each statement execute function core.refuse_change();
call core.log_changes('inputs.import');
call core.append_only('inputs.import_chunk');
call core.append_only('inputs.snapshot');
call core.append_only('inputs.snapshot_item');

-- A snapshot is stored whole, in one transaction: nothing is added to it afterwards.
create function inputs.guard_snapshot() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from (select distinct tenant_id, snapshot_id from added) a
               where not exists (select from inputs.snapshot s where s.tenant_id = a.tenant_id and s.id = a.snapshot_id
                                                             and s.xmin = pg_current_xact_id()::xid)) then
        raise exception 'a snapshot is stored whole: nothing is added to it afterwards';
    end if;
    return null;
end
$$;
create trigger guard after insert on inputs.snapshot_item referencing new table as added
    for each statement execute function inputs.guard_snapshot();

-- An auditor sees what the reviews it is named for have frozen, and the rows behind it; nobody else who sees less than
-- all sees anything.
create policy scope on inputs.snapshot as restrictive using (
    case (select core.scope())
        when 'all' then true
        when 'auditor' then review_id = any ((select core.granted_reviews())::uuid[])
        else false
    end);
create policy scope on inputs.snapshot_item as restrictive using (
    (select core.scope()) = 'all'
    or snapshot_id in (select s.id from inputs.snapshot s where s.tenant_id = (select core.tenant())));
create policy scope on inputs.input as restrictive using (
    (select core.scope()) = 'all'
    or id in (select t.row_id from inputs.snapshot_item t where t.tenant_id = (select core.tenant())));
create policy scope on inputs.measurement as restrictive using (
    (select core.scope()) = 'all'
    or metric_id in (select i.id from inputs.input i where i.tenant_id = (select core.tenant())));
create policy scope on inputs.import as restrictive using ((select core.scope()) = 'all');
create policy scope on inputs.import_chunk as restrictive using ((select core.scope()) = 'all');

revoke all on all functions in schema inputs from public;
grant execute on all functions in schema inputs to isms_inputs;
grant select, insert, update on inputs.input, inputs.import to isms_inputs;
grant select, insert on inputs.measurement, inputs.import_chunk, inputs.snapshot, inputs.snapshot_item to isms_inputs;

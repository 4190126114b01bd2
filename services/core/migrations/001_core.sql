-- Schema core: what every service stands on. The organisations with their members and keys, the order of
-- writes, the change log, the claims of requests, the seals.
--
-- Rows are reached under row-level security with the tenant that begin_read() or begin_write() has set for
-- the transaction. What no service may forge (sequence, change, request, counter) is written by functions
-- of the owner only; services can read it.

create schema core;
revoke all on schema core from public;
grant usage on schema core to isms_inputs, isms_reviews, isms_actions, isms_reporting, isms_jobs;

-- Functions name their search_path, with pg_temp last: left out, it would come first, and whoever logs in as a service
-- could put a type of its own there (a domain "text", whose check runs a function) under what runs as the owner.

-- The transaction's facts. A setting that was set locally is '' afterwards, not NULL.
create function core.tenant() returns uuid language sql stable parallel safe
    return nullif(current_setting('app.tenant_id', true), '')::uuid;
create function core.actor() returns uuid language sql stable parallel safe
    return nullif(current_setting('app.actor', true), '')::uuid;
create function core.scope() returns text language sql stable parallel safe
    return coalesce(current_setting('app.scope', true), '');
-- For policies that say no more. Of `(select core.sees_all())` the planner expects half of the rows, of a comparison a
-- two-hundredth: it would sort all that an organisation has for a page of 50.
create function core.sees_all() returns boolean language sql stable parallel safe
    return core.scope() = 'all';
create function core.sequence() returns bigint language sql stable parallel safe
    return nullif(current_setting('app.sequence', true), '')::bigint;
create function core.now() returns timestamptz language sql stable parallel safe
    return nullif(current_setting('app.now', true), '')::timestamptz;
-- The reviews an auditor was given.
create function core.granted_reviews() returns uuid[] language sql stable parallel safe
    return coalesce(nullif(current_setting('app.review_ids', true), ''), '{}')::uuid[];

-- Ends the statement with a reason of errors.def; facts as "key=value", one a line.
create function core.fail(reason text, facts text default '') returns boolean language plpgsql as $$
begin
    raise exception using errcode = 'IS000', message = reason, detail = facts;
end
$$;

create table core.organisation (
    tenant_id    uuid primary key,
    name         text not null,
    state        text not null default 'ACTIVE' check (state in ('ACTIVE', 'SUSPENDED', 'ERASED')),
    time_zone    text not null default 'UTC',
    isms_scope   text not null default '',
    -- What the organisation may ask of each service; 0: what the installation's settings say.
    calls_per_second integer not null default 0 check (calls_per_second >= 0),
    calls_burst      integer not null default 0 check (calls_burst >= 0),
    calls_in_flight  integer not null default 0 check (calls_in_flight >= 0),
    revision     bigint not null default 1,
    create_time  timestamptz not null default now(),
    update_time  timestamptz not null default now()
);

create function core.new_salt() returns bytea language sql volatile parallel safe
    return sha256(uuid_send(gen_random_uuid()));

-- name, email, position and subject are personal data: the change log holds their salted hashes, so that they can be
-- erased. Each has a salt of its own, since the name's is disclosed with a signed record; see 002_life.sql.
create table core.member (
    tenant_id    uuid not null references core.organisation (tenant_id),
    id           uuid not null,
    name         text not null,
    email        text not null default '',
    position     text not null default '',
    roles        text[] not null default '{}',
    state        text not null default 'ACTIVE' check (state in ('ACTIVE', 'SUSPENDED', 'ERASED')),
    issuer       text not null default '',
    subject      text not null default '',
    review_ids   uuid[] not null default '{}', -- what a member who is only an auditor may see
    name_salt     bytea not null default core.new_salt(),
    email_salt    bytea not null default core.new_salt(),
    position_salt bytea not null default core.new_salt(),
    subject_salt  bytea not null default core.new_salt(),
    revision     bigint not null default 1,
    create_time  timestamptz not null default now(),
    update_time  timestamptz not null default now(),
    primary key (tenant_id, id)
);
create unique index member_subject on core.member (tenant_id, issuer, subject) where subject <> '';
create index member_name on core.member (tenant_id, name, id);

create table core.key (
    tenant_id     uuid not null references core.organisation (tenant_id),
    id            uuid not null,
    name          text not null,
    roles         text[] not null,
    permissions   text[] not null default '{}', -- narrows what the roles give; empty: does not
    form_id       uuid,                         -- of an intake token: the form that it submits to (003_intake.sql)
    secret_sha256 bytea not null check (octet_length(secret_sha256) = 32),
    -- After a rotation the secret before is good for a while, so that clients can be changed one by one.
    previous_secret_sha256 bytea check (octet_length(previous_secret_sha256) = 32),
    previous_expire_time   timestamptz,
    state         text not null default 'ACTIVE' check (state in ('ACTIVE', 'REVOKED')),
    expire_time   timestamptz,
    revision      bigint not null default 1,
    create_time   timestamptz not null default now(),
    update_time   timestamptz not null default now(),
    primary key (tenant_id, id),
    check (case when form_id is null then 'INTAKE' <> all (roles) else roles = '{INTAKE}' end)
);

-- When a key was last looked up; to the minute, and beside the change log.
create table core.key_use (
    tenant_id     uuid not null,
    id            uuid not null,
    last_use_time timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, id) references core.key (tenant_id, id)
);

-- One row an organisation: its writers queue on it, and its value numbers their transactions without gaps.
create table core.sequence (
    tenant_id uuid primary key references core.organisation (tenant_id),
    value     bigint not null default 0
);

-- The numbers people see: one counter for each prefix ("NC-2026").
create table core.counter (
    tenant_id uuid not null references core.organisation (tenant_id),
    prefix    text not null,
    value     bigint not null,
    primary key (tenant_id, prefix)
);

-- Every change of every logged table, for ever. (tenant_id, sequence, ordinal) is the order of commits.
create table core.change (
    tenant_id       uuid not null references core.organisation (tenant_id),
    sequence        bigint not null,
    ordinal         integer not null,
    service         text not null,
    method          text not null,
    table_name      text not null,        -- "actions.action"
    row_id          uuid not null,
    revision        bigint not null,
    operation       text not null check (operation in ('CREATE', 'UPDATE')),
    actor           uuid,
    actor_kind      text not null,        -- person, key, platform, service, job
    on_behalf_of    text not null,        -- the service that called for the actor; '' for a direct call
    request_id      uuid,
    change_time     timestamptz not null,
    content         text not null,        -- the row in canonical form; verified as these bytes, never rendered again;
                                          -- '' once it is erased with its organisation
    content_sha256  bytea not null,
    previous_sha256 bytea,                -- content_sha256 of the revision before
    primary key (tenant_id, sequence, ordinal)
);
create unique index change_revision on core.change (tenant_id, row_id, table_name, revision);
create index change_actor on core.change (tenant_id, actor, sequence, ordinal);

-- A changing call's claim of its request_id, made in the transaction that does the change. Each calling service
-- has ids of its own: those of its sagas can be computed by whoever knows a review's id, who must not claim them.
create table core.request (
    tenant_id      uuid not null references core.organisation (tenant_id),
    caller         text not null,         -- the service that called, for whomever; '' for a direct call
    request_id     uuid not null,
    method         text not null,
    request_sha256 bytea not null,
    sequence       bigint not null,
    answer         bytea,                 -- the packed response, where it cannot be made again from the change log
    create_time    timestamptz not null,
    primary key (tenant_id, caller, request_id)
);

-- A batch of the change log, sealed. The root is over the batch's changes, sha256 over root, previous
-- seal and range; the installation signs that.
create table core.seal (
    tenant_id       uuid not null references core.organisation (tenant_id),
    number          bigint not null,
    first_sequence  bigint not null,
    last_sequence   bigint not null,
    change_count    integer not null,
    merkle_root     bytea not null,
    previous_sha256 bytea,
    content         text not null,        -- the canonical form that was hashed and signed
    sha256          bytea not null,
    signature       bytea not null,
    key_id          text not null,
    create_time     timestamptz not null,
    primary key (tenant_id, number)
);
create unique index seal_range on core.seal (tenant_id, last_sequence);

-- Row-level security, forced, the same on every tenant table. The sub-select makes the tenant a value the
-- planner computes once, so that the index is used.
create procedure core.protect(target regclass) language plpgsql as $$
begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format('create policy tenant on %s using (tenant_id = (select core.tenant())) '
                   'with check (tenant_id = (select core.tenant()))', target);
end
$$;

-- revision and times are the database's own business.
create function core.touch() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        new.revision := 1;
        new.create_time := core.now();
    else
        new.revision := old.revision + 1;
        new.create_time := old.create_time;
    end if;
    new.update_time := core.now();
    return new;
end
$$;

-- A row in the form that is hashed: jsonb text (members in jsonb's fixed order, no time zone of the session's,
-- numbers exact), without the columns that `spec` leaves out ("-column") and with salted hashes in place
-- of personal data ("#column"; the salt is in "column_salt", and left out).
create function core.canonical(content jsonb, spec text[]) returns text
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    item text;
    name text;
begin
    foreach item in array spec loop
        name := substr(item, 2);
        if left(item, 1) = '#' then
            content := jsonb_set(content, array[name], to_jsonb('sha256:' || encode(sha256(
                (content ->> (name || '_salt'))::bytea || convert_to(content ->> name, 'UTF8')), 'hex')));
            name := name || '_salt';
        end if;
        if left(item, 1) in ('#', '-') then
            content := content - name;
        end if;
    end loop;
    return content::text;
end
$$;

-- Writes the change log. One trigger for all tables, so that nothing that changes data can forget to;
-- it runs as the owner, so that no service can write a change that did not happen.
create function core.record_change() returns trigger language plpgsql security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set extra_float_digits = 1 as $$
declare
    v_sequence bigint := core.sequence();
    v_ordinal  integer := coalesce(nullif(current_setting('app.ordinal', true), ''), '0')::integer + 1;
    v_row      jsonb := to_jsonb(new);
    v_content  text;
    v_id       uuid := coalesce(v_row ->> 'id', v_row ->> 'tenant_id')::uuid;
    v_previous bytea;
begin
    if v_sequence is null then
        raise exception 'a change of % outside core.begin_write()', tg_table_name;
    end if;
    v_content := core.canonical(v_row, coalesce(tg_argv::text[], '{}'));
    if new.revision > 1 then
        select c.content_sha256 into v_previous from core.change c
        where c.tenant_id = new.tenant_id and c.table_name = tg_table_schema || '.' || tg_table_name
          and c.row_id = v_id and c.revision = new.revision - 1;
    end if;
    insert into core.change values (
        new.tenant_id, v_sequence, v_ordinal,
        current_setting('app.service'), current_setting('app.method'),
        tg_table_schema || '.' || tg_table_name, v_id, new.revision,
        case tg_op when 'INSERT' then 'CREATE' else 'UPDATE' end,
        core.actor(), current_setting('app.actor_kind'), current_setting('app.on_behalf_of'),
        nullif(current_setting('app.request_id'), '')::uuid, core.now(),
        v_content, sha256(convert_to(v_content, 'UTF8')), v_previous);
    perform set_config('app.ordinal', v_ordinal::text, true);
    perform set_config('app.written', 'yes', true);
    return null;
end
$$;

-- For append-only tables, which are their own log: they carry the sequence they were written under.
create function core.record_append() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if core.sequence() is null then
        raise exception 'a write to % outside core.begin_write()', tg_table_name;
    end if;
    if exists (select from added) then
        perform set_config('app.written', 'yes', true);
    end if;
    return null;
end
$$;

create function core.refuse_change() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'rows of %.% are never changed or deleted', tg_table_schema, tg_table_name;
end
$$;

-- What was written stays as long as its organisation: core.erase_content() deletes what one wrote that has ended.
create function core.refuse_delete() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op <> 'DELETE'
       or not exists (select from core.organisation o where o.tenant_id = core.tenant() and o.state = 'ERASED') then
        raise exception 'rows of %.% are never deleted', tg_table_schema, tg_table_name;
    end if;
    return null;
end
$$;

-- Makes `target` a logged table: touched, recorded, never deleted from. spec: see core.canonical().
create procedure core.log_changes(target regclass, variadic spec text[] default '{}') language plpgsql as $$
declare
    arguments text := (select coalesce(string_agg(quote_literal(s), ', '), '') from unnest(spec) s);
begin
    execute format('create trigger touch before insert or update on %s '
                   || 'for each row execute function core.touch()', target);
    execute format('create trigger record_change after insert or update on %s '
                   || 'for each row execute function core.record_change(%s)', target, arguments);
    execute format('create trigger refuse_delete before delete or truncate on %s '
                   || 'for each statement execute function core.refuse_delete()', target);
end
$$;

-- Makes `target` an append-only table.
create procedure core.append_only(target regclass) language plpgsql as $$
begin
    execute format('create trigger record_append after insert on %s referencing new table as added '
                   || 'for each statement execute function core.record_append()', target);
    execute format('create trigger refuse_change before update on %s '
                   || 'for each statement execute function core.refuse_change()', target);
    execute format('create trigger refuse_delete before delete or truncate on %s '
                   || 'for each statement execute function core.refuse_delete()', target);
end
$$;

-- Whether a key of the platform's may act for an organisation right now. The key's row is the platform's, so for that
-- one look the platform is the tenant; whatever comes of it, the tenant is the organisation again, or nothing goes on.
create function core.may_act(p_tenant uuid, p_key uuid, p_version bigint) returns boolean
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c_platform constant uuid := '00000000-0000-0000-0000-000000000000';
    v_known    boolean;
begin
    perform set_config('app.tenant_id', c_platform::text, true);
    select true into v_known from core.key k join core.organisation o using (tenant_id)
    where k.tenant_id = c_platform and k.id = p_key and p_version in (k.revision + o.revision, 0)
      and k.state = 'ACTIVE' and (k.expire_time is null or k.expire_time > now())
      and 'PLATFORM_AGENT' = any (k.roles) and (k.permissions = '{}' or 'platform.act' = any (k.permissions));
    perform set_config('app.tenant_id', p_tenant::text, true);
    return v_known is true and p_tenant <> c_platform
           and exists (select from core.organisation o where o.tenant_id = p_tenant and o.state = 'ACTIVE');
end
$$;

-- Begins a segment that reads: sets the transaction's facts, and makes sure that whoever calls is still who the
-- cached credential says. p_version 0: another service asserted the identity, which may have ended since; the
-- assertion does not say whether it is a member, a key, or a key of the platform's. Jobs act for nobody, and go on
-- where people may not: what was signed is issued and sealed all the same. This runs once in every segment, as its
-- caller and with every name in full, so that it needs no search_path of its own, which would cost a tenth of it.
-- (The types of its variables as well: they are looked up once, and begin_write() runs it as the owner.)
create function core.begin_read(p_tenant uuid, p_actor uuid, p_kind text, p_version bigint, p_scope text,
                                p_timeout_ms integer) returns void language plpgsql as $$
declare
    v_reviews pg_catalog.uuid[] := '{}';
    v_known   boolean := true;
begin
    perform set_config('app.tenant_id', p_tenant::text, true),
            set_config('app.actor', coalesce(p_actor::text, ''), true),
            set_config('app.actor_kind', p_kind, true),
            set_config('app.scope', p_scope, true),
            set_config('statement_timeout', greatest(p_timeout_ms, 1)::text, true),
            set_config('lock_timeout', least(greatest(p_timeout_ms, 1), 3000)::text, true);
    if p_version > 0 then
        if p_kind = 'key' then
            select true into v_known from core.key k join core.organisation o using (tenant_id)
            where k.tenant_id = p_tenant and k.id = p_actor and k.revision + o.revision = p_version
              and k.state = 'ACTIVE' and o.state = 'ACTIVE'
              and (k.expire_time is null or k.expire_time > now());
        elsif p_kind = 'platform' then
            v_known := core.may_act(p_tenant, p_actor, p_version);
        else
            select true, m.review_ids into v_known, v_reviews
            from core.member m join core.organisation o using (tenant_id)
            where m.tenant_id = p_tenant and m.id = p_actor and m.revision + o.revision = p_version
              and m.state = 'ACTIVE' and o.state = 'ACTIVE';
        end if;
        if v_known is not true then
            perform core.fail('CREDENTIAL_STALE');
        end if;
    elsif p_kind <> 'job' then
        select m.review_ids into v_reviews
        from core.member m join core.organisation o using (tenant_id)
        where m.tenant_id = p_tenant and m.id = p_actor and m.state = 'ACTIVE' and o.state = 'ACTIVE';
        if not found and not exists (
                select from core.key k join core.organisation o using (tenant_id)
                where k.tenant_id = p_tenant and k.id = p_actor and k.state = 'ACTIVE' and o.state = 'ACTIVE'
                  and (k.expire_time is null or k.expire_time > now())) then
            if not core.may_act(p_tenant, p_actor, 0) then
                perform core.fail('CREDENTIAL_INVALID', 'cause=ACTOR');
            end if;
            perform set_config('app.actor_kind', 'platform', true); -- so that the organisation's log says who it was
        end if;
    end if;
    perform set_config('app.review_ids', coalesce(v_reviews, '{}')::text, true);
end
$$;

-- Begins a segment that writes: takes the organisation's writer order, advances the sequence and claims the request. A
-- request that was done before ends with REPLAY and its sequence; the same id with another request with
-- REQUEST_ID_REUSED. Other writers are waited for p_lock_ms at most.
create function core.begin_write(p_tenant uuid, p_actor uuid, p_kind text, p_version bigint, p_scope text,
                                 p_timeout_ms integer, p_service text, p_method text, p_request_id uuid,
                                 p_request_sha256 bytea, p_on_behalf_of text, p_now timestamptz,
                                 p_lock_ms integer default 3000)
    returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_caller   text := coalesce(p_on_behalf_of, '');
    v_sequence bigint;
    v_request  core.request;
begin
    -- The writer that is waited for here may be suspending this caller: so wait first, then look.
    perform set_config('app.tenant_id', p_tenant::text, true),
            set_config('lock_timeout', least(greatest(p_timeout_ms, 1), p_lock_ms)::text, true);
    update core.sequence s set value = value + 1 where s.tenant_id = p_tenant returning value into v_sequence;
    perform core.begin_read(p_tenant, p_actor, p_kind, p_version, p_scope, p_timeout_ms);
    perform set_config('app.service', p_service, true),
            set_config('app.method', p_method, true),
            set_config('app.request_id', coalesce(p_request_id::text, ''), true),
            set_config('app.on_behalf_of', v_caller, true),
            set_config('app.now', p_now::text, true),
            set_config('app.ordinal', '0', true),
            set_config('app.written', '', true);
    if v_sequence is null then
        perform core.fail('NOT_FOUND');
    end if;
    perform set_config('app.sequence', v_sequence::text, true);
    if p_request_id is not null then
        insert into core.request (tenant_id, caller, request_id, method, request_sha256, sequence, create_time)
        values (p_tenant, v_caller, p_request_id, p_method, p_request_sha256, v_sequence, p_now)
        on conflict do nothing;
        if not found then
            select * into v_request from core.request r
            where r.tenant_id = p_tenant and r.caller = v_caller and r.request_id = p_request_id;
            -- Whoever sees only its own, or nothing, is told only its own answers.
            if v_request.method = p_method and v_request.request_sha256 = p_request_sha256
               and (p_scope not in ('own', 'none')
                    or exists (select from core.change c where c.tenant_id = p_tenant and c.actor = p_actor
                                                           and c.sequence = v_request.sequence)) then
                perform core.fail('REPLAY', 'sequence=' || v_request.sequence);
            end if;
            perform core.fail('REQUEST_ID_REUSED');
        end if;
    end if;
    return v_sequence;
end
$$;

-- Ends a segment that writes. Where nothing was written it takes everything back, the sequence and the
-- claim included. p_answer is kept for a repeated request.
create function core.end_write(p_answer bytea) returns void language plpgsql security definer
    set search_path = pg_catalog, pg_temp as $$
begin
    if coalesce(current_setting('app.written', true), '') = '' then
        perform core.fail('UNCHANGED');
    end if;
    if p_answer is not null then
        update core.request r set answer = p_answer
        where r.tenant_id = core.tenant() and r.caller = current_setting('app.on_behalf_of')
          and r.request_id = nullif(current_setting('app.request_id'), '')::uuid;
    end if;
end
$$;

-- The next number people see: "NC-2026-014". Writers of one organisation are in order already, so a rolled
-- back number is given again and none is given twice.
create function core.next_number(p_tenant uuid, p_prefix text, p_digits integer default 3) returns text
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_value bigint;
begin
    insert into core.counter as c values (p_tenant, p_prefix, 1)
    on conflict (tenant_id, prefix) do update set value = c.value + 1 returning value into v_value;
    return p_prefix || '-' || case when length(v_value::text) >= p_digits then v_value::text
                                   else lpad(v_value::text, p_digits, '0') end;
end
$$;

-- Who a credential belongs to, and what its organisation may ask. Both need app.tenant_id set first. The revision is
-- that of the member or key and that of the organisation together: their sum changes with either and never comes
-- back, so that a change of either ends what is remembered of the credential.
create type core.credential as (
    id uuid, roles text[], state text, revision bigint, expire_time timestamptz,
    calls_per_second integer, calls_burst integer, calls_in_flight integer,
    permissions text[], secret_sha256 bytea, previous_secret_sha256 bytea, previous_expire_time timestamptz
);
-- What the transaction's own caller may do as things are now, for jobs that act on somebody's behalf; no row: it is the
-- platform. `permissions`, where there are any, narrow what the roles give.
create function core.own_rights() returns table (roles text[], permissions text[])
    language sql stable security definer set search_path = pg_catalog, pg_temp
    begin atomic
        select m.roles, '{}'::text[] from core.member m where m.tenant_id = core.tenant() and m.id = core.actor()
        union all
        select k.roles, k.permissions from core.key k where k.tenant_id = core.tenant() and k.id = core.actor();
    end;

-- A look-up with the right secret is a use. It need not survive a crash, nor wait for a standby. An intake token is in
-- the hands of people outside, so its limits are its own and narrow: enough for a page that many people open at once.
create function core.find_key(p_tenant uuid, p_id uuid, p_secret_sha256 bytea) returns setof core.credential
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    insert into core.key_use as u (tenant_id, id, last_use_time)
    select k.tenant_id, k.id, now() from core.key k
    where k.tenant_id = p_tenant and k.id = p_id and k.state = 'ACTIVE'
      and (p_secret_sha256 = k.secret_sha256
           or p_secret_sha256 = k.previous_secret_sha256 and k.previous_expire_time > now())
    on conflict (tenant_id, id) do update set last_use_time = excluded.last_use_time
    where u.last_use_time < excluded.last_use_time - interval '1 minute';
    return query
        select k.id, k.roles, case when o.state = 'ACTIVE' then k.state else o.state end, k.revision + o.revision,
               k.expire_time,
               case when k.form_id is null then o.calls_per_second else 5 end,
               case when k.form_id is null then o.calls_burst else 20 end,
               case when k.form_id is null then o.calls_in_flight else 8 end,
               k.permissions, k.secret_sha256, k.previous_secret_sha256, k.previous_expire_time
        from core.key k join core.organisation o using (tenant_id) where k.tenant_id = p_tenant and k.id = p_id;
end
$$;
create function core.find_member(p_tenant uuid, p_issuer text, p_subject text) returns setof core.credential
    language sql stable security definer set search_path = pg_catalog, pg_temp
    begin atomic
        select m.id, m.roles, case when o.state = 'ACTIVE' then m.state else o.state end, m.revision + o.revision,
               null::timestamptz, o.calls_per_second, o.calls_burst, o.calls_in_flight,
               '{}'::text[], null::bytea, null::bytea, null::timestamptz
        from core.member m join core.organisation o using (tenant_id)
        where m.tenant_id = p_tenant and m.issuer = p_issuer and m.subject = p_subject and p_subject <> '';
    end;

do $$
declare
    target text;
begin
    foreach target in array array['organisation', 'member', 'key', 'key_use', 'sequence', 'counter', 'change',
                                  'request', 'seal']
    loop
        call core.protect(('core.' || target)::regclass);
    end loop;
end
$$;
call core.log_changes('core.organisation');
call core.log_changes('core.member', '#name', '#email', '#position', '#subject');
call core.log_changes('core.key', '-secret_sha256', '-previous_secret_sha256');
-- A seal is about the log and not in it: it takes no sequence.
create trigger refuse_change before update or delete or truncate on core.seal
    for each statement execute function core.refuse_change();
create trigger refuse_change before delete or truncate on core.change
    for each statement execute function core.refuse_change();
-- The log of an organisation that has ended may forget what was written, and nothing else: hashes and seals hold.
create function core.guard_change() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_emptied core.change := old;
begin
    v_emptied.content := '';
    if new is distinct from v_emptied
       or not exists (select from core.organisation o where o.tenant_id = new.tenant_id and o.state = 'ERASED') then
        raise exception 'rows of core.change are never changed';
    end if;
    return new;
end
$$;
create trigger guard before update on core.change for each row execute function core.guard_change();

-- Exceptions to "one tenant only", each with its reason. The test of the catalogue has the same list.
-- The platform's administrators list organisations; they see nothing else of them.
create policy platform on core.organisation for select to isms_reviews using ((select core.scope()) = 'platform');
-- The jobs find out which organisations have something to do.
create policy jobs on core.sequence for select to isms_jobs using (true);
create policy jobs on core.seal for select to isms_jobs using (true);

revoke all on all functions in schema core from public;
revoke all on all procedures in schema core from public;
grant execute on function core.tenant, core.actor, core.scope, core.sees_all, core.sequence, core.now,
    core.granted_reviews, core.fail, core.begin_read, core.may_act, core.begin_write, core.end_write,
    core.next_number, core.find_key, core.find_member, core.canonical, core.touch, core.record_append,
    core.refuse_change, core.refuse_delete to isms_inputs, isms_reviews, isms_actions, isms_reporting;
-- The policies `tenant` ask for it. The jobs write under their services' roles.
grant execute on function core.tenant to isms_jobs;
grant execute on function core.new_salt to isms_reviews, isms_inputs;
grant execute on function core.own_rights to isms_inputs;

grant select on core.organisation, core.change, core.request, core.seal, core.sequence
    to isms_inputs, isms_reviews, isms_actions, isms_reporting;
grant select (tenant_id, id, name, roles, state, position, review_ids, revision) on core.member
    to isms_inputs, isms_actions, isms_reporting;
grant select (tenant_id, id, state, expire_time, revision) on core.key to isms_inputs, isms_actions, isms_reporting;
grant select, insert, update on core.organisation, core.member, core.key to isms_reviews;
grant select on core.key_use to isms_reviews;
grant insert on core.seal to isms_reporting;
grant select (tenant_id, value) on core.sequence to isms_jobs;
grant select (tenant_id, number, last_sequence) on core.seal to isms_jobs;

-- The platform's own organisation: its administrators and keys create and suspend the others. The zero
-- UUID cannot be made by the service, which gives version 7 ids.
select set_config('app.tenant_id', '00000000-0000-0000-0000-000000000000', true),
       set_config('app.actor', '', true), set_config('app.actor_kind', 'job', true),
       set_config('app.service', 'migrate', true), set_config('app.method', 'migrate', true),
       set_config('app.request_id', '', true), set_config('app.on_behalf_of', '', true),
       set_config('app.now', now()::text, true), set_config('app.sequence', '1', true);
insert into core.organisation (tenant_id, name) values ('00000000-0000-0000-0000-000000000000', 'Platform');
insert into core.sequence values ('00000000-0000-0000-0000-000000000000', 1);

-- How organisations begin and end, how people in them are forgotten, and how everything is taken along.
--
-- Personal data is in core.member only, with a salt for each text; the change log and what is signed have salted
-- hashes. So erasing is replacing the texts and the salts: docs/tenants.md. An export is of one sequence of the change
-- log, for which the log itself is read: docs/export.md.

-- The planner's statistics would keep samples of personal data beyond an erasure.
alter table core.member alter column name set statistics 0, alter column email set statistics 0,
    alter column position set statistics 0, alter column subject set statistics 0;

-- Whoever kept a salt could try texts against the hash of the erased one: so no salt outlives its text. And who was
-- erased stays so, whatever a statement says.
create function core.guard_member() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.state = 'ERASED' then
        perform core.fail('WRONG_STATE', E'state=ERASED\nallowed=ACTIVE,SUSPENDED');
    end if;
    if new.name <> old.name then
        new.name_salt := core.new_salt();
    end if;
    if new.email <> old.email then
        new.email_salt := core.new_salt();
    end if;
    if new.position <> old.position then
        new.position_salt := core.new_salt();
    end if;
    if new.subject <> old.subject then
        new.subject_salt := core.new_salt();
    end if;
    return new;
end
$$;
create trigger guard before update on core.member for each row execute function core.guard_member();
create function core.guard_organisation() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.state = 'ERASED' then
        perform core.fail('WRONG_STATE', 'state=ERASED');
    end if;
    return new;
end
$$;
create trigger guard before update on core.organisation for each row execute function core.guard_organisation();

-- A new organisation with its first administrator and a key for them, from inside a write of the platform's: the
-- rows are written and logged as the new tenant's first transaction, by the platform's actor and request, and
-- the caller's facts are put back, so that end_write() ends what begin_write() began.
create function core.add_organisation(p_tenant uuid, p_name text, p_time_zone text, p_isms_scope text,
                                      p_member uuid, p_member_name text, p_email text, p_position text,
                                      p_roles text[], p_issuer text, p_subject text,
                                      p_key uuid, p_key_name text, p_key_roles text[], p_secret_sha256 bytea)
    returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_tenant   text := current_setting('app.tenant_id');
    v_sequence text := current_setting('app.sequence');
    v_ordinal  text := current_setting('app.ordinal');
begin
    perform set_config('app.tenant_id', p_tenant::text, true),
            set_config('app.sequence', '1', true),
            set_config('app.ordinal', '0', true);
    insert into core.organisation (tenant_id, name, time_zone, isms_scope)
    values (p_tenant, p_name, p_time_zone, p_isms_scope);
    insert into core.sequence values (p_tenant, 1);
    insert into core.member (tenant_id, id, name, email, position, roles, issuer, subject)
    values (p_tenant, p_member, p_member_name, p_email, p_position, p_roles, p_issuer, p_subject);
    insert into core.key (tenant_id, id, name, roles, secret_sha256)
    values (p_tenant, p_key, p_key_name, p_key_roles, p_secret_sha256);
    perform set_config('app.tenant_id', v_tenant, true),
            set_config('app.sequence', v_sequence, true),
            set_config('app.ordinal', v_ordinal, true);
end
$$;

-- From inside a write of the platform's into the order of writes and the change log of an organisation, by the same
-- actor and request; answers what core.leave() puts back. For functions of the owner only.
create function core.enter(p_tenant uuid) returns text[] language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_facts text[] := array[current_setting('app.tenant_id'), current_setting('app.sequence'),
                            current_setting('app.ordinal')];
    v_value bigint;
begin
    perform set_config('app.tenant_id', p_tenant::text, true);
    update core.sequence s set value = value + 1
    where s.tenant_id = p_tenant and p_tenant::text <> v_facts[1] returning value into v_value;
    if v_value is null then
        perform core.fail('NOT_FOUND');
    end if;
    perform set_config('app.sequence', v_value::text, true), set_config('app.ordinal', '0', true);
    return v_facts;
end
$$;
create function core.leave(p_facts text[]) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('app.tenant_id', p_facts[1], true),
            set_config('app.sequence', p_facts[2], true),
            set_config('app.ordinal', p_facts[3], true);
end
$$;

-- Forgets people, one or (p_member null) all of the organisation that the transaction is for: what is left is that
-- there was somebody, under an id. The claims of the requests that named them are kept, so that none of them is done
-- twice, but not the hashes: whoever guessed name and address could tell by them. The claim of the organisation's
-- making is among the platform's.
create function core.erase_members(p_tenant uuid, p_member uuid) returns setof core.member
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_tenant   text := current_setting('app.tenant_id');
    v_requests uuid[];
    v_making   uuid[];
begin
    select array_agg(c.request_id), array_agg(c.request_id) filter (where c.method = 'CreateOrganisation')
    into v_requests, v_making
    from core.change c
    where c.tenant_id = p_tenant and c.table_name = 'core.member' and (p_member is null or c.row_id = p_member);
    update core.request r set request_sha256 = core.new_salt()
    where r.tenant_id = p_tenant and r.request_id = any (v_requests);
    perform set_config('app.tenant_id', '00000000-0000-0000-0000-000000000000', true);
    update core.request r set request_sha256 = core.new_salt()
    where r.tenant_id = '00000000-0000-0000-0000-000000000000' and r.request_id = any (v_making);
    perform set_config('app.tenant_id', v_tenant, true);
    return query
        update core.member m
        set name = 'Erased member ' || right(m.id::text, 8), email = '', position = '', issuer = '', subject = '',
            state = 'ERASED'
        where m.tenant_id = p_tenant and (p_member is null or m.id = p_member) and m.state <> 'ERASED'
        returning m.*;
end
$$;

-- Takes away what an organisation that has ended wrote into a schema: the rows of its tables but `p_kept`, and what the
-- change log says of all of them. That there was each revision, when, by whom and of which hash stays in the log, and
-- the seals cover it. Tables made later refer to those before, so they go first.
create function core.erase_content(p_tenant uuid, p_schema text, p_kept text[]) returns void language plpgsql
    set search_path = pg_catalog, pg_temp as $$
declare
    v_scope constant text := core.scope();
    v_table regclass;
begin
    execute 'discard plans'; -- of the checks of foreign keys, for each row: made for small tables, they read all of it
    perform set_config('app.scope', 'all', true);
    update core.change c set content = ''
    where c.tenant_id = p_tenant and c.content <> '' and split_part(c.table_name, '.', 1) = p_schema;
    for v_table in select c.oid from pg_catalog.pg_class c
                   where c.relnamespace = p_schema::regnamespace and c.relkind in ('r', 'p')
                     and c.relname <> all (p_kept)
                   order by c.oid desc
    loop
        execute format('delete from %s where tenant_id = $1', v_table) using p_tenant;
    end loop;
    perform set_config('app.scope', v_scope, true);
end
$$;

-- Ends a suspended organisation for good, from inside a write of the platform's, as core.add_organisation() begins one.
-- Its people, keys, stored answers and inputs go; what was decided and signed stays, with the log and the seals over
-- it. The claims that services made for its reviews stay: by them, nothing is issued twice. A service whose content
-- goes as well has a function erase_content(tenant) in its schema.
create function core.erase_organisation(p_tenant uuid, p_name text)
    returns table (id uuid, name text, state text) language plpgsql security definer
    set search_path = pg_catalog, pg_temp as $$
declare
    v_platform     text[] := core.enter(p_tenant);
    v_organisation core.organisation;
    v_schema       text;
begin
    select * into v_organisation from core.organisation o where o.tenant_id = p_tenant;
    if v_organisation.state <> 'SUSPENDED' then
        perform core.fail('WRONG_STATE', 'state=' || v_organisation.state || E'\nallowed=SUSPENDED');
    elsif v_organisation.name <> p_name then
        perform core.fail('FIELD_INVALID', 'field=name');
    end if;
    perform core.erase_members(p_tenant, null);
    update core.key k
    set state = 'REVOKED', name = 'Erased key ' || right(k.id::text, 8),
        secret_sha256 = decode(repeat('00', 32), 'hex'), previous_secret_sha256 = null, previous_expire_time = null
    where k.tenant_id = p_tenant;
    delete from core.key_use u where u.tenant_id = p_tenant;
    delete from core.request r where r.tenant_id = p_tenant and r.caller = '';
    update core.request r set answer = null where r.tenant_id = p_tenant and r.answer is not null;
    update core.organisation o
    set name = 'Erased organisation ' || right(p_tenant::text, 8), isms_scope = '', state = 'ERASED'
    where o.tenant_id = p_tenant
    returning * into v_organisation;
    update core.change c set content = '' where c.tenant_id = p_tenant and c.table_name = 'core.key';
    foreach v_schema in array '{inputs,reviews,actions,reporting}'::text[] loop
        if to_regprocedure(v_schema || '.erase_content(uuid)') is not null then
            execute format('select %I.erase_content($1)', v_schema) using p_tenant;
        end if;
    end loop;
    perform core.leave(v_platform);
    return query select v_organisation.tenant_id, v_organisation.name, v_organisation.state;
end
$$;

-- That somebody took everything along is worth a line in the change log, which says who.
create table core.export (
    tenant_id    uuid not null references core.organisation (tenant_id),
    id           uuid not null,
    service      text not null,
    at_sequence  bigint not null,
    revision     bigint not null default 1,
    create_time  timestamptz not null default now(),
    update_time  timestamptz not null default now(),
    primary key (tenant_id, id)
);
call core.protect('core.export');
call core.log_changes('core.export');

-- Begins a service's part of an export; answers the sequence at which everything is read (0: now).
create function core.begin_export(p_tenant uuid, p_id uuid, p_service text, p_sequence bigint) returns bigint
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_sequence bigint := coalesce(nullif(p_sequence, 0), core.sequence());
begin
    if v_sequence > core.sequence() then
        perform core.fail('FIELD_INVALID', 'field=at_sequence');
    end if;
    insert into core.export (tenant_id, id, service, at_sequence) values (p_tenant, p_id, p_service, v_sequence);
    return v_sequence;
end
$$;

-- The tables of an export: all there are, those that others refer to first, but for these.
create function core.exported_tables(p_schemas text[]) returns text[] language sql stable
    set search_path = pg_catalog, pg_temp
    begin atomic
        select array_agg(n.nspname || '.' || c.relname order by c.oid)
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and n.nspname = any (p_schemas)
          and n.nspname || '.' || c.relname <> all (array[
              'core.request',  -- claims, by which repeated requests are recognised here
              'core.key_use',  -- of keys that are good here only
              'core.counter',  -- the numbers themselves are in the rows
              'core.sequence', -- named at the head of the export
              'inputs.import_chunk', 'inputs.import_row', 'inputs.import_progress', -- working data of imports
              'inputs.input_text', -- the words of what is in inputs.input
              'inputs.evidence_object' -- where bytes lie here; the export names files by hash
          ]);
    end;

-- A page of a table as it was at a sequence, in the order of its key, after the row with the key p_after ('': from the
-- beginning), as its caller may see it; empty at the end. A logged row is its revision in the change log, byte for
-- byte, but for its personal data, which the log does not have, and which is as it is now; '' stands for a row that
-- came later. Any other row has the sequence it was written at. Rows are read in the key's order and rendered one by
-- one, so that a page costs what is in it; the settings keep the planner from sorting a large table instead.
create function core.export_page(p_table text, p_sequence bigint, p_after text) returns table (key text, content text)
    language plpgsql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC' set extra_float_digits = 1
    set bytea_output = 'hex' set enable_sort = off set enable_bitmapscan = off set enable_seqscan = off set jit = off
    as $$
declare
    c_rows      constant integer := 500;
    c_bytes     constant integer := 128 * 1024; -- what a reader that stalls keeps in memory
    v_table     constant regclass := p_table;
    v_columns   constant text[] := array(select a.attname from pg_catalog.pg_attribute a
                                         where a.attrelid = v_table and a.attnum > 0 and not a.attisdropped);
    v_is_logged constant boolean := exists (select from pg_catalog.pg_trigger g
                                            where g.tgrelid = v_table and g.tgname = 'record_change');
    v_bytes     bigint := 0;
    v_key       text; -- columns of the key, the same as texts, and out of p_after
    v_key_texts text;
    v_after     text;
    v_order     text; -- the tenant is the same in all: with it, the planner would not see that the page is in order
    v_condition text := 't.tenant_id = $1';
    v_log       text := '';
    v_content   text := 'to_jsonb(t)::text';
begin
    select string_agg(format('t.%I', a.attname), ', ' order by k.n),
           string_agg(format('t.%I::text', a.attname), ', ' order by k.n),
           string_agg(format('($3::json ->> %s)::%s', k.n - 1, format_type(a.atttypid, null)), ', ' order by k.n),
           coalesce(' order by ' || string_agg(format('t.%I', a.attname), ', ' order by k.n) filter (where k.n > 1), '')
    into v_key, v_key_texts, v_after, v_order
    from pg_catalog.pg_index x
    cross join unnest(x.indkey) with ordinality k (attnum, n)
    join pg_catalog.pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum
    where x.indrelid = v_table and x.indisprimary;
    if p_after <> '' then
        v_condition := v_condition || format(' and (%s) > (%s)', v_key, v_after);
    end if;
    if v_is_logged then
        v_log := format(
            'left join lateral (select c.content from core.change c'
            ' where c.tenant_id = t.tenant_id and c.row_id = t.%I and c.table_name = %L and c.sequence <= $2'
            ' order by c.revision desc limit 1) c on true',
            case when 'id' = any (v_columns) then 'id' else 'tenant_id' end, p_table);
        select format('coalesce((c.content::jsonb || jsonb_build_object(%s))::text, '''')',
                      string_agg(format('%L, t.%I, %L, t.%I', name, name, name || '_salt', name || '_salt'), ', '))
        into v_content
        from unnest(v_columns) name where name || '_salt' = any (v_columns)
        having count(*) > 0;
        v_content := coalesce(v_content, 'coalesce(c.content, '''')');
    else
        v_condition := v_condition || format(' and t.%I <= $2', case when 'sequence' = any (v_columns) then 'sequence'
                                                                     else 'last_sequence' end);
    end if;
    for key, content in execute format(
        'select json_build_array(%1$s)::text, %2$s from (select * from %3$s t where %4$s %5$s limit %6$s) t %7$s %5$s',
        v_key_texts, v_content, v_table, v_condition, v_order, c_rows, v_log)
        using core.tenant(), p_sequence, p_after
    loop
        return next;
        v_bytes := v_bytes + octet_length(content);
        exit when v_bytes > c_bytes;
    end loop;
end
$$;

-- core.find_member() of a subject that its issuer's tokens make a member, or give roles: p_managed are all the roles
-- that they could give, of which it has p_roles. In a write of its own, as a job's: the subject is not somebody yet.
-- The writer order keeps two first calls apart; the second finds what the first has made, writes nothing and takes
-- itself back. Who is suspended stays so, and an organisation keeps somebody who administers it. Needs app.tenant_id
-- set first.
create function core.provision_member(p_tenant uuid, p_issuer text, p_subject text, p_id uuid, p_name text,
                                      p_email text, p_roles text[], p_managed text[], p_service text, p_now timestamptz)
    returns setof core.credential language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c_platform constant uuid := '00000000-0000-0000-0000-000000000000';
    v_member core.member;
    v_roles  text[];
begin
    if p_tenant = c_platform or p_subject = '' or p_roles && '{PLATFORM_ADMIN,PLATFORM_AGENT,INTAKE}'
       or not exists (select from core.organisation o where o.tenant_id = p_tenant and o.state = 'ACTIVE') then
        return;
    end if;
    begin
        perform core.begin_write(p_tenant, null, 'job', 0, 'all', 3000, p_service, 'ProvisionMember', null, null, '',
                                 p_now);
        select * into v_member from core.member m
        where m.tenant_id = p_tenant and m.issuer = p_issuer and m.subject = p_subject;
        if not found then
            insert into core.member (tenant_id, id, name, email, roles, issuer, subject)
            values (p_tenant, p_id,
                    left(regexp_replace(coalesce(nullif(btrim(regexp_replace(p_name, '[[:cntrl:]]', ' ', 'g')), ''),
                                                 nullif(p_email, ''), p_subject), '[[:cntrl:]]', ' ', 'g'), 200),
                    case when p_email ~ '^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$' and length(p_email) <= 254
                         then p_email else '' end,
                    p_roles, p_issuer, p_subject);
        elsif v_member.state = 'ACTIVE' then
            v_roles := array(select r from unnest(v_member.roles) r where r <> all (p_managed)) || p_roles;
            if 'TENANT_ADMIN' = any (v_member.roles) and 'TENANT_ADMIN' <> all (v_roles)
               and not exists (select from core.member m
                               where m.tenant_id = p_tenant and m.id <> v_member.id and m.state = 'ACTIVE'
                                 and 'TENANT_ADMIN' = any (m.roles)) then
                v_roles := v_roles || '{TENANT_ADMIN}'::text[];
            end if;
            update core.member m set roles = v_roles
            where m.tenant_id = p_tenant and m.id = v_member.id
              and not (m.roles @> v_roles and m.roles <@ v_roles);
        end if;
        perform core.end_write(null);
    exception when sqlstate 'IS000' then
        if sqlerrm <> 'UNCHANGED' then
            raise;
        end if;
    end;
    return query select * from core.find_member(p_tenant, p_issuer, p_subject);
end
$$;

revoke all on all functions in schema core from public;
-- Of the services, reviews alone keeps organisations and members.
grant execute on function core.add_organisation, core.provision_member, core.erase_members, core.erase_organisation
    to isms_reviews;
grant select on core.export to isms_reviews;
grant execute on function core.begin_export, core.exported_tables, core.export_page
    to isms_inputs, isms_reviews, isms_actions;

-- Evidence files: what was uploaded to show that a statement is true. docs/evidence.md.
--
-- The bytes of a file are in one of two storages (services/inputs/evidence/storage.h). In PostgreSQL they are a large
-- object, and row-level security does not reach those: so each belongs to isms_owner, as which no service logs in,
-- and is reached by the three functions below alone, which look for its row under the tenant. Its number is in a
-- table that no service may read, and would be good for nothing.

create table inputs.evidence_file (
    tenant_id    uuid not null references core.organisation (tenant_id),
    id           uuid not null,
    name         text not null check (name <> ''),
    media_type   text not null,
    size         bigint not null check (size > 0),
    sha256       text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    expire_date  date,
    note         text not null default '',
    state        text not null default 'UPLOADING' check (state in ('UPLOADING', 'STORED', 'DELETED', 'REMOVED')),
    storage      text not null check (storage in ('postgresql', 'filesystem')),
    block_sha256 bytea, -- of each 128 KiB, one behind the other, so that a part can be compared without the whole
    creator_id   uuid,
    revision     bigint not null default 1,
    create_time  timestamptz not null default now(),
    update_time  timestamptz not null default now(),
    primary key (tenant_id, id),
    check (state <> 'STORED' or octet_length(block_sha256) = (size + 131071) / 131072 * 32)
);
-- A part of it is read without the rest.
alter table inputs.evidence_file alter column block_sha256 set storage external;
-- What the clean-up may have to do with.
create index evidence_file_left on inputs.evidence_file (tenant_id, id) where state in ('UPLOADING', 'DELETED');

-- What was received. Where there is a row, its bytes are in the storage for good.
create table inputs.evidence_chunk (
    tenant_id   uuid not null,
    file_id     uuid not null,
    start       bigint not null check (start >= 0),
    length      bigint not null check (length > 0),
    sequence    bigint not null default core.sequence(),
    create_time timestamptz not null default core.now(),
    primary key (tenant_id, file_id, start),
    foreign key (tenant_id, file_id) references inputs.evidence_file (tenant_id, id)
);

-- Which input ever named which file: where to look for what keeps a file.
create table inputs.evidence_use (
    tenant_id   uuid not null,
    file_id     uuid not null,
    input_id    uuid not null,
    sequence    bigint not null default core.sequence(),
    create_time timestamptz not null default core.now(),
    primary key (tenant_id, file_id, input_id),
    foreign key (tenant_id, file_id) references inputs.evidence_file (tenant_id, id),
    foreign key (tenant_id, input_id) references inputs.input (tenant_id, id)
);

-- What names a file, from the input's side: for auditors, and for the end of an organisation.
create index evidence_use_input on inputs.evidence_use (tenant_id, input_id);

create table inputs.evidence_object (
    tenant_id uuid not null,
    file_id   uuid not null,
    object    oid not null,
    primary key (tenant_id, file_id),
    foreign key (tenant_id, file_id) references inputs.evidence_file (tenant_id, id)
);

do $$
declare
    target text;
begin
    foreach target in array array['evidence_file', 'evidence_chunk', 'evidence_use', 'evidence_object']
    loop
        call core.protect(('inputs.' || target)::regclass);
    end loop;
end
$$;
call core.log_changes('inputs.evidence_file', '-block_sha256');
call core.append_only('inputs.evidence_chunk');
call core.append_only('inputs.evidence_use');

-- Whoever sees its own only (an action's owner) sees the files that it created itself; an auditor those that the inputs
-- named as its reviews have frozen them. The functions of the owner below see the whole organisation.
create policy scope on inputs.evidence_file as restrictive to isms_inputs using (
    case (select core.scope())
        when 'all' then true
        when 'own' then creator_id = (select core.actor())
        when 'auditor' then exists (
            select from inputs.evidence_use u
            join inputs.snapshot_item t on t.tenant_id = u.tenant_id and t.row_id = u.input_id
            join core.change c on c.tenant_id = t.tenant_id and c.table_name = 'inputs.input' and c.row_id = t.row_id
                              and c.revision = t.revision
            where u.tenant_id = (select core.tenant()) and u.file_id = evidence_file.id
              and c.content::jsonb -> 'evidence' @> jsonb_build_array(jsonb_build_object('file_id', evidence_file.id)))
        else false
    end);
create policy scope on inputs.evidence_chunk as restrictive to isms_inputs using (
    (select core.scope()) = 'all'
    or file_id in (select f.id from inputs.evidence_file f where f.tenant_id = (select core.tenant())));
create policy scope on inputs.evidence_use as restrictive to isms_inputs using (
    (select core.scope()) = 'all'
    or input_id in (select t.row_id from inputs.snapshot_item t where t.tenant_id = (select core.tenant())));
-- The clean-up finds out which organisations have something left.
create policy jobs on inputs.evidence_file for select to isms_jobs using (state in ('UPLOADING', 'DELETED'));

-- What keeps a file from being deleted, as a fact for the caller; NULL: nothing. An input that names it, be it deleted,
-- since it may come back; or a revision of one that did, frozen for a review.
-- Also for whoever does not see it.
create function inputs.evidence_holder(p_tenant uuid, p_file uuid) returns text language plpgsql
    set search_path = pg_catalog, pg_temp as $$
declare
    v_scope  constant text := core.scope();
    v_named  constant jsonb := jsonb_build_array(jsonb_build_object('file_id', p_file));
    v_holder text;
begin
    perform set_config('app.scope', 'all', true);
    select 'input=' || i.number into v_holder
    from inputs.evidence_use u
    join inputs.input i on i.tenant_id = u.tenant_id and i.id = u.input_id
    where u.tenant_id = p_tenant and u.file_id = p_file and i.evidence @> v_named
    limit 1;
    if v_holder is null then
        select 'review_id=' || s.review_id into v_holder
        from inputs.evidence_use u
        join inputs.snapshot_item t on t.tenant_id = u.tenant_id and t.row_id = u.input_id
        join inputs.snapshot s on s.tenant_id = t.tenant_id and s.id = t.snapshot_id
        join core.change c on c.tenant_id = t.tenant_id and c.table_name = 'inputs.input' and c.row_id = t.row_id
                          and c.revision = t.revision
        where u.tenant_id = p_tenant and u.file_id = p_file and c.content::jsonb -> 'evidence' @> v_named
        limit 1;
    end if;
    perform set_config('app.scope', v_scope, true);
    return v_holder;
end
$$;

-- What was finished never changes; what is given up never comes back; what is in use is not given up. But for the end
-- of the whole organisation, which gives up what is in use, and forgets what people wrote about it.
create function inputs.guard_evidence() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    c_moves constant text[] := '{UPLOADING-STORED,UPLOADING-DELETED,UPLOADING-REMOVED,STORED-DELETED,DELETED-REMOVED}';
    v_ended constant boolean := exists (select from core.organisation o
                                        where o.tenant_id = old.tenant_id and o.state = 'ERASED');
    v_free  constant text[] := '{state,block_sha256,revision,update_time}'
                               || case when v_ended then '{name,media_type,note}' else '{}' end::text[];
    v_holder text;
begin
    if not (old.state || '-' || new.state = any (c_moves) or v_ended and old.state = new.state)
       or to_jsonb(new) - v_free <> to_jsonb(old) - v_free
       or (new.block_sha256 is distinct from old.block_sha256 and new.state <> 'STORED') then
        raise exception 'an evidence file does not change';
    end if;
    if old.state = 'STORED' and not v_ended then
        v_holder := inputs.evidence_holder(old.tenant_id, old.id);
        if v_holder is not null then
            perform core.fail('IN_USE', v_holder);
        end if;
    end if;
    return new;
end
$$;
create trigger guard before update on inputs.evidence_file for each row execute function inputs.guard_evidence();

-- What core.erase_organisation() asks each service's schema for. Everything goes, but the rows of evidence files: by
-- them, the clean-up takes the bytes away. What is left then is that there was one, of which size and hash.
create function inputs.erase_content(p_tenant uuid) returns void language plpgsql
    set search_path = pg_catalog, pg_temp as $$
begin
    update inputs.evidence_file f
    set state = case when f.state in ('UPLOADING', 'STORED') then 'DELETED' else f.state end,
        name = 'Erased file', media_type = 'application/octet-stream', note = ''
    where f.tenant_id = p_tenant;
    perform core.erase_content(p_tenant, 'inputs', '{evidence_file,evidence_object}');
end
$$;

-- Bytes that count against the organisation's limit: announced or there.
create function inputs.evidence_total(p_tenant uuid) returns bigint language sql stable security definer
    set search_path = pg_catalog, pg_temp
    return (select coalesce(sum(f.size), 0)::bigint from inputs.evidence_file f
            where f.tenant_id = p_tenant and f.state <> 'REMOVED');

-- An input's evidence with the hashes and, where they say nothing else, the expiry of the files it names.
create function inputs.evidence_filled(p_tenant uuid, p_evidence jsonb) returns jsonb language sql stable
    set search_path = pg_catalog, pg_temp
    return case when p_evidence @? '$[*].file_id' then (
        select jsonb_agg(
            jsonb_strip_nulls(jsonb_build_object('expire_date', f.expire_date, 'sha256', f.sha256)) || e.item
            order by e.place)
        from jsonb_array_elements(p_evidence) with ordinality e (item, place)
        left join inputs.evidence_file f on f.tenant_id = p_tenant and f.id = (e.item ->> 'file_id')::uuid
                                        and f.state = 'STORED')
        else p_evidence end;

-- What is wrong with an input's evidence, the first of it; NULL: nothing.
create function inputs.evidence_fault(p_tenant uuid, p_evidence jsonb) returns inputs.fault language sql stable
    set search_path = pg_catalog, pg_temp
    return (
        select row(w.reason, 'evidence[' || e.place - 1 || '].' || w.field, w.message)::inputs.fault
        from jsonb_array_elements(p_evidence) with ordinality e (item, place)
        left join inputs.evidence_file f on f.tenant_id = p_tenant and f.id = (e.item ->> 'file_id')::uuid
        cross join lateral (values
            (e.item ->> 'uri' is null and e.item ->> 'file_id' is null, 'FIELD_INVALID', 'uri',
             'give a link, or the file_id of an uploaded file'),
            (e.item ->> 'file_id' is not null and f.state is distinct from 'STORED', 'REFERENCE_INVALID', 'file_id',
             'name a file whose upload was finished'),
            (f.sha256 <> e.item ->> 'sha256', 'FIELD_INVALID', 'sha256', 'leave it out, or give that of the file')
        ) w (is_wrong, reason, field, message)
        where w.is_wrong
        order by e.place
        limit 1);

create function inputs.record_evidence() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into inputs.evidence_use (tenant_id, file_id, input_id)
    select distinct new.tenant_id, (e ->> 'file_id')::uuid, new.id
    from jsonb_array_elements(new.evidence) e
    where e ->> 'file_id' is not null
    on conflict do nothing;
    return null;
end
$$;
create trigger record_evidence after insert or update on inputs.input for each row
    when (new.evidence <> '[]') execute function inputs.record_evidence();

-- --- the large objects --------------------------------------------------------------------------------------

-- Only of a file that is being uploaded, and within it.
create function inputs.object_write(p_tenant uuid, p_file uuid, p_offset bigint, p_data bytea) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_object oid;
begin
    if current_setting('lo_compat_privileges')::boolean then
        raise exception 'lo_compat_privileges is on: it would open every large object to every role';
    end if;
    if not exists (select from inputs.evidence_file f
                   where f.tenant_id = p_tenant and f.id = p_file and f.state = 'UPLOADING'
                     and f.storage = 'postgresql' and p_offset between 0 and f.size - octet_length(p_data)) then
        perform core.fail('NOT_FOUND');
    end if;
    select o.object into v_object from inputs.evidence_object o where o.tenant_id = p_tenant and o.file_id = p_file;
    if v_object is null then
        v_object := lo_create(0);
        insert into inputs.evidence_object values (p_tenant, p_file, v_object);
    end if;
    perform lo_put(v_object, p_offset, p_data);
end
$$;

-- NULL: there is nothing of it.
create function inputs.object_read(p_tenant uuid, p_file uuid, p_offset bigint, p_size bigint) returns bytea
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_object oid;
begin
    if current_setting('lo_compat_privileges')::boolean then
        raise exception 'lo_compat_privileges is on: it would open every large object to every role';
    end if;
    select o.object into v_object from inputs.evidence_object o where o.tenant_id = p_tenant and o.file_id = p_file;
    return lo_get(v_object, p_offset, least(p_size, 16777216)::integer);
end
$$;

-- Only of a file whose state says that it has gone.
create function inputs.object_remove(p_tenant uuid, p_file uuid) returns void language plpgsql security definer
    set search_path = pg_catalog, pg_temp as $$
declare
    v_object oid;
begin
    delete from inputs.evidence_object o
    using inputs.evidence_file f
    where o.tenant_id = p_tenant and o.file_id = p_file and f.tenant_id = o.tenant_id and f.id = o.file_id
      and f.state = 'REMOVED'
    returning o.object into v_object;
    if v_object is not null then
        perform lo_unlink(v_object);
    end if;
end
$$;

revoke all on all functions in schema inputs from public;
grant execute on function inputs.evidence_holder, inputs.evidence_total, inputs.evidence_filled, inputs.evidence_fault,
    inputs.object_write, inputs.object_read, inputs.object_remove to isms_inputs;
grant usage on schema inputs to isms_jobs;
grant select, insert, update on inputs.evidence_file to isms_inputs;
grant select, insert on inputs.evidence_chunk, inputs.evidence_use to isms_inputs;
grant select (tenant_id, id, state, create_time, update_time) on inputs.evidence_file to isms_jobs;

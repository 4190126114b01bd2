-- Schema actions: what was decided to be done, what became of it, and how it stood when a review froze it.

create schema actions;
revoke all on schema actions from public;
grant usage on schema actions to isms_actions;

create table actions.action (
    tenant_id          uuid not null,
    id                 uuid not null,
    number             text not null,
    title              text not null,
    description        text not null default '',
    owner_id           uuid not null,             -- a core.member
    due_date           date not null,
    priority           text not null default 'MEDIUM' check (priority in ('LOW', 'MEDIUM', 'HIGH', 'URGENT')),
    state              text not null default 'OPEN'
                       check (state in ('OPEN', 'IN_PROGRESS', 'PARTLY_DONE', 'BLOCKED', 'DONE',
                                        'VERIFIED_EFFECTIVE', 'NOT_EFFECTIVE', 'CANCELLED')),
    percent_complete   integer not null default 0 check (percent_complete between 0 and 100),
    review_id          uuid,
    decision_id        uuid,
    input_id           uuid,
    original_due_date  date not null,
    reschedule_count   integer not null default 0,
    evidence           jsonb not null default '[]',
    reason             text not null default '',
    verification_note  text not null default '',
    verified_by_id     uuid,
    done_by_id         uuid, -- who marked it as done; that it had its effect is for somebody else to say
    done_time          timestamptz,
    verify_time        timestamptz,
    finish_time        timestamptz,               -- when it was found effective or cancelled: nothing is left
    reopen_count       integer not null default 0,
    labels             text[] not null default '{}',
    revision           bigint not null default 1,
    create_time        timestamptz not null default now(),
    update_time        timestamptz not null default now(),
    primary key (tenant_id, id),
    check ((finish_time is not null) = (state in ('VERIFIED_EFFECTIVE', 'CANCELLED'))),
    check ((verify_time is not null) = (state in ('VERIFIED_EFFECTIVE', 'NOT_EFFECTIVE')))
);
create unique index action_number on actions.action (tenant_id, number);
create index action_due on actions.action (tenant_id, due_date, id);
create index action_update on actions.action (tenant_id, update_time desc, id desc);
create index action_owner_due on actions.action (tenant_id, owner_id, due_date, id);
create index action_review on actions.action (tenant_id, review_id, number) where review_id is not null;

-- The notes on an action. A call makes one at most, so that the sequence orders them.
create table actions.progress (
    tenant_id         uuid not null,
    id                uuid not null,
    action_id         uuid not null,
    state             text not null,
    percent_complete  integer not null,
    note              text not null default '',
    author_id         uuid,
    create_time       timestamptz not null default core.now(),
    sequence          bigint not null default core.sequence(),
    primary key (tenant_id, id),
    unique (tenant_id, action_id, sequence),
    foreign key (tenant_id, action_id) references actions.action
);

-- What a review's previous actions were at one attempt to open it; the review says which succeeded. The content of
-- each item is the action's revision in core.change; the snapshot says which, and would notice another.
create table actions.snapshot (
    tenant_id        uuid not null,
    id               uuid not null,
    review_id        uuid not null,
    opening_id       uuid not null,
    version          integer not null,            -- of the form of content
    start_date       date not null,
    end_date         date not null,
    as_of            timestamptz not null,
    frozen_sequence  bigint not null,             -- the organisation's, when it was taken
    item_count       integer not null,
    content          bytea not null,              -- the canonical form
    sha256           text not null,
    create_time      timestamptz not null default core.now(),
    sequence         bigint not null default core.sequence(),
    primary key (tenant_id, id),
    unique (tenant_id, review_id, opening_id)
);

create table actions.snapshot_item (
    tenant_id       uuid not null,
    snapshot_id     uuid not null,
    action_id       uuid not null,
    number          text not null,
    revision        bigint not null,
    content_sha256  text not null check (length(content_sha256) = 64),
    days_overdue    integer not null,
    age_days        integer not null,
    sequence        bigint not null default core.sequence(),
    primary key (tenant_id, snapshot_id, number),
    foreign key (tenant_id, snapshot_id) references actions.snapshot,
    foreign key (tenant_id, action_id) references actions.action
);

call core.protect('actions.action');
call core.protect('actions.progress');
call core.protect('actions.snapshot');
call core.protect('actions.snapshot_item');
call core.log_changes('actions.action');
call core.append_only('actions.progress');
call core.append_only('actions.snapshot');
call core.append_only('actions.snapshot_item');

-- A snapshot is stored whole, in one transaction: nothing is added to it afterwards.
create function actions.guard_snapshot() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from (select distinct tenant_id, snapshot_id from added) a
               where not exists (select from actions.snapshot s where s.tenant_id = a.tenant_id and s.id = a.snapshot_id
                                                             and s.xmin = pg_current_xact_id()::xid)) then
        raise exception 'a snapshot is stored whole: nothing is added to it afterwards';
    end if;
    return null;
end
$$;
create trigger guard after insert on actions.snapshot_item referencing new table as added
    for each statement execute function actions.guard_snapshot();

-- Which of the tenant's rows the caller reaches: an owner its own actions, an auditor what belongs to the
-- reviews it was given. A snapshot is a whole: an owner sees none, an auditor those of its reviews, complete.
create policy scope on actions.action as restrictive using (
    case (select core.scope())
        when 'all' then true
        when 'own' then owner_id = (select core.actor())
        when 'auditor' then review_id = any ((select core.granted_reviews())::uuid[])
        else false
    end);
create policy scope on actions.progress as restrictive using (
    (select core.scope()) = 'all'
    or exists (select from actions.action a
               where a.tenant_id = progress.tenant_id and a.id = progress.action_id));
create policy scope on actions.snapshot as restrictive using (
    case (select core.scope())
        when 'all' then true
        when 'auditor' then review_id = any ((select core.granted_reviews())::uuid[])
        else false
    end);
create policy scope on actions.snapshot_item as restrictive using (
    (select core.scope()) = 'all'
    or exists (select from actions.snapshot s where s.tenant_id = snapshot_item.tenant_id
                                                and s.id = snapshot_item.snapshot_id));

-- What is wrong with evidence, the first of it, as the facts of a refusal; NULL: nothing. A file is another service's:
-- whether there is one of that id is not known here. So the hash has to say which file was meant.
create function actions.evidence_fault(evidence jsonb) returns text language sql immutable
    set search_path = pg_catalog, pg_temp
    return (
        select 'field=evidence[' || e.place - 1 || '].' || w.field || E'\ndescription=' || w.message
        from jsonb_array_elements(evidence) with ordinality e (item, place)
        cross join lateral (values
            (e.item ->> 'uri' is null and e.item ->> 'file_id' is null, 'uri',
             'give a link, or the file_id of an uploaded file'),
            (e.item ->> 'file_id' is not null and e.item ->> 'sha256' is null, 'sha256', 'give that of the file')
        ) w (is_wrong, field, message)
        where w.is_wrong
        order by e.place
        limit 1);

revoke all on all functions in schema actions from public;
grant execute on function actions.evidence_fault to isms_actions;
grant select, insert, update on actions.action to isms_actions;
grant select, insert on actions.progress, actions.snapshot, actions.snapshot_item to isms_actions;

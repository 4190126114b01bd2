-- Schema reviews: the programme, the reviews with their decisions, and the signed records.
--
-- A review is one row, with what belongs to it alone (agenda, attendance, previous actions, conclusions, waivers)
-- as JSON arrays in the form of the API's messages. So one revision is the whole review as somebody read it: its
-- etag covers every part, a repeated request is answered from the change log field for field, and one trigger
-- closes it when it is signed. A change of a decision advances the review's revision too.

create schema reviews;
revoke all on schema reviews from public;
grant usage on schema reviews to isms_reviews, isms_jobs;

create table reviews.programme (
    tenant_id              uuid not null,
    id                     uuid not null,
    title                  text not null,
    interval_months        integer not null check (interval_months between 1 and 36),
    lead_days              integer not null default 0,
    grace_days             integer not null default 0,
    quorum_members         integer not null default 0, -- 0 counts as 1
    quorum_top_management  integer not null default 0, -- 0 counts as 1
    four_eyes              boolean not null default false,
    max_auth_age_seconds   integer not null default 900 check (max_auth_age_seconds > 0),
    acr_values             text[] not null default '{}',
    decision_criteria      text[] not null default '{}',
    revision               bigint not null default 1,
    create_time            timestamptz not null default now(),
    update_time            timestamptz not null default now(),
    primary key (tenant_id, id)
);
create index programme_title on reviews.programme (tenant_id, title, id);

create table reviews.review (
    tenant_id               uuid not null,
    id                      uuid not null,
    number                  text not null,
    title                   text not null,
    programme_id            uuid not null,
    state                   text not null default 'PLANNED'
                            check (state in ('PLANNED', 'PREPARING', 'IN_SESSION', 'MINUTES_DRAFTED', 'SIGNED',
                                             'CLOSED', 'CANCELLED')),
    period_start            date not null,
    period_end              date not null,
    planned_date            date not null,
    location                text not null default '',
    chair_id                uuid not null,  -- this and the other members: core.member
    preparer_id             uuid,
    agenda                  jsonb not null, -- AgendaItem[]
    attendance              jsonb not null default '[]',
    previous_actions        jsonb not null default '[]',
    conclusions             jsonb not null default '[]',
    waivers                 jsonb not null default '[]',
    decision_count          integer not null default 0 check (decision_count between 0 and 99),
    minutes                 text not null default '',
    open_time               timestamptz,
    opening_id              uuid,
    programme_revision      bigint, -- the rules that count: the programme in core.change as it was at the opening
    input_snapshot_sha256   text not null default '',
    action_snapshot_sha256  text not null default '',
    sign_time               timestamptz,
    record_sha256           text not null default '',
    next_review_date        date,
    cancel_reason           text not null default '',
    revision                bigint not null default 1,
    create_time             timestamptz not null default now(),
    update_time             timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, programme_id) references reviews.programme,
    check (period_start <= period_end),
    -- A meeting is open only with everything frozen, a review is signed only with a record.
    constraint review_frozen check (
        state in ('PLANNED', 'PREPARING', 'CANCELLED')
        or open_time is not null and opening_id is not null and programme_revision is not null
           and input_snapshot_sha256 ~ '^[0-9a-f]{64}$'
           and action_snapshot_sha256 ~ '^[0-9a-f]{64}$'),
    constraint review_signed check (
        (state in ('SIGNED', 'CLOSED')) = (sign_time is not null and record_sha256 ~ '^[0-9a-f]{64}$'))
);
create unique index review_number on reviews.review (tenant_id, number);
create index review_planned on reviews.review (tenant_id, planned_date desc, id desc);

create table reviews.decision (
    tenant_id    uuid not null,
    id           uuid not null,
    review_id    uuid not null,
    number       text not null,
    kind         text not null
                 check (kind in ('IMPROVEMENT', 'ISMS_CHANGE', 'RESOURCES', 'OBJECTIVE', 'POLICY', 'RISK_TREATMENT',
                                 'RISK_ACCEPTANCE', 'COMMUNICATION', 'OTHER')),
    title        text not null,
    rationale    text not null default '',
    owner_id     uuid,
    due_date     date,
    input_ids    uuid[] not null default '{}',
    scores       jsonb not null default '[]', -- CriterionScore[]
    resources    text not null default '',
    actions      jsonb not null default '[]', -- DecisionAction[]
    withdrawn    boolean not null default false,
    revision     bigint not null default 1,
    create_time  timestamptz not null default now(),
    update_time  timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, review_id) references reviews.review
);
create unique index decision_number on reviews.decision (tenant_id, review_id, number);

-- What was signed. The bytes are never rendered again.
create table reviews.record (
    tenant_id   uuid not null,
    review_id   uuid not null,
    number      text not null,
    content     bytea not null,
    sha256      bytea not null check (sha256 = sha256(content)),
    signature   bytea not null check (octet_length(signature) = 64),
    public_key  bytea not null check (octet_length(public_key) = 32),
    key_id      text not null,
    sign_time   timestamptz not null,
    sequence    bigint not null default core.sequence(),
    primary key (tenant_id, review_id),
    foreign key (tenant_id, review_id) references reviews.review
);

-- A signed review's proposed actions, on their way to the actions service.
create table reviews.issuance (
    tenant_id    uuid not null,
    id           uuid not null, -- the review's
    state        text not null default 'PENDING' check (state in ('PENDING', 'DONE')),
    revision     bigint not null default 1,
    create_time  timestamptz not null default now(),
    update_time  timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, id) references reviews.review
);
create index issuance_pending on reviews.issuance (tenant_id, id) where state = 'PENDING';

-- Goes on only where the condition holds, for statements in which a reason has to be given.
create function reviews.require(condition boolean, reason text, facts text) returns boolean
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    return condition is true or core.fail(reason, facts);
end
$$;

-- A member that a request names must be there and be active. NULL names nobody.
create function reviews.require_member(p_tenant uuid, p_member uuid, p_field text) returns boolean
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    return reviews.require(
        p_member is null
        or exists (select from core.member m where m.tenant_id = p_tenant and m.id = p_member and m.state = 'ACTIVE'),
        'REFERENCE_INVALID', 'field=' || p_field);
end
$$;

-- The same for the owners of a decision's actions.
create function reviews.require_owners(p_tenant uuid, p_actions jsonb, p_field text) returns boolean
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_number bigint;
    v_owner  text;
begin
    for v_number, v_owner in
        select a.number, a.action ->> 'owner_id' from jsonb_array_elements(p_actions) with ordinality a (action, number)
    loop
        perform reviews.require_member(p_tenant, nullif(v_owner, '')::uuid,
                                       format('%s[%s].owner_id', p_field, v_number - 1));
    end loop;
    return true;
end
$$;

-- Suspends, resumes or limits an organisation, from inside a write of the platform's, as core.add_organisation() makes
-- one: in the organisation's own order of writes and change log. What is NULL stays as it is.
create function reviews.change_organisation(p_tenant uuid, p_state text, p_calls_per_second integer default null,
                                            p_calls_burst integer default null, p_calls_in_flight integer default null)
    returns setof core.organisation language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_platform text[] := core.enter(p_tenant);
    v_state    text;
begin
    select o.state into v_state from core.organisation o where o.tenant_id = p_tenant;
    if v_state in (p_state, 'ERASED') then
        perform core.fail('WRONG_STATE', 'state=' || v_state);
    end if;
    return query
        update core.organisation o
        set state = coalesce(p_state, o.state),
            calls_per_second = coalesce(p_calls_per_second, o.calls_per_second),
            calls_burst = coalesce(p_calls_burst, o.calls_burst),
            calls_in_flight = coalesce(p_calls_in_flight, o.calls_in_flight)
        where o.tenant_id = p_tenant
        returning o.*;
    perform core.leave(v_platform);
end
$$;

-- The last lock on the order of states, on what was frozen and on what was signed: whatever a statement says, or
-- whoever logs in as the service.
create function reviews.guard_review() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_next text[] := case old.state
        when 'PLANNED' then '{PLANNED,PREPARING,CANCELLED}'
        when 'PREPARING' then '{PREPARING,IN_SESSION,CANCELLED}'
        when 'IN_SESSION' then '{IN_SESSION,MINUTES_DRAFTED,CANCELLED}'
        when 'MINUTES_DRAFTED' then '{MINUTES_DRAFTED,SIGNED,CANCELLED}'
        when 'SIGNED' then '{CLOSED}'
        else '{}'
    end;
    v_own  text[] := '{state,revision,update_time}';
begin
    if new.state <> all (v_next)
       or old.state = 'SIGNED' and to_jsonb(new) - v_own <> to_jsonb(old) - v_own
       or old.open_time is not null
          and (new.open_time, new.opening_id, new.programme_revision, new.input_snapshot_sha256,
               new.action_snapshot_sha256)
              is distinct from (old.open_time, old.opening_id, old.programme_revision, old.input_snapshot_sha256,
                                old.action_snapshot_sha256)
       or (new.tenant_id, new.id, new.number, new.programme_id, new.period_start, new.period_end)
          is distinct from (old.tenant_id, old.id, old.number, old.programme_id, old.period_start, old.period_end) then
        perform core.fail('WRONG_STATE', 'state=' || old.state);
    end if;
    return new;
end
$$;
create function reviews.guard_new_review() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.state <> 'PLANNED' then
        perform core.fail('WRONG_STATE', 'state=' || new.state);
    end if;
    return new;
end
$$;
create function reviews.guard_decision() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_state text;
begin
    select r.state into v_state from reviews.review r where r.tenant_id = new.tenant_id and r.id = new.review_id;
    if v_state is distinct from 'IN_SESSION' and v_state is distinct from 'MINUTES_DRAFTED'
       or tg_op = 'UPDATE' and (new.tenant_id, new.id, new.review_id, new.number)
                               is distinct from (old.tenant_id, old.id, old.review_id, old.number) then
        perform core.fail('WRONG_STATE', 'state=' || coalesce(v_state, ''));
    end if;
    return new;
end
$$;
create trigger guard before update on reviews.review for each row execute function reviews.guard_review();
create trigger guard_new before insert on reviews.review for each row execute function reviews.guard_new_review();
create trigger guard before insert or update on reviews.decision for each row execute function reviews.guard_decision();

call core.protect('reviews.programme');
call core.protect('reviews.review');
call core.protect('reviews.decision');
call core.protect('reviews.record');
call core.protect('reviews.issuance');
call core.log_changes('reviews.programme');
call core.log_changes('reviews.review');
call core.log_changes('reviews.decision');
call core.log_changes('reviews.issuance');
call core.append_only('reviews.record');

-- Whoever is only an auditor reaches the reviews it was given and what belongs to them.
create policy scope on reviews.review as restrictive using (
    case (select core.scope())
        when 'all' then true
        when 'auditor' then id = any ((select core.granted_reviews())::uuid[])
        else false
    end);
create policy scope on reviews.decision as restrictive using (
    case (select core.scope())
        when 'all' then true
        when 'auditor' then review_id = any ((select core.granted_reviews())::uuid[])
        else false
    end);
create policy scope on reviews.record as restrictive using (
    case (select core.scope())
        when 'all' then true
        when 'auditor' then review_id = any ((select core.granted_reviews())::uuid[])
        else false
    end);

-- The job finds out which organisations have actions to issue.
create policy jobs on reviews.issuance for select to isms_jobs using (state = 'PENDING');

revoke all on all functions in schema reviews from public;
grant execute on all functions in schema reviews to isms_reviews;
grant select, insert, update on reviews.programme, reviews.review, reviews.decision, reviews.issuance to isms_reviews;
grant select, insert on reviews.record to isms_reviews;
grant select (tenant_id, id, state) on reviews.issuance to isms_jobs;

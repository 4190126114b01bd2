-- Forms that people fill in who are not members, and what they submitted. A form's tokens are core's (core
-- 003_intake.sql). A token's scope is 'none': it sees no row of any table but its form, and what it does is done by
-- two functions here, for its own form and no other.

create table inputs.intake_form (
    tenant_id           uuid not null references core.organisation (tenant_id),
    id                  uuid not null,
    title               text not null check (title <> ''),
    introduction        text not null default '',
    purpose             text not null check (purpose in ('SURVEY', 'SUGGESTION', 'INCIDENT_REPORT')),
    interested_party    text not null,
    party_id            uuid,
    channel             text not null default '',
    language            text not null default '',
    questions           jsonb not null check (jsonb_typeof(questions) = 'array'),
    open_until          timestamptz,
    maximum_submissions integer not null check (maximum_submissions > 0),
    daily_maximum       integer not null check (daily_maximum > 0),
    state               text not null default 'OPEN' check (state in ('OPEN', 'CLOSED')),
    revision            bigint not null default 1,
    create_time         timestamptz not null default now(),
    update_time         timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, party_id) references inputs.party (tenant_id, id)
);

-- Never changed, but that a contact is forgotten. The contact is personal data: the log has its salted hash.
create table inputs.intake_submission (
    tenant_id    uuid not null,
    id           uuid not null,
    form_id      uuid not null,
    input_id     uuid not null,
    token_id     uuid not null,
    answers      jsonb not null check (jsonb_typeof(answers) = 'array'),
    contact      text not null default '',
    contact_salt bytea not null default core.new_salt(),
    revision     bigint not null default 1,
    create_time  timestamptz not null default now(),
    update_time  timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, form_id) references inputs.intake_form (tenant_id, id),
    foreign key (tenant_id, input_id) references inputs.input (tenant_id, id)
);
create index intake_submission_input on inputs.intake_submission (tenant_id, input_id);
create index intake_submission_form on inputs.intake_submission (tenant_id, form_id, id);
-- The planner's statistics would keep samples of personal data beyond an erasure.
alter table inputs.intake_submission alter column contact set statistics 0;

call core.protect('inputs.intake_form');
call core.protect('inputs.intake_submission');
call core.log_changes('inputs.intake_form');
call core.log_changes('inputs.intake_submission', '#contact');
create policy scope on inputs.intake_form as restrictive using (
    (select core.scope()) = 'all' or id = (select core.intake_form()));
create policy scope on inputs.intake_submission as restrictive using ((select core.sees_all()));

-- Makes sure that a form's questions can be asked and answered; `path` is where the request has them.
create function inputs.check_questions(questions jsonb, path text) returns boolean language plpgsql immutable
    set search_path = pg_catalog, pg_temp as $$
declare
    question jsonb;
    i        integer;
    field    text;
    fault    text;
begin
    for question, i in select q.value, q.ordinality - 1 from jsonb_array_elements(questions) with ordinality q loop
        select f.field, f.fault into field, fault
        from (select coalesce((question ->> 'scale_minimum')::integer, 0) as low,
                     coalesce((question ->> 'scale_maximum')::integer, 0) as high,
                     jsonb_array_length(coalesce(question -> 'choices', '[]')) as choices) g
        cross join lateral (values
            ('key', 'is another question''s as well; give each question a key of its own',
             exists (select from jsonb_array_elements(questions) with ordinality o
                     where o.ordinality <= i and o.value ->> 'key' = question ->> 'key')),
            ('choices', 'are what is chosen from: at least two, all different',
             question ->> 'type' = 'CHOICE'
             and (g.choices < 2 or g.choices > (select count(distinct c) from jsonb_array_elements(
                     coalesce(question -> 'choices', '[]')) c))),
            ('choices', 'are of a CHOICE only', question ->> 'type' <> 'CHOICE' and g.choices > 0),
            ('scale_maximum', 'must be above scale_minimum', question ->> 'type' = 'SCALE' and g.high <= g.low),
            ('scale_maximum', 'is of a SCALE only', question ->> 'type' <> 'SCALE' and g.high + g.low > 0)
        ) f (field, fault, wrong)
        where f.wrong
        limit 1;
        if field is not null then
            return core.fail('FIELD_INVALID', format(E'field=%s[%s].%s\ndescription=%s', path, i, field, fault));
        end if;
    end loop;
    return true;
end
$$;

-- The functions below do for a token what its scope does not let it do, and put the scope back; where one fails, the
-- transaction ends with it. (A function's own SET of app.scope would be more than the migrating role may make.)

-- How many submissions the caller's form has had, in all and on the day of `at` (of UTC).
create function inputs.count_submissions(p_tenant uuid, p_at timestamptz, out in_all integer, out on_the_day integer)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_scope constant text := core.scope();
begin
    perform set_config('app.scope', 'all', true);
    select count(*), count(*) filter (where s.create_time >= date_trunc('day', p_at at time zone 'UTC')
                                                             at time zone 'UTC')
    into in_all, on_the_day
    from inputs.intake_submission s
    where s.tenant_id = p_tenant and s.form_id = core.intake_form();
    perform set_config('app.scope', v_scope, true);
end
$$;

-- Records what was submitted to the caller's form, and the input that it becomes. Whether there is room, and whether
-- the answers fit the questions, the caller has seen to.
create function inputs.take_submission(p_tenant uuid, p_submission uuid, p_input uuid, p_title text, p_summary text,
                                       p_answers jsonb, p_contact text) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_scope constant text := core.scope();
    v_form  inputs.intake_form;
    v_day   date;
begin
    perform set_config('app.scope', 'all', true);
    select f.* into v_form from inputs.intake_form f
    where f.tenant_id = p_tenant and f.id = core.intake_form() and f.state = 'OPEN';
    if not found then
        perform core.fail('NOT_FOUND');
    end if;
    select (core.now() at time zone o.time_zone)::date into v_day from core.organisation o where o.tenant_id = p_tenant;
    insert into inputs.input
    select m.* from inputs.merge(null, p_input, jsonb_build_object(
        'title', p_title, 'summary', p_summary, 'source', 'intake', 'external_id', p_submission::text,
        'effective_date', v_day,
        case v_form.purpose when 'SURVEY' then 'feedback' when 'SUGGESTION' then 'improvement' else 'incident' end,
        case when v_form.purpose = 'SURVEY' then jsonb_strip_nulls(jsonb_build_object(
            'interested_party', v_form.interested_party, 'party_id', v_form.party_id,
            'channel', coalesce(nullif(v_form.channel, ''), 'survey')))
        else '{}' end), '{}', v_day) m;
    insert into inputs.intake_submission (tenant_id, id, form_id, input_id, token_id, answers, contact)
    values (p_tenant, p_submission, v_form.id, p_input, core.actor(), p_answers, p_contact);
    perform set_config('app.scope', v_scope, true);
end
$$;

-- Forgets the contact of a submission. The claim of the request that brought it stays, so that it is not done twice,
-- but not the hash: whoever guessed the contact could tell by it.
create function inputs.forget_contact(p_tenant uuid, p_id uuid) returns setof inputs.intake_submission
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    update core.request r set request_sha256 = core.new_salt()
    where r.tenant_id = p_tenant
      and r.request_id in (select c.request_id from core.change c
                           where c.tenant_id = p_tenant and c.table_name = 'inputs.intake_submission'
                             and c.revision = 1 and c.row_id = p_id);
    return query
        update inputs.intake_submission s set contact = '', contact_salt = core.new_salt()
        where s.tenant_id = p_tenant and s.id = p_id
        returning s.*;
end
$$;

revoke all on function inputs.check_questions, inputs.count_submissions, inputs.take_submission,
    inputs.forget_contact from public;
grant execute on function inputs.check_questions, inputs.count_submissions, inputs.take_submission,
    inputs.forget_contact to isms_inputs;
grant select, insert, update on inputs.intake_form to isms_inputs;
grant select on inputs.intake_submission to isms_inputs;

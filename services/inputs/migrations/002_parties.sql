-- The register of interested parties, and when the organisation was in touch with them.

-- The contact may be a person's all the same: the log has its salted hash.
create table inputs.party (
    tenant_id     uuid not null references core.organisation (tenant_id),
    id            uuid not null,
    number        text not null,
    name          text not null check (name <> ''),
    category      text not null default '',
    influence     text not null default '' check (influence in ('', 'LOW', 'MEDIUM', 'HIGH')),
    interest      text not null default '' check (interest in ('', 'LOW', 'MEDIUM', 'HIGH')),
    owner_id      uuid,
    contact       text not null default '',
    contact_salt  bytea not null default core.new_salt(),
    needs         text not null default '',
    addressing    text not null default '',
    how_addressed text not null default '',
    revision      bigint not null default 1,
    create_time   timestamptz not null default now(),
    update_time   timestamptz not null default now(),
    delete_time   timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, number)
);
create unique index party_name on inputs.party (tenant_id, lower(name)) where delete_time is null;
-- The orders of ListParties (that by number is the unique key's).
create index party_order on inputs.party (tenant_id, name, id);
create index party_updated on inputs.party (tenant_id, update_time desc, id desc);

create function inputs.number_party() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.number := core.next_number(new.tenant_id, 'IP-' || to_char(core.now() at time zone 'UTC', 'YYYY'));
    return new;
end
$$;
create trigger number_party before insert on inputs.party for each row execute function inputs.number_party();

-- The planner's statistics would keep samples of contacts beyond their end.
alter table inputs.party alter column contact set statistics 0;

-- No salt outlives its text. A contact that is cleared is forgotten: the claims of the requests that may have named it
-- stay, so that none is done twice, but not the hashes, by which whoever guessed it could tell.
create function inputs.guard_contact() returns trigger language plpgsql security definer
    set search_path = pg_catalog, pg_temp as $$
begin
    new.contact_salt := core.new_salt();
    if new.contact = '' then
        update core.request r set request_sha256 = core.new_salt()
        where r.tenant_id = new.tenant_id
          and r.request_id in (select c.request_id from core.change c
                               where c.tenant_id = new.tenant_id and c.table_name = 'inputs.party'
                                 and c.row_id = new.id);
    end if;
    return new;
end
$$;
create trigger guard_contact before update on inputs.party for each row
    when (new.contact <> old.contact) execute function inputs.guard_contact();

-- Logged though never changed, as measurements are.
create table inputs.engagement (
    tenant_id       uuid not null,
    id              uuid not null,
    party_id        uuid not null,
    engagement_date date not null,
    type            text not null,
    summary         text not null,
    survey          jsonb,
    feedback_ids    uuid[] not null default '{}',
    revision        bigint not null default 1,
    create_time     timestamptz not null default now(),
    update_time     timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, party_id) references inputs.party (tenant_id, id)
);
create index engagement_party on inputs.engagement (tenant_id, party_id, engagement_date desc, id desc);
create index engagement_date on inputs.engagement (tenant_id, engagement_date desc, id desc);

-- What is wrong with a survey's results; NULL: nothing.
create function inputs.survey_fault(type text, survey jsonb) returns inputs.fault language sql immutable parallel safe
    return case
        when survey is not null and type <> 'SURVEY' then inputs.bad('survey', 'is for the type SURVEY only')
        when (survey ->> 'answered')::integer > coalesce((survey ->> 'sent')::integer, 0) then
            inputs.bad('survey.answered', 'is more than were asked')
        when (survey ->> 'score')::double precision > coalesce((survey ->> 'maximum_score')::double precision, 0) then
            inputs.bad('survey.score', 'is above the maximum_score')
    end;

call core.protect('inputs.party');
call core.log_changes('inputs.party', '#contact');
call core.protect('inputs.engagement');
call core.log_changes('inputs.engagement');
create trigger refuse_change before update on inputs.engagement
    for each statement execute function core.refuse_change();

-- Nothing of the register is frozen: who sees less than all sees none of it. (What a review looks at are the inputs,
-- which have the party's name.)
create policy scope on inputs.party as restrictive using ((select core.sees_all()));
create policy scope on inputs.engagement as restrictive using ((select core.sees_all()));

revoke all on function inputs.number_party, inputs.guard_contact, inputs.survey_fault from public;
grant execute on function inputs.number_party, inputs.survey_fault to isms_inputs;
grant select, insert, update on inputs.party to isms_inputs;
grant select, insert on inputs.engagement to isms_inputs;

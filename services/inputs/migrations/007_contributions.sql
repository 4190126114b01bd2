-- Who is asked for which inputs by when.

create table inputs.contribution (
    tenant_id       uuid not null references core.organisation (tenant_id),
    id              uuid not null,
    agenda_item     text not null default '',
    kind            text not null default '' check (kind = '' or inputs.kind_rank(kind) is not null),
    input_id        uuid,
    assignee_id     uuid not null,
    review_id       uuid,
    due_date        date not null,
    note            text not null default '',
    state           text not null default 'REQUESTED' check (state in ('REQUESTED', 'DELIVERED', 'WITHDRAWN')),
    delivered_by_id uuid,
    delivered_time  timestamptz,
    nothing_reason  text not null default '',
    reason          text not null default '',
    revision        bigint not null default 1,
    create_time     timestamptz not null default now(),
    update_time     timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, input_id) references inputs.input (tenant_id, id),
    check ((agenda_item <> '')::integer + (kind <> '')::integer + (input_id is not null)::integer = 1),
    check ((state = 'DELIVERED') = (delivered_time is not null))
);
create index contribution_due on inputs.contribution (tenant_id, due_date, id);
create index contribution_assignee on inputs.contribution (tenant_id, assignee_id, due_date, id);
create index contribution_review on inputs.contribution (tenant_id, review_id, due_date, id);
-- Whether one refers to an input, asked for each that is deleted with its organisation (005_evidence.sql).
create index contribution_input on inputs.contribution (tenant_id, input_id) where input_id is not null;
-- What a member owns, for whoever takes it over.
create index input_owner on inputs.input (tenant_id, owner_id, id) where owner_id is not null;

call core.protect('inputs.contribution');
call core.log_changes('inputs.contribution');
-- Whoever sees less than all inputs is asked for none.
create policy scope on inputs.contribution as restrictive using ((select core.sees_all()));

-- Today where the organisation is.
create function inputs.today(p_tenant uuid) returns date language sql stable parallel safe
begin atomic
    select (coalesce(core.now(), now()) at time zone o.time_zone)::date
    from core.organisation o where o.tenant_id = p_tenant;
end;

-- The item of the standard agenda that what is asked for belongs to.
create function inputs.item_of(c inputs.contribution) returns text language sql stable parallel safe
begin atomic
    select coalesce(nullif(c.agenda_item, ''),
                    (select k.item from inputs.kinds() k
                     where k.kind = coalesce(nullif(c.kind, ''), (select i.kind from inputs.input i
                                                                  where i.tenant_id = c.tenant_id
                                                                    and i.id = c.input_id))));
end;

-- Whether a member with these roles could deliver: of the roles (roles.def), those that have inputs.write.
create function inputs.may_contribute(roles text[]) returns boolean language sql immutable parallel safe
    return roles && '{ISMS_MANAGER,CONTRIBUTOR}';

-- See Contribution.late.
create function inputs.is_late(c inputs.contribution) returns boolean language sql stable parallel safe
begin atomic
    select case c.state
               when 'REQUESTED' then c.due_date < inputs.today(c.tenant_id)
               when 'DELIVERED' then c.due_date < (select (c.delivered_time at time zone o.time_zone)::date
                                                   from core.organisation o where o.tenant_id = c.tenant_id)
               else false end;
end;

-- How many inputs of those asked for the assignee has written or measured since the contribution was asked for. (By the
-- sequence of that, so that what an assignee had imported before is not looked at.)
create function inputs.recorded(c inputs.contribution) returns integer language sql stable parallel safe
begin atomic
    select count(*)::integer
    from (select distinct i.id
          from core.change g
          left join inputs.measurement m on g.table_name = 'inputs.measurement'
                                        and m.tenant_id = g.tenant_id and m.id = g.row_id
          join inputs.input i on i.tenant_id = g.tenant_id and i.id = coalesce(m.metric_id, g.row_id)
          where g.tenant_id = c.tenant_id and g.actor = c.assignee_id
            and g.sequence > (select a.sequence from core.change a
                              where a.tenant_id = c.tenant_id and a.row_id = c.id
                                and a.table_name = 'inputs.contribution' and a.revision = 1)
            and g.table_name in ('inputs.input', 'inputs.measurement') and i.delete_time is null
            and case when c.input_id is not null then i.id = c.input_id
                     when c.kind <> '' then i.kind = c.kind
                     else c.agenda_item = (select k.item from inputs.kinds() k where k.kind = i.kind) end
          limit 1000) written;
end;

revoke all on function inputs.today, inputs.item_of, inputs.may_contribute, inputs.is_late, inputs.recorded from public;
grant execute on function inputs.today, inputs.item_of, inputs.may_contribute, inputs.is_late, inputs.recorded
    to isms_inputs;
grant select, insert, update on inputs.contribution to isms_inputs;

-- Schema inputs: what clause 9.3.2 wants considered, the measurements, and what reviews froze.

create schema inputs;
grant usage on schema inputs to isms_inputs;

-- The kinds, in the order of clause 9.3.2.
create function inputs.kind_names() returns text[] language sql immutable parallel safe
    return '{CONTEXT_ISSUE,REQUIREMENT,NONCONFORMITY,INCIDENT,METRIC,CONTROL,TRAINING,AUDIT,FINDING,
        COMPLIANCE,OBJECTIVE,FEEDBACK,RISK,TREATMENT,IMPROVEMENT,OUTCOME,POLICY,RESOURCE}'::text[];

-- The place of a kind in that order; NULL: there is no such kind.
create function inputs.kind_rank(kind text) returns integer language sql immutable parallel safe
    return array_position(inputs.kind_names(), kind);

-- What the numbers of each kind begin with, and the item of the standard agenda that considers it.
create function inputs.kinds() returns table (kind text, prefix text, item text) language sql immutable parallel safe
begin atomic
    values
        ('CONTEXT_ISSUE', 'CI', 'context'),
        ('REQUIREMENT', 'RQ', 'interested_parties'),
        ('NONCONFORMITY', 'NC', 'nonconformities'),
        ('INCIDENT', 'IN', 'nonconformities'),
        ('METRIC', 'KPI', 'measurements'),
        ('CONTROL', 'CO', 'measurements'),
        ('TRAINING', 'TG', 'measurements'),
        ('AUDIT', 'AU', 'audits'),
        ('FINDING', 'FD', 'audits'),
        ('COMPLIANCE', 'CP', 'audits'),
        ('OBJECTIVE', 'OB', 'objectives'),
        ('FEEDBACK', 'FB', 'feedback'),
        ('RISK', 'RK', 'risks'),
        ('TREATMENT', 'TR', 'risks'),
        ('IMPROVEMENT', 'IM', 'improvement'),
        ('OUTCOME', 'OC', 'improvement'),
        ('POLICY', 'PO', 'policy'),
        ('RESOURCE', 'RS', 'resources');
end;

-- `detail` has one member, named after the kind: {"risk": {…}}, in proto JSON with the names of inputs.proto.
create table inputs.input (
    tenant_id      uuid not null references core.organisation (tenant_id),
    id             uuid not null,
    number         text not null,
    kind           text not null check (inputs.kind_rank(kind) is not null),
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
-- Orders of ListInputs (that by number is the unique key's); 008_finding.sql has the others.
create index input_kind on inputs.input (tenant_id, kind, number);
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
create index snapshot_newest on inputs.snapshot (tenant_id, sequence desc);

create table inputs.snapshot_item (
    tenant_id      uuid not null,
    snapshot_id    uuid not null,
    position       integer not null,
    kind           text not null,
    row_id         uuid not null,
    number         text not null,
    revision       bigint not null,
    content_sha256 text not null,
    state          text not null, -- of the input: so that what was closed in between is found without its content
    sequence       bigint not null default core.sequence(),
    primary key (tenant_id, snapshot_id, position),
    foreign key (tenant_id, snapshot_id) references inputs.snapshot (tenant_id, id)
);
create index snapshot_item_row on inputs.snapshot_item (tenant_id, row_id);

-- The numbers people see begin with the kind, and with the year it came up.
create function inputs.number_prefix(wanted text, day date) returns text language sql immutable parallel safe
    return (select k.prefix || '-' || lpad(extract(year from day)::text, 4, '0')
            from inputs.kinds() k where k.kind = wanted);

create function inputs.number_input() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.number := core.next_number(new.tenant_id,
        inputs.number_prefix(new.kind, coalesce(new.effective_date, (core.now() at time zone 'UTC')::date)));
    return new;
end
$$;
create trigger number_input before insert on inputs.input for each row execute function inputs.number_input();

-- A UUIDv7 for one of many rows of a call: the time of the call's :new_id, the rest from it and the row's key,
-- so that a repeated call makes the same ones. (This and detail_of() run for each row of an import; a query in them, or
-- a search_path of their own, would cost several times what they do.)
create function inputs.row_id(base uuid, key text) returns uuid language plpgsql immutable parallel safe as $$
declare
    hash constant bytea := sha256(uuid_send(base) || convert_to(key, 'UTF8'));
begin
    return encode(substr(uuid_send(base), 1, 6)
                  || set_byte(set_byte(substr(hash, 1, 10), 0, get_byte(hash, 0) & 15 | 112),
                              2, get_byte(hash, 2) & 63 | 128),
                  'hex')::uuid;
end
$$;

-- What an Input in proto JSON has of the members of its oneof `detail`; NULL: none.
create function inputs.detail_of(item jsonb) returns jsonb language plpgsql immutable parallel safe as $$
declare
    result jsonb;
    name   text;
begin
    foreach name in array lower(inputs.kind_names()::text)::text[] loop
        if item -> name <> 'null' then
            result := coalesce(result, '{}') || jsonb_build_object(name, item -> name);
        end if;
    end loop;
    return result;
end
$$;

-- The kind that such a detail is of; NULL: of none, or of several.
create function inputs.kind_of(detail jsonb) returns text language sql immutable parallel safe
    return case when jsonb_array_length(jsonb_path_query_array(detail, '$.keyvalue().key')) = 1
                then upper(jsonb_path_query_array(detail, '$.keyvalue().key') ->> 0) end;

-- What is wrong with an input: a reason of errors.def, the field, and what is wrong with it, for people.
create type inputs.fault as (reason text, field text, message text);

-- The detail as it is stored: with what follows from the organisation's schemes and its register of parties. Runs a
-- query only where there is something to look up.
create function inputs.completed(old inputs.input, i inputs.input) returns jsonb language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    member constant text := lower(i.kind);
    detail jsonb := i.detail -> member;
    before constant jsonb := old.detail -> member;
    name   text;
begin
    if i.kind = 'RISK' then
        detail := inputs.completed_risk(i.tenant_id, detail, before);
    elsif i.kind = 'IMPROVEMENT' then
        detail := inputs.completed_improvement(i.tenant_id, detail);
    elsif i.kind in ('REQUIREMENT', 'FEEDBACK') and detail ->> 'party_id' <> ''
          and (coalesce(detail ->> 'interested_party', '') = ''
               or before ->> 'party_id' is distinct from detail ->> 'party_id'
                  and before ->> 'interested_party' = detail ->> 'interested_party') then
        select p.name into name from inputs.party p
        where p.tenant_id = i.tenant_id and p.id = (detail ->> 'party_id')::uuid;
        if found then
            detail := jsonb_set(detail, '{interested_party}', to_jsonb(name));
        end if;
    end if;
    return jsonb_build_object(member, detail);
end
$$;

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
    kind := inputs.kind_of(result.detail);
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
    if result.evidence <> '[]' then
        result.evidence := inputs.evidence_filled(result.tenant_id, result.evidence);
    end if;
    result.delete_time := null;
    result.detail := inputs.completed(old, result);
    return result;
end
$$;

-- --- what must hold of a whole input -------------------------------------------------------------------------------
--
-- The rules of single fields are in the proto. Here is what they have to do with each other, as details.proto says it,
-- one expression a kind; what depends on the organisation's schemes is in 003_schemes.sql. The first that fails is
-- told.

create function inputs.bad(field text, message text) returns inputs.fault language sql immutable parallel safe
    return row('FIELD_INVALID', field, message)::inputs.fault;

-- A fault as the facts of core.fail(); `prefix` is where the input stands in the request: "input", "inputs[3]".
create function inputs.fault_facts(prefix text, fault inputs.fault) returns text language sql immutable parallel safe
    return 'field=' || prefix || '.' || fault.field || E'\ndescription=' || fault.message;

create function inputs.cause_fault(field text, cause jsonb) returns inputs.fault language sql immutable parallel safe
    return case
        when cause ->> 'method' = 'OTHER' and coalesce(cause ->> 'method_name', '') = '' then
            inputs.bad(field || '.method_name', 'is required with the method OTHER: say which')
        when cause ->> 'method' is distinct from 'OTHER' and cause ->> 'method_name' <> '' then
            inputs.bad(field || '.method_name', 'is for the method OTHER only; leave it out')
    end;

create function inputs.money_fault(field text, amount jsonb) returns inputs.fault language sql immutable parallel safe
    return case when (amount ->> 'hundredths')::bigint < 0 then inputs.bad(field || '.hundredths', 'is negative') end;

-- The score of a control or of compliance: JSON leaves a 0 out.
create function inputs.score_fault(field text, d jsonb) returns inputs.fault language sql immutable parallel safe
    return case
        when coalesce((d ->> 'maximum_score')::double precision, 0) = 0
             and greatest((d ->> 'score')::double precision, (d ->> 'target_score')::double precision) > 0 then
            inputs.bad(field || '.maximum_score', 'is required with a score: the best there is on that scale')
        when (d ->> 'score')::double precision > (d ->> 'maximum_score')::double precision then
            inputs.bad(field || '.score', 'is above the maximum_score')
        when (d ->> 'target_score')::double precision > (d ->> 'maximum_score')::double precision then
            inputs.bad(field || '.target_score', 'is above the maximum_score')
    end;

create function inputs.target_fault(target jsonb) returns inputs.fault language sql immutable parallel safe
    return case
        when target ->> 'operator' = 'TEXT' and coalesce(target ->> 'text', '') = '' then
            inputs.bad('metric.target.text', 'is required with the operator TEXT: the target in words')
        when target ->> 'operator' = 'BETWEEN' and coalesce((target ->> 'upper')::double precision, 0)
                                                   < coalesce((target ->> 'value')::double precision, 0) then
            inputs.bad('metric.target.upper', 'is below `value`, the lower bound')
        when target ->> 'operator' <> 'BETWEEN' and (target ->> 'upper')::double precision <> 0 then
            inputs.bad('metric.target.upper', 'is for the operator BETWEEN only; leave it out')
    end;

create function inputs.threshold_fault(polarity text, warning double precision, critical double precision)
    returns inputs.fault language sql immutable parallel safe
    return case
        when polarity = 'HIGHER_IS_BETTER' and critical > warning then
            inputs.bad('metric.thresholds.critical', 'is above `warning`: where higher is better, it lies below')
        when polarity = 'LOWER_IS_BETTER' and critical < warning then
            inputs.bad('metric.thresholds.critical', 'is below `warning`: where lower is better, it lies above')
        when polarity = 'IN_RANGE_IS_BETTER' and warning < 0 then
            inputs.bad('metric.thresholds.warning', 'is negative: where a range is good, it is the distance from it')
        when polarity = 'IN_RANGE_IS_BETTER' and critical < warning then
            inputs.bad('metric.thresholds.critical', 'is below `warning`: both are distances from the range')
    end;

create function inputs.metric_fault(d jsonb) returns inputs.fault language sql immutable parallel safe
    return coalesce(inputs.target_fault(d -> 'target'), case when d ? 'thresholds' then inputs.threshold_fault(
        d ->> 'polarity', coalesce((d #>> '{thresholds,warning}')::double precision, 0),
        coalesce((d #>> '{thresholds,critical}')::double precision, 0)) end);

create function inputs.party_fault(field text, d jsonb) returns inputs.fault language sql immutable parallel safe
    return case when coalesce(d ->> 'interested_party', '') = '' and coalesce(d ->> 'party_id', '') = '' then
        inputs.bad(field || '.interested_party', 'is required where party_id is not given: whose it is') end;

create function inputs.nonconformity_fault(d jsonb) returns inputs.fault language sql immutable parallel safe
    return coalesce(inputs.cause_fault('nonconformity.cause', d -> 'cause'), case
        when d ->> 'effectiveness' in ('EFFECTIVE', 'NOT_EFFECTIVE') and coalesce(d ->> 'effectiveness_date', '') = ''
        then inputs.bad('nonconformity.effectiveness_date', 'is required with a verdict: the day it was verified')
    end);

-- Each time is compared with the last one before it that is known.
create function inputs.incident_fault(d jsonb) returns inputs.fault language sql stable parallel safe
    return coalesce(inputs.cause_fault('incident.cause', d -> 'cause'), (
        select inputs.bad('incident.' || t.name, 'is before the ' || t.before_name)
        from (select u.n, u.name, u.at, lag(u.at) over w as before, lag(u.name) over w as before_name
              from (select n, name, (d ->> name)::timestamptz as at
                    from unnest('{occurred_time,detected_time,contained_time,resolved_time}'::text[])
                         with ordinality v (name, n) where d ? name) u
              window w as (order by u.n)) t
        where t.at < t.before order by t.n limit 1));

create function inputs.control_fault(d jsonb) returns inputs.fault language sql immutable parallel safe
    return case
        when (coalesce(d ->> 'design', 'NOT_TESTED') <> 'NOT_TESTED'
              or coalesce(d ->> 'operation', 'NOT_TESTED') <> 'NOT_TESTED') and coalesce(d ->> 'tested_date', '') = ''
        then inputs.bad('control.tested_date', 'is required with a verdict: the day of the test')
        else inputs.score_fault('control', d)
    end;

create function inputs.training_fault(d jsonb) returns inputs.fault language sql immutable parallel safe
    return case
        when (d ->> 'completed')::integer > coalesce((d ->> 'invited')::integer, 0) then
            inputs.bad('training.completed', 'is more than were invited')
        when (d ->> 'passed')::integer > coalesce((d ->> 'completed')::integer, 0) then
            inputs.bad('training.passed', 'is more than completed it')
    end;

create function inputs.compliance_fault(d jsonb) returns inputs.fault language sql immutable parallel safe
    return case
        when coalesce(d ->> 'status', 'NOT_ASSESSED') <> 'NOT_ASSESSED' and coalesce(d ->> 'assessed_date', '') = ''
        then inputs.bad('compliance.assessed_date', 'is required with a status: the day of the assessment')
        when d ->> 'status' = 'NOT_APPLICABLE' and coalesce(d ->> 'gap', '') = '' then
            inputs.bad('compliance.gap', 'is required with NOT_APPLICABLE: say why it does not apply')
        else inputs.score_fault('compliance', d)
    end;

create function inputs.resource_fault(d jsonb) returns inputs.fault language sql immutable parallel safe
    return coalesce(
        inputs.money_fault('resource.planned', d -> 'planned'), inputs.money_fault('resource.used', d -> 'used'),
        case when d #>> '{used,currency}' <> d #>> '{planned,currency}' then
            inputs.bad('resource.used.currency', 'is not that of `planned`, so that the two cannot be compared') end);

-- What all kinds have.
create function inputs.common_fault(i inputs.input) returns inputs.fault language sql stable parallel safe
    return case
        when i.closed_date < i.effective_date then
            inputs.bad('closed_date', 'is before the effective_date, ' || i.effective_date)
        when i.id = any (i.related_ids) then inputs.bad('related_ids', 'names the input itself')
        when i.risk_impact ->> 'disposition' = 'NO_IMPACT' and coalesce(i.risk_impact ->> 'note', '') = '' then
            inputs.bad('risk_impact.note', 'is required with NO_IMPACT: say why there is none')
        when i.risk_impact ->> 'disposition' in ('RISK_CHANGED', 'RISK_ADDED')
             and coalesce(i.risk_impact -> 'risk_ids', '[]') = '[]' then
            inputs.bad('risk_impact.risk_ids', 'is required with ' || (i.risk_impact ->> 'disposition')
                                               || ': name the risks')
        when coalesce(i.risk_impact ->> 'disposition', 'NOT_ASSESSED') in ('NO_IMPACT', 'NOT_ASSESSED')
             and i.risk_impact -> 'risk_ids' <> '[]' then
            inputs.bad('risk_impact.risk_ids', 'names risks, and the disposition says '
                                               || coalesce(i.risk_impact ->> 'disposition', 'nothing'))
    end;

-- The references of a kind: the fields, and for each the kinds that it may name.
create function inputs.references_of(kind text, out fields text[], out targets text[]) language plpgsql immutable
    set search_path = pg_catalog, pg_temp as $$
begin
    case kind
        when 'NONCONFORMITY' then
            fields := '{origin_id,recurrence_of_id}';
            targets := '{FINDING INCIDENT,NONCONFORMITY}';
        when 'FINDING' then fields := '{audit_id,nonconformity_id}'; targets := '{AUDIT,NONCONFORMITY}';
        when 'OBJECTIVE' then fields := '{metric_id}'; targets := '{METRIC}';
        when 'TREATMENT' then fields := '{risk_id}'; targets := '{RISK}';
        when 'OUTCOME' then fields := '{improvement_id,metric_id}'; targets := '{IMPROVEMENT,METRIC}';
        else fields := '{}'; targets := '{}';
    end case;
end
$$;

create function inputs.lost(field text, what text) returns inputs.fault language sql immutable parallel safe
    return row('REFERENCE_INVALID', field, 'names no ' || what || ' of the organisation')::inputs.fault;

-- The first field that refers to something that is not there, or is of another kind. (Conditions are nested so that an
-- input without references, the usual case in an import, runs no query at all.)
create function inputs.reference_fault(i inputs.input) returns inputs.fault language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    detail constant jsonb := i.detail -> lower(i.kind);
    wanted record;
    value  text;
begin
    if i.owner_id is not null then
        if not exists (select from core.member m where m.tenant_id = i.tenant_id and m.id = i.owner_id) then
            return inputs.lost('owner_id', 'member');
        end if;
    end if;
    if i.related_ids <> '{}' then
        if exists (select from unnest(i.related_ids) r (id)
                   where not exists (select from inputs.input o where o.tenant_id = i.tenant_id and o.id = r.id)) then
            return inputs.lost('related_ids', 'input');
        end if;
    end if;
    if i.risk_impact -> 'risk_ids' <> '[]' then
        if exists (select from jsonb_array_elements_text(i.risk_impact -> 'risk_ids') r (id)
                   where not exists (select from inputs.input o
                                     where o.tenant_id = i.tenant_id and o.id = r.id::uuid and o.kind = 'RISK')) then
            return inputs.lost('risk_impact.risk_ids', 'risk');
        end if;
    end if;
    if detail ->> 'party_id' <> '' then
        if not exists (select from inputs.party p
                       where p.tenant_id = i.tenant_id and p.id = (detail ->> 'party_id')::uuid) then
            return inputs.lost(lower(i.kind) || '.party_id', 'interested party');
        end if;
    end if;
    wanted := inputs.references_of(i.kind);
    for n in 1 .. cardinality(wanted.fields) loop
        value := detail ->> wanted.fields[n];
        if value <> '' then
            if value::uuid = i.id then
                return inputs.bad(lower(i.kind) || '.' || wanted.fields[n], 'names the input itself');
            end if;
            if not exists (select from inputs.input o
                           where o.tenant_id = i.tenant_id and o.id = value::uuid
                             and o.kind = any (string_to_array(wanted.targets[n], ' '))) then
                return inputs.lost(lower(i.kind) || '.' || wanted.fields[n],
                                   lower(replace(wanted.targets[n], ' ', ' or ')));
            end if;
        end if;
    end loop;
    return null;
end
$$;

-- The first thing that is wrong with an input as it would be stored; NULL: nothing. Whatever writes one asks here.
create function inputs.fault_of(i inputs.input) returns inputs.fault language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    detail constant jsonb := i.detail -> lower(i.kind);
    result inputs.fault := inputs.common_fault(i);
begin
    if result is null then
        case i.kind
            when 'REQUIREMENT' then result := inputs.party_fault('requirement', detail);
            when 'NONCONFORMITY' then result := inputs.nonconformity_fault(detail);
            when 'INCIDENT' then result := inputs.incident_fault(detail);
            when 'METRIC' then result := inputs.metric_fault(detail);
            when 'CONTROL' then result := inputs.control_fault(detail);
            when 'TRAINING' then result := inputs.training_fault(detail);
            when 'FINDING' then result := inputs.cause_fault('finding.cause', detail -> 'cause');
            when 'COMPLIANCE' then result := inputs.compliance_fault(detail);
            when 'FEEDBACK' then result := inputs.party_fault('feedback', detail);
            when 'RISK' then result := inputs.risk_fault(i.tenant_id, detail);
            when 'TREATMENT' then result := inputs.money_fault('treatment.cost', detail -> 'cost');
            when 'IMPROVEMENT' then
                result := coalesce(inputs.money_fault('improvement.cost', detail -> 'cost'),
                                   inputs.improvement_fault(i.tenant_id, detail));
            when 'RESOURCE' then result := inputs.resource_fault(detail);
            else null; -- context issues, audits, objectives, outcomes and policies have no rules but their references
        end case;
    end if;
    if result is null then
        result := inputs.reference_fault(i);
    end if;
    if result is null and i.evidence <> '[]' then
        result := inputs.evidence_fault(i.tenant_id, i.evidence);
    end if;
    return result;
end
$$;

do $$
declare
    target text;
begin
    foreach target in array array['input', 'measurement', 'snapshot', 'snapshot_item']
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

-- The JSON that a snapshot's content is; NULL: it is none, so somebody has altered it.
create function inputs.json_of(content bytea) returns jsonb language plpgsql immutable parallel safe
    set search_path = pg_catalog, pg_temp as $$
begin
    return convert_from(content, 'UTF8')::jsonb;
exception when data_exception then
    return null;
end
$$;

-- An auditor sees what the reviews it is named for have frozen, as it was frozen (ListSnapshotInputs,
-- GetSnapshotInput): not the inputs as they are now, and of their measurements those that had been recorded by then.
-- Nobody else who sees less than all sees anything.
create policy scope on inputs.snapshot as restrictive using (
    case (select core.scope())
        when 'all' then true
        when 'auditor' then review_id = any ((select core.granted_reviews())::uuid[])
        else false
    end);
create policy scope on inputs.snapshot_item as restrictive using (
    (select core.scope()) = 'all'
    or snapshot_id in (select s.id from inputs.snapshot s where s.tenant_id = (select core.tenant())));
create policy scope on inputs.input as restrictive using ((select core.sees_all()));
create policy scope on inputs.measurement as restrictive using (
    (select core.scope()) = 'all'
    or exists (select from inputs.snapshot_item t
               join inputs.snapshot s on s.tenant_id = t.tenant_id and s.id = t.snapshot_id
               where t.tenant_id = (select core.tenant()) and t.row_id = measurement.metric_id
                 and s.as_of >= measurement.create_time));

revoke all on all functions in schema inputs from public;
grant execute on all functions in schema inputs to isms_inputs;
grant select, insert, update on inputs.input to isms_inputs;
grant select, insert on inputs.measurement, inputs.snapshot, inputs.snapshot_item to isms_inputs;

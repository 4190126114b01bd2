-- How an organisation measures its risks and weighs its improvements, and what that makes of an input.
--
-- Without a row the default counts: its revision is 0. Both tables are seen by everybody who sees anything of the
-- organisation: an assessment means nothing without its scheme, and a hidden row would look like the default.

create table inputs.risk_scheme (
    tenant_id     uuid primary key references core.organisation (tenant_id),
    likelihoods   text[] not null default '{}',
    impacts       text[] not null default '{}',
    maximum_score integer not null default 0,
    bands         jsonb not null check (jsonb_typeof(bands) = 'array'),
    appetite      integer not null default 0,
    description   text not null default '',
    revision      bigint not null default 1,
    create_time   timestamptz not null default now(),
    update_time   timestamptz not null default now()
);

create table inputs.improvement_scheme (
    tenant_id   uuid primary key references core.organisation (tenant_id),
    criteria    jsonb not null check (jsonb_typeof(criteria) = 'array'),
    revision    bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now()
);

create function inputs.risk_scheme_of(tenant uuid) returns inputs.risk_scheme language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    scheme inputs.risk_scheme;
begin
    select s.* into scheme from inputs.risk_scheme s where s.tenant_id = tenant;
    if not found then
        scheme.tenant_id := tenant;
        scheme.likelihoods := '{Rare,Unlikely,Possible,Likely,"Almost certain"}';
        scheme.impacts := '{Negligible,Minor,Moderate,Major,Severe}';
        scheme.maximum_score := 0;
        scheme.bands := '[{"name": "Low", "from_level": 1}, {"name": "Medium", "from_level": 5},
                          {"name": "High", "from_level": 10}, {"name": "Critical", "from_level": 17}]';
        scheme.appetite := 9;
        scheme.description := '';
        scheme.revision := 0;
    end if;
    return scheme;
end
$$;

create function inputs.improvement_scheme_of(tenant uuid) returns inputs.improvement_scheme language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    scheme inputs.improvement_scheme;
begin
    select s.* into scheme from inputs.improvement_scheme s where s.tenant_id = tenant;
    if not found then
        scheme.tenant_id := tenant;
        scheme.criteria := '[{"key": "risk_reduction", "name": "Risk reduction", "weight": 40},
                             {"key": "benefit", "name": "Benefit to the business", "weight": 30},
                             {"key": "effort", "name": "Effort (little is much)", "weight": 15},
                             {"key": "cost", "name": "Cost (little is much)", "weight": 15}]';
        scheme.revision := 0;
    end if;
    return scheme;
end
$$;

create function inputs.is_matrix(s inputs.risk_scheme) returns boolean language sql immutable parallel safe
    return cardinality(s.likelihoods) > 0;

create function inputs.highest_level(s inputs.risk_scheme) returns integer language sql immutable parallel safe
    return case when inputs.is_matrix(s) then cardinality(s.likelihoods) * cardinality(s.impacts)
                else s.maximum_score end;

-- The name of the band that a level is in.
create function inputs.band_of(s inputs.risk_scheme, level integer) returns text language sql immutable parallel safe
    return (select b.value ->> 'name' from jsonb_array_elements(s.bands) b
            where (b.value ->> 'from_level')::integer <= level
            order by (b.value ->> 'from_level')::integer desc limit 1);

-- What is wrong with a scheme that somebody wants to set; NULL: nothing.
create function inputs.scheme_fault(s inputs.risk_scheme) returns inputs.fault language sql stable parallel safe
    return case
        when inputs.is_matrix(s) and (cardinality(s.likelihoods) not between 3 and 6) then
            inputs.bad('likelihoods', 'has fewer than 3 steps: a matrix has 3 to 6 of them')
        when inputs.is_matrix(s) <> (cardinality(s.impacts) > 0) or cardinality(s.impacts) in (1, 2) then
            inputs.bad('impacts', 'do not fit: a matrix has 3 to 6 steps of likelihood and of impact, a score has none')
        when inputs.is_matrix(s) and s.maximum_score <> 0 then
            inputs.bad('maximum_score', 'is not for a matrix, whose highest level is likelihood times impact')
        when not inputs.is_matrix(s) and s.maximum_score < 2 then
            inputs.bad('maximum_score', 'is required where there is no matrix, and is at least 2')
        when (s.bands -> 0 ->> 'from_level')::integer <> 1 then
            inputs.bad('bands[0].from_level', 'is not 1: the first band begins with the lowest level')
        else coalesce(
            (select inputs.bad(format('bands[%s].from_level', b.n - 1),
                               'is not above the band before it, or beyond the highest level')
             from (select (e.value ->> 'from_level')::integer as level, e.n,
                          lag((e.value ->> 'from_level')::integer) over (order by e.n) as below
                   from jsonb_array_elements(s.bands) with ordinality e (value, n)) b
             where b.level <= b.below or b.level > inputs.highest_level(s) order by b.n limit 1),
            (select inputs.bad(format('bands[%s].name', max(e.n) - 1), 'is the name of another band as well')
             from jsonb_array_elements(s.bands) with ordinality e (value, n)
             group by lower(e.value ->> 'name') having count(*) > 1 limit 1),
            case when s.appetite > inputs.highest_level(s)
                 then inputs.bad('appetite', 'is beyond the highest level, ' || inputs.highest_level(s)) end)
        end;

create function inputs.scheme_fault(s inputs.improvement_scheme) returns inputs.fault language sql stable parallel safe
    return coalesce(
        (select inputs.bad(format('criteria[%s].key', max(e.n) - 1), 'is the key of another criterion as well')
         from jsonb_array_elements(s.criteria) with ordinality e (value, n)
         group by e.value ->> 'key' having count(*) > 1 limit 1),
        (select inputs.bad('criteria', format('weights make %s and not 100 per cent', round(w.total::numeric, 3)))
         from (select sum(coalesce((e.value ->> 'weight')::double precision, 0)) as total
               from jsonb_array_elements(s.criteria) e) w
         where abs(w.total - 100) > 0.001));

-- A level as it is stored: on a matrix the product of its steps, with the name of its band. A level that was computed
-- before gives way to steps that have changed since. (This and level_fault() run four times a risk, inside functions
-- that have set the search_path.)
create function inputs.completed_level(s inputs.risk_scheme, level jsonb, old jsonb) returns jsonb
    language plpgsql immutable as $$
declare
    product integer := (level ->> 'likelihood')::integer * (level ->> 'impact')::integer;
    result  jsonb := level - 'band';
begin
    if inputs.is_matrix(s) and product > 0
       and (coalesce((level ->> 'level')::integer, 0) = 0 or level ->> 'level' = old ->> 'level') then
        result := jsonb_set(result, '{level}', to_jsonb(product));
    end if;
    if (result ->> 'level')::integer > 0 then
        result := jsonb_set(result, '{band}', to_jsonb(inputs.band_of(s, (result ->> 'level')::integer)));
    end if;
    return result;
end
$$;

create function inputs.completed_risk(tenant uuid, risk jsonb, old jsonb) returns jsonb language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    scheme inputs.risk_scheme := inputs.risk_scheme_of(tenant);
    result jsonb := risk - 'above_appetite';
    name   text;
begin
    foreach name in array '{inherent,current,residual,target}'::text[] loop
        if result ? name then
            result := jsonb_set(result, array[name], inputs.completed_level(scheme, result -> name, old -> name));
        end if;
    end loop;
    if (result #>> '{current,level}')::integer
       > coalesce(nullif((result ->> 'appetite')::integer, 0), scheme.appetite) then
        result := jsonb_set(result, '{above_appetite}', 'true');
    end if;
    return result;
end
$$;

create function inputs.completed_improvement(tenant uuid, improvement jsonb) returns jsonb language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    scheme inputs.improvement_scheme;
begin
    if coalesce(improvement -> 'scores', '[]') = '[]' then
        return improvement - 'score';
    end if;
    scheme := inputs.improvement_scheme_of(tenant);
    return jsonb_set(improvement, '{score}', coalesce((
        select to_jsonb(trim_scale(round(sum(coalesce((s.value ->> 'score')::numeric, 0)
                                             * coalesce((c.value ->> 'weight')::numeric, 0)) / 100, 6)))
        from jsonb_array_elements(improvement -> 'scores') s
        join jsonb_array_elements(scheme.criteria) c on c.value ->> 'key' = s.value ->> 'criterion'), '0'));
end
$$;

-- A level that the scheme does not have, of `name`: "current". NULL: all is well, or the risk was not assessed.
create function inputs.level_fault(s inputs.risk_scheme, name text, one jsonb) returns inputs.fault
    language plpgsql immutable as $$
declare
    likelihood integer := coalesce((one ->> 'likelihood')::integer, 0);
    impact     integer := coalesce((one ->> 'impact')::integer, 0);
    level      integer := coalesce((one ->> 'level')::integer, 0);
    field      text := 'risk.' || name;
begin
    if greatest(likelihood, impact, level) = 0 then
        return null;
    end if;
    if not inputs.is_matrix(s) then
        return case
            when likelihood > 0 then
                inputs.bad(field || '.likelihood', 'is not used: risks have a score here, which is the level')
            when impact > 0 then
                inputs.bad(field || '.impact', 'is not used: risks have a score here, which is the level')
            when level > s.maximum_score then
                inputs.bad(field || '.level', format('is %s, above the highest score, %s', level, s.maximum_score))
        end;
    end if;
    return case
        when likelihood = 0 then
            inputs.bad(field || '.likelihood', format('is required: risks are placed on a matrix of %s × %s',
                                                      cardinality(s.likelihoods), cardinality(s.impacts)))
        when impact = 0 then
            inputs.bad(field || '.impact', format('is required: risks are placed on a matrix of %s × %s',
                                                  cardinality(s.likelihoods), cardinality(s.impacts)))
        when likelihood > cardinality(s.likelihoods) then
            inputs.bad(field || '.likelihood', format('is %s, and the matrix has %s steps of likelihood', likelihood,
                                                      cardinality(s.likelihoods)))
        when impact > cardinality(s.impacts) then
            inputs.bad(field || '.impact', format('is %s, and the matrix has %s steps of impact', impact,
                                                  cardinality(s.impacts)))
        when level <> likelihood * impact then
            inputs.bad(field || '.level', format('is %s, and %s × %s is %s: leave it out and it is computed', level,
                                                 likelihood, impact, likelihood * impact))
    end;
end
$$;

create function inputs.risk_fault(tenant uuid, risk jsonb) returns inputs.fault language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    scheme inputs.risk_scheme := inputs.risk_scheme_of(tenant);
    result inputs.fault;
    name   text;
begin
    foreach name in array '{inherent,current,residual,target}'::text[] loop
        result := inputs.level_fault(scheme, name, risk -> name);
        exit when result is not null;
    end loop;
    return case
        when result is not null then result
        when (risk ->> 'appetite')::integer > inputs.highest_level(scheme) then
            inputs.bad('risk.appetite', format('is %s, above the highest level, %s', risk ->> 'appetite',
                                               inputs.highest_level(scheme)))
        when risk ->> 'response' = 'ACCEPT' and coalesce(risk ->> 'rationale', '') = '' then
            inputs.bad('risk.rationale', 'is required with ACCEPT: say why the risk is acceptable')
    end;
end
$$;

create function inputs.improvement_fault(tenant uuid, improvement jsonb) returns inputs.fault language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    scores constant jsonb := coalesce(improvement -> 'scores', '[]');
    scheme inputs.improvement_scheme;
begin
    if scores = '[]' then
        return null;
    end if;
    scheme := inputs.improvement_scheme_of(tenant);
    return (
        select case when s.place > 1
                    then inputs.bad(s.field, 'is scored twice')
                    else inputs.bad(s.field, 'is no criterion of the organisation''s scheme; see GetImprovementScheme')
               end
        from (select e.value ->> 'criterion' as key, format('improvement.scores[%s].criterion', e.n - 1) as field, e.n,
                     row_number() over (partition by e.value ->> 'criterion' order by e.n) as place
              from jsonb_array_elements(scores) with ordinality e (value, n)) s
        where s.place > 1
              or not exists (select from jsonb_array_elements(scheme.criteria) c where c.value ->> 'key' = s.key)
        order by s.n limit 1);
end
$$;

call core.protect('inputs.risk_scheme');
call core.log_changes('inputs.risk_scheme');
call core.protect('inputs.improvement_scheme');
call core.log_changes('inputs.improvement_scheme');

revoke all on all functions in schema inputs from public;
grant execute on all functions in schema inputs to isms_inputs;
grant select, insert, update on inputs.risk_scheme, inputs.improvement_scheme to isms_inputs;

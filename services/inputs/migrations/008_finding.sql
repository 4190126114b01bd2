-- Finding inputs: what the filters and counts ask of a row, and the words by which a text search finds it.

-- The places that the orders of ListInputs give: the worst severity first and none last; what has no day comes after
-- all others when it is due, and before them when it took effect. (Each a `case`, of comparisons that are leakproof:
-- under row-level security the planner reads an index from the middle for nothing else, a coalesce() included.)
create function inputs.severity_place(severity text) returns integer language sql immutable parallel safe
    return case severity when 'CRITICAL' then 0 when 'HIGH' then 1 when 'MEDIUM' then 2 when 'LOW' then 3
                         when 'INFORMATIONAL' then 4 else 5 end;
create function inputs.due_place(day date) returns date language sql immutable parallel safe
    return case when day is null then 'infinity' else day end;
create function inputs.effective_place(day date) returns date language sql immutable parallel safe
    return case when day is null then '-infinity' else day end;

-- Over all kinds and within one. (Those by number and by the time of the last change are in 001_inputs.sql.)
create index input_due on inputs.input (tenant_id, inputs.due_place(due_date), number);
create index input_severity on inputs.input (tenant_id, inputs.severity_place(severity), number);
create index input_effective on inputs.input (tenant_id, inputs.effective_place(effective_date), number);
create index input_title on inputs.input (tenant_id, title, number);
create index input_kind_due on inputs.input (tenant_id, kind, inputs.due_place(due_date), number);
create index input_kind_severity on inputs.input (tenant_id, kind, inputs.severity_place(severity), number);
create index input_kind_effective on inputs.input (tenant_id, kind, inputs.effective_place(effective_date), number);

-- Refuses an InputFilter (in proto JSON) whose bounds hold nothing; else true. Depends on nothing but the filter, so
-- that a statement asks it once and not for each row.
create function inputs.check_filter(filter jsonb) returns boolean language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    name  text;
    first timestamptz;
    last  timestamptz;
begin
    foreach name in array '{effective,due,closed,created,updated}'::text[] loop
        first := filter -> name ->> 'from';
        last := filter -> name ->> 'before';
        if first >= last then
            perform core.fail('FIELD_INVALID', format(
                E'field=filter.%s.before\ndescription=is not after filter.%s.from, so that nothing can be between',
                name, name));
        end if;
    end loop;
    return true;
end
$$;

-- The values that an input has in a dimension of CountInputs; '' stands for none. `items` are the agenda items of the
-- kinds, in their order. (Without a query in it, so that it becomes part of the statement that asks it for each row.)
create function inputs.values_of(i inputs.input, dimension text, today date, items text[]) returns text[]
    language sql stable parallel safe
    return case dimension
        when '' then '{""}'
        when 'LABEL' then case when (i).labels = '{}' then '{""}' else (i).labels end
        else array[coalesce(case dimension
            when 'KIND' then (i).kind
            when 'AGENDA_ITEM' then items[inputs.kind_rank((i).kind)]
            when 'STATE' then (i).state
            when 'SEVERITY' then (i).severity
            when 'OWNER' then (i).owner_id::text
            when 'SOURCE' then (i).source
            when 'GRADE' then (i).detail -> lower((i).kind) ->> 'grade'
            when 'RISK_IMPACT' then (i).risk_impact ->> 'disposition'
            when 'OVERDUE' then case when (i).state <> 'CLOSED' and (i).due_date < today then 'OVERDUE'
                                     else 'NOT_OVERDUE' end
            when 'EFFECTIVE_MONTH' then to_char((i).effective_date, 'YYYY-MM')
            when 'EFFECTIVE_QUARTER' then to_char((i).effective_date, 'YYYY-"Q"Q')
            when 'EFFECTIVE_YEAR' then to_char((i).effective_date, 'YYYY')
            when 'DUE_MONTH' then to_char((i).due_date, 'YYYY-MM')
            when 'DUE_QUARTER' then to_char((i).due_date, 'YYYY-"Q"Q')
            when 'DUE_YEAR' then to_char((i).due_date, 'YYYY')
            when 'CLOSED_MONTH' then to_char((i).closed_date, 'YYYY-MM')
            when 'CLOSED_QUARTER' then to_char((i).closed_date, 'YYYY-"Q"Q')
            when 'CLOSED_YEAR' then to_char((i).closed_date, 'YYYY')
            end, '')]
        end;

-- Where a value stands among those of its dimension, as text to sort by; '' where the count decides.
create function inputs.value_place(dimension text, value text) returns text language sql immutable parallel safe
    return case
        when dimension = 'KIND' then lpad(coalesce(inputs.kind_rank(value), 99)::text, 2, '0')
        when dimension = 'AGENDA_ITEM' then (select lpad(min(inputs.kind_rank(k.kind))::text, 2, '0')
                                             from inputs.kinds() k where k.item = value)
        when dimension = 'STATE' then array_position('{OPEN,IN_PROGRESS,CLOSED}', value)::text
        when dimension = 'SEVERITY' then inputs.severity_place(value)::text
        when dimension = 'GRADE' then
            coalesce(array_position('{MAJOR,MINOR,OBSERVATION,OPPORTUNITY,STRENGTH}', value), 9)::text
        when dimension = 'RISK_IMPACT' then
            coalesce(array_position('{NOT_ASSESSED,NO_IMPACT,RISK_CHANGED,RISK_ADDED}', value), 9)::text
        when dimension = 'OVERDUE' then array_position('{OVERDUE,NOT_OVERDUE}', value)::text
        when dimension ~ '_(MONTH|QUARTER|YEAR)$' then coalesce(nullif(value, ''), '~')
        else '' end;

-- Text as it is searched: without accents, in small letters, a space for anything but letters and digits, and a space
-- around each character of the scripts that write none between words (Thai, Lao, Burmese, Khmer, kana, Han), so that
-- there each character is a word and a search for several in a row finds them in the midst of a text. Spelled out in
-- code points, so that it does not depend on the database's locale (but for what it knows as capital letters); what is
-- ASCII alone, by the shortest way.
create function inputs.plain_text(value text) returns text language sql immutable parallel safe
    return lower(case when octet_length(value) = length(value) then regexp_replace(value, '[^A-Za-z0-9]+', ' ', 'g')
        else regexp_replace(regexp_replace(
            normalize(regexp_replace(normalize(value, NFKD), '[\u0300-\u036f]', '', 'g'), NFKC),
            '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u2000-\u206f'
            '\u20a0-\u20cf\u2190-\u2bff\u3000-\u3004\u3008-\u3020\u3030\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40'
            '\uff5b-\uff65\U0001f000-\U0001faff]+', ' ', 'g'),
            '([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])', ' \1 ', 'g') end);

-- The words of a text with their places; what is longer than a word can be is cut. (These two are PL/pgSQL for its
-- kept plans: they run for each input that is written.)
create function inputs.words(value text, weight "char") returns tsvector language plpgsql immutable parallel safe
    set search_path = pg_catalog, pg_temp as $$
begin
    if value = '' then
        return '';
    end if;
    return setweight(coalesce((
        select string_agg('''' || left(w.word, 200) || ''':' || least(w.place, 16383), ' ')
        from unnest(array_remove(string_to_array(inputs.plain_text(value), ' '), '')) with ordinality w (word, place)
    ), '')::tsvector, weight);
end
$$;

-- The words of an input, the more telling ones with more weight: A number, external id and title; B owner and labels;
-- C summary; D what is in the detail, as far as 100,000 characters.
create function inputs.words_of(i inputs.input) returns tsvector language plpgsql stable parallel safe
    set search_path = pg_catalog, pg_temp as $$
begin
    return inputs.words(concat_ws(' ', i.number, i.external_id, i.title), 'A')
        || inputs.words(concat_ws(' ', i.owner_name, array_to_string(i.labels, ' ')), 'B')
        || inputs.words(i.summary, 'C')
        || inputs.words(left((
               select string_agg(t.value #>> '{}', ' ')
               from jsonb_path_query(i.detail, 'strict $.** ? (@.type() == "string")') t (value)
               where t.value #>> '{}' !~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'), 100000), 'D');
end
$$;

-- What somebody looks for, as a query on those words: all of them, each as the beginning of a word; what one word of
-- the query is taken apart into ("A.8.16"), in a row.
create function inputs.text_query(value text) returns tsquery language plpgsql stable
    set search_path = pg_catalog, pg_temp as $$
declare
    given  text;
    words  text[];
    phrase tsquery;
    result tsquery;
    count  integer := 0;
begin
    foreach given in array regexp_split_to_array(value, '\s+') loop
        words := array_remove(regexp_split_to_array(inputs.plain_text(given), ' +'), '');
        if words <> '{}' then
            phrase := (select string_agg('''' || left(w, 200) || ''':*', ' <-> ') from unnest(words) w)::tsquery;
            result := coalesce(result && phrase, phrase);
            count := count + cardinality(words);
        end if;
    end loop;
    if count not between 1 and 20 then
        perform core.fail('FIELD_INVALID', E'field=query\ndescription=' || case count
            when 0 then 'has no letter or digit; give words' else 'has more than 20 words; give fewer' end);
    end if;
    return result;
end
$$;

-- The words of every input, kept beside it by a trigger: not in the input's own row, whose every column is logged and
-- hashed, and what follows from the others need not be. A search looks through all of an organisation's: full text
-- operators are not leakproof, so that under row-level security no index on words can be used, and one of (tenant,
-- word, input) would be several times as large as the inputs and be written with every one of them.
create table inputs.input_text (
    tenant_id uuid not null,
    input_id  uuid not null,
    words     tsvector not null,
    primary key (tenant_id, input_id),
    foreign key (tenant_id, input_id) references inputs.input (tenant_id, id)
);
call core.protect('inputs.input_text');
create policy scope on inputs.input_text as restrictive using ((select core.sees_all()));

create function inputs.keep_words() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    new_words constant tsvector := inputs.words_of(new);
begin
    update inputs.input_text t set words = new_words
    where t.tenant_id = new.tenant_id and t.input_id = new.id and t.words <> new_words;
    return null;
end
$$;
create trigger keep_words after update of title, owner_name, labels, summary, detail on inputs.input
    for each row execute function inputs.keep_words();

-- Those of all that one statement adds at once: an import adds hundreds.
create function inputs.add_words() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into inputs.input_text
    select a.tenant_id, a.id, inputs.words_of(a::inputs.input) from added a;
    return null;
end
$$;
create trigger add_words after insert on inputs.input referencing new table as added
    for each statement execute function inputs.add_words();

revoke all on all functions in schema inputs from public;
grant execute on function inputs.severity_place, inputs.due_place, inputs.effective_place, inputs.check_filter,
    inputs.values_of, inputs.value_place, inputs.plain_text, inputs.words, inputs.words_of, inputs.text_query,
    inputs.keep_words, inputs.add_words
    to isms_inputs;
grant select, insert, update on inputs.input_text to isms_inputs;

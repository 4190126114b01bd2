-- What the data quality check computes in SQL and trends compute in C: the spans that a metric's frequency cuts the
-- calendar into, numbered in order without gaps. NULL for IRREGULAR, which has none. See span.h.

create function inputs.span_of(frequency text, day date) returns integer language sql immutable parallel safe
    return case frequency
        when 'DAILY' then day - date '0001-01-01'
        when 'WEEKLY' then (day - date '0001-01-01') / 7 -- a Monday
        when 'MONTHLY' then extract(year from day)::integer * 12 + extract(month from day)::integer - 1
        when 'QUARTERLY' then (extract(year from day)::integer * 12 + extract(month from day)::integer - 1) / 3
        when 'HALF_YEARLY' then (extract(year from day)::integer * 12 + extract(month from day)::integer - 1) / 6
        when 'YEARLY' then extract(year from day)::integer
    end;

create function inputs.span_last_day(frequency text, span integer) returns date language sql immutable parallel safe
    return case frequency
        when 'DAILY' then date '0001-01-01' + span
        when 'WEEKLY' then date '0001-01-01' + span * 7 + 6
        else (date '0001-01-01' + make_interval(months => (span + 1) * case frequency
                  when 'MONTHLY' then 1 when 'QUARTERLY' then 3 when 'HALF_YEARLY' then 6 when 'YEARLY' then 12 end
              - 12))::date - 1
    end;

-- Whether a value is not what the target (Target in proto JSON) asks for. NULL without a target, or of one in words.
create function inputs.target_is_missed(target jsonb, value double precision) returns boolean
    language sql immutable parallel safe
    return case target ->> 'operator'
        when 'AT_MOST' then value > coalesce((target ->> 'value')::double precision, 0)
        when 'AT_LEAST' then value < coalesce((target ->> 'value')::double precision, 0)
        when 'BETWEEN' then value not between coalesce((target ->> 'value')::double precision, 0)
                                          and coalesce((target ->> 'upper')::double precision, 0)
        when 'BELOW' then value >= coalesce((target ->> 'value')::double precision, 0)
        when 'ABOVE' then value <= coalesce((target ->> 'value')::double precision, 0)
        when 'EQUAL' then value <> coalesce((target ->> 'value')::double precision, 0)
    end;

-- Something that is wrong with an input: a name of quality.def, the field to look at, and what is said of it behind the
-- check's own sentence.
create type inputs.quality_issue as (check_name text, field text, detail text);

create function inputs.issue(check_name text, field text, detail text default '') returns inputs.quality_issue
    language sql immutable parallel safe
    return row(check_name, field, detail)::inputs.quality_issue;

revoke all on function inputs.span_of, inputs.span_last_day, inputs.target_is_missed, inputs.issue from public;
grant execute on function inputs.span_of, inputs.span_last_day, inputs.target_is_missed,
    inputs.issue to isms_inputs;

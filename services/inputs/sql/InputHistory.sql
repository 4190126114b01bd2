--@request isms.inputs.v1.InputHistoryRequest
--@response isms.inputs.v1.InputHistory
-- What the change log has of the inputs of a kind that came up by the period's end: the last state of each day, where
-- it differs in what is asked for. Of those that were closed before the period, the last state of all. Who does not
-- see all would get numbers of a part, and is refused; what a review froze has trends for everybody who may see it.
with place as materialized (
    select o.time_zone, ((:now)::timestamptz at time zone o.time_zone)::date - date '1970-01-01' as today,
           scheme.appetite, scheme.bands,
           case when (select core.scope()) = 'all' then true
                else core.fail('PERMISSION_DENIED', 'scope=' || (select core.scope())) end as ok
    from core.organisation o cross join inputs.risk_scheme_of(:tenant) scheme
    where o.tenant_id = :tenant
),
revised as (
    select i.id, i.number, (i.create_time at time zone p.time_zone)::date as created, c.revision, c.content,
           (c.change_time at time zone p.time_zone)::date as day,
           lead((c.change_time at time zone p.time_zone)::date) over (partition by i.id order by c.revision) as next_day
    from place p
    join inputs.input i on i.tenant_id = :tenant and i.kind = :kind and i.delete_time is null
    join core.change c on c.tenant_id = :tenant and c.row_id = i.id and c.table_name = 'inputs.input'
    where p.ok and (i.closed_date is null or i.closed_date >= (:period.start_date)::date or c.revision = i.revision)
      and coalesce(i.effective_date, (i.create_time at time zone p.time_zone)::date) <= (:period.end_date)::date
),
-- Each content is parsed once, and what leads to another row is taken out of it before: the planner reads an index for
-- a plain value only, and would look through all inputs for an expression over a content.
parsed as materialized (
    select r.id, r.number, r.created, r.revision, r.day, t.content,
           case when :kind = 'FINDING' then nullif(t.content #>> '{detail,finding,audit_id}', '')::uuid end as audit_id
    from revised r
    cross join lateral (select r.content::jsonb as content) t
    where r.next_day is distinct from r.day
),
-- The row as it was, with what follows from it or from other rows: of a finding its audit, of a risk the band of its
-- level and the appetite that counts, of an incident how long things took, and names that are counted in pairs.
told as materialized (
    select t.id, t.number, t.created, t.revision, t.day, t.content || case :kind
               when 'FINDING' then jsonb_build_object('audit', (
                   select a.detail -> 'audit' from inputs.input a
                   where a.tenant_id = :tenant and a.id = t.audit_id))
               when 'RISK' then jsonb_build_object(
                   'appetite', coalesce((t.content #>> '{detail,risk,appetite}')::integer, p.appetite),
                   'band', (select b from jsonb_array_elements(p.bands) b
                            where (b ->> 'from_level')::integer
                                  <= (t.content #>> '{detail,risk,current,level}')::integer
                            order by (b ->> 'from_level')::integer desc limit 1))
               when 'INCIDENT' then jsonb_build_object('hours', (
                   select jsonb_build_object(
                       'to_detect', extract(epoch from d.detected_time - d.occurred_time) / 3600,
                       'to_resolve', extract(epoch from d.resolved_time - coalesce(d.detected_time, d.occurred_time))
                                     / 3600)
                   from jsonb_to_record(t.content #> '{detail,incident}') d (
                       occurred_time timestamptz, detected_time timestamptz, resolved_time timestamptz)))
               when 'FEEDBACK' then jsonb_build_object('pair', concat_ws(
                   ': ', t.content #>> '{detail,feedback,theme}', t.content #>> '{detail,feedback,sentiment}'))
               when 'COMPLIANCE' then jsonb_build_object('pair', concat_ws(
                   ': ', t.content #>> '{detail,compliance,framework}', t.content #>> '{detail,compliance,status}'))
               else '{}' end as content
    from parsed t
    cross join place p
),
state as (
    select t.id, t.number, t.revision, t.day,
           coalesce((t.content ->> 'effective_date')::date, t.created) as opened,
           (t.content ->> 'closed_date')::date as closed, (t.content ->> 'due_date')::date as due,
           nullif(t.content #>> string_to_array(nullif(:day_path, ''), '.'), '')::date as marked,
           coalesce(nullif(t.content #>> string_to_array(nullif(:value_path, ''), '.'), '')::double precision,
                    'NaN') as value,
           coalesce(nullif(t.content #>> string_to_array(nullif(:limit_path, ''), '.'), '')::double precision,
                    'NaN') as bound,
           coalesce(t.content #>> array['detail', lower(:kind), 'recurrence_of_id'], '') <> '' as recurs,
           coalesce((t.content #>> '{band,from_level}')::integer, 0) as band,
           coalesce(btrim(t.content #>> string_to_array(nullif(:first_path, ''), '.')), '') as first,
           coalesce(btrim(t.content #>> string_to_array(nullif(:second_path, ''), '.')), '') as second,
           coalesce(btrim(t.content #>> string_to_array(nullif(:third_path, ''), '.')), '') as third,
           coalesce(btrim(t.content #>> string_to_array(nullif(:fourth_path, ''), '.')), '') as fourth
    from told t
),
compared as (
    select s.*, d.facts, lag(d.facts) over (partition by s.id order by s.revision) as facts_before
    from state s
    cross join lateral (
        select row(s.opened, s.closed, s.due, s.marked, s.value, s.bound, s.recurs, s.first, s.second, s.third,
                   s.fourth)::text as facts
    ) d
),
-- Names that differ in case only are one; bands are in the order of their levels.
coded as materialized (
    select c.*, (dense_rank() over (order by c.number, c.id))::integer as input,
           case when c.first <> '' then dense_rank() over (partition by c.first = '' order by c.band, lower(c.first))
                else 0 end::integer as first_code,
           case when c.second <> '' then dense_rank() over (partition by c.second = '' order by lower(c.second))
                else 0 end::integer as second_code,
           case when c.third <> '' then dense_rank() over (partition by c.third = '' order by lower(c.third))
                else 0 end::integer as third_code,
           case when c.fourth <> '' then dense_rank() over (partition by c.fourth = '' order by lower(c.fourth))
                else 0 end::integer as fourth_code
    from compared c
    where c.facts is distinct from c.facts_before
),
size as materialized (
    select count(*) > :states_max as too_many from coded
),
listed as (
    select array_agg(c.input) as input, array_agg(c.day - date '1970-01-01') as recorded,
           array_agg(c.opened - date '1970-01-01') as opened,
           array_agg(coalesce(c.closed - date '1970-01-01', '-2147483648')) as closed,
           array_agg(coalesce(c.due - date '1970-01-01', '-2147483648')) as due,
           array_agg(coalesce(c.marked - date '1970-01-01', '-2147483648')) as marked,
           array_agg(c.first_code) as first, array_agg(c.second_code) as second, array_agg(c.third_code) as third,
           array_agg(c.fourth_code) as fourth, array_agg(c.value) as value, array_agg(c.bound) as bound,
           array_agg(c.recurs) as recurs
    from (select d.* from coded d cross join size s where not s.too_many order by d.input, d.revision) c
)
select p.today, coalesce(l.input, '{}') as input, coalesce(l.recorded, '{}') as recorded,
       coalesce(l.opened, '{}') as opened, coalesce(l.closed, '{}') as closed, coalesce(l.due, '{}') as due,
       coalesce(l.marked, '{}') as marked, coalesce(l.first, '{}') as first, coalesce(l.second, '{}') as second,
       coalesce(l.third, '{}') as third, coalesce(l.fourth, '{}') as fourth, coalesce(l.value, '{}') as value,
       coalesce(l.bound, '{}') as bound, coalesce(l.recurs, '{}') as recurs,
       array[''] || array(select max(c.first) from coded c where c.first_code > 0 and not s.too_many
                          group by c.first_code order by c.first_code) as first_names,
       array[''] || array(select max(c.second) from coded c where c.second_code > 0 and not s.too_many
                          group by c.second_code order by c.second_code) as second_names,
       array[''] || array(select max(c.third) from coded c where c.third_code > 0 and not s.too_many
                          group by c.third_code order by c.third_code) as third_names,
       array[''] || array(select max(c.fourth) from coded c where c.fourth_code > 0 and not s.too_many
                          group by c.fourth_code order by c.fourth_code) as fourth_names,
       s.too_many
from place p cross join listed l cross join size s
where p.ok

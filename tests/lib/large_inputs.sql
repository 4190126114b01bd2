-- Makes organisations with as many inputs and measurements as one likes: for the bench and the test of plans. As the
-- database's administrator:
--
--   set session_replication_role = replica;      -- no triggers: what they would do is done here, at a hundredth
--   select pg_temp.large_tenants(first => 1, last => 1000);
--   select pg_temp.large_inputs(tenants => array(…), inputs => 1000, points => 250, whole => true);
--   select pg_temp.large_snapshots(tenants => array(…), snapshots => 1);
--
-- Of each organisation one input in 25 is a metric, with `points` measurements over the last 36 months; every tenth of
-- the others is closed. Each input has its revision in the change log; if `whole`, with its content and hash, so that
-- it can be frozen, shown in its history and verified. Measurements have none. A snapshot names all inputs, and has no
-- document.

create function pg_temp.large_id(place bigint, of uuid) returns uuid language sql immutable as $$
    -- A UUIDv7: in the order of `place`, as ids are that are made one after the other.
    select (lpad(to_hex(1735689600000 + place), 12, '0') || '7' || substr(hash, 1, 3) || '8'
            || substr(hash, 4, 15))::uuid
    from md5(place || of::text) hash
$$;

create function pg_temp.large_tenants(first integer, last integer) returns void language plpgsql as $$
begin
    insert into core.organisation (tenant_id, name)
    select md5('large ' || n)::uuid, 'Organisation ' || n from generate_series(first, last) n;
    insert into core.sequence (tenant_id, value)
    select md5('large ' || n)::uuid, 1 from generate_series(first, last) n;
end
$$;

create function pg_temp.large_inputs(tenants uuid[], inputs integer, points integer, whole boolean) returns void
    language plpgsql as $$
declare
    kinds text[] := array(select k.kind from inputs.kinds() k where k.kind <> 'METRIC');
    summary constant text := repeat('What was seen, where it was seen, and why it matters to the organisation. ', 4);
    summary_words constant tsvector := to_tsvector('simple', summary);
begin
    create temp table made on commit drop as
    select t.tenant, pg_temp.large_id(n, t.tenant) as id, n,
           case when n % 25 = 0 then 'METRIC' else kinds[1 + n % cardinality(kinds)] end as kind
    from unnest(tenants) t (tenant) cross join generate_series(1, inputs) n;

    insert into inputs.input (tenant_id, id, number, kind, title, summary, source, external_id, severity, state,
                              effective_date, due_date, closed_date, labels, detail, create_time, update_time)
    select m.tenant, m.id, inputs.number_prefix(m.kind, date '2026-01-01') || '-' || lpad(m.n::text, 6, '0'), m.kind,
           format('%s %s: %s', initcap(m.kind), m.n, (array['access rights of leavers', 'backup of the registry',
               'supplier without contract', 'patching of the gateways', 'phishing exercise'])[1 + m.n % 5]),
           summary, 'bench', m.n::text,
           (array['INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'])[1 + m.n % 5],
           case when m.n % 10 = 1 then 'CLOSED' else 'OPEN' end, current_date - m.n % 1000,
           current_date + m.n % 365 - 100, case when m.n % 10 = 1 then current_date - m.n % 100 end,
           array['l' || m.n % 7, 'site ' || m.n % 3],
           jsonb_build_object(lower(m.kind), case m.kind
               when 'METRIC' then '{"unit": "hours", "polarity": "LOWER_IS_BETTER", "frequency": "WEEKLY",
                                    "target": {"operator": "AT_MOST", "value": 10}}'
               when 'NONCONFORMITY' then '{"grade": "MINOR", "clause": "8.1"}'
               when 'FINDING' then '{"grade": "OBSERVATION", "reference": "A.8.13"}'
               else '{}' end::jsonb),
           now() - make_interval(mins => m.n), now() - make_interval(mins => m.n)
    from made m;

    insert into core.change (tenant_id, sequence, ordinal, service, method, table_name, row_id, revision, operation,
                             actor_kind, on_behalf_of, change_time, content, content_sha256)
    select i.tenant_id, 0, m.n, 'inputs', 'BatchUpsertInputs', 'inputs.input', i.id, 1, 'CREATE', 'job', '',
           i.create_time, c.content, sha256(convert_to(c.content, 'UTF8'))
    from made m
    join inputs.input i on i.tenant_id = m.tenant and i.id = m.id
    cross join lateral (select case when whole then to_jsonb(i)::text else '{}' end as content) c;

    insert into inputs.input_text (tenant_id, input_id, words)
    select i.tenant_id, i.id, to_tsvector('simple', i.number || ' ' || i.title) || summary_words
    from made m join inputs.input i on i.tenant_id = m.tenant and i.id = m.id;

    insert into inputs.measurement (tenant_id, id, metric_id, observed_time, value, recorded_time, create_time)
    select m.tenant, pg_temp.large_id(p, m.id), m.id, t.observed, 20 - p * 10.0 / points + (p * 7 + m.n) % 5,
           t.observed + interval '1 hour', t.observed + interval '1 hour'
    from made m
    cross join generate_series(1, points) p
    cross join lateral (select date_trunc('hour', now()) - (points - p) * (interval '36 months' / points) as observed) t
    where m.kind = 'METRIC';
    drop table made;
end
$$;

create function pg_temp.large_snapshots(tenants uuid[], snapshots integer) returns void language sql as $$
    insert into inputs.snapshot (tenant_id, id, review_id, opening_id, start_date, end_date, as_of, at_sequence,
                                 item_count, content, sha256, sequence, create_time)
    select t.tenant, pg_temp.large_id(n, t.tenant), gen_random_uuid(), gen_random_uuid(), '2026-01-01', '2026-12-31',
           now(), 1, 0, 'x', encode(sha256('x'), 'hex'), n, now()
    from unnest(tenants) t (tenant) cross join generate_series(1, snapshots) n;

    insert into inputs.snapshot_item (tenant_id, snapshot_id, position, kind, row_id, number, revision, content_sha256,
                                      state, sequence)
    select i.tenant_id, pg_temp.large_id(n, i.tenant_id), row_number() over (partition by i.tenant_id, n order by i.id),
           i.kind, i.id, i.number, i.revision, 'x', i.state, n
    from inputs.input i cross join generate_series(1, snapshots) n
    where i.tenant_id = any (tenants);
$$;

with target as materialized (
    select o, case
               when :scheme.etag <> '' and o.revision::text <> :scheme.etag then core.fail('ETAG_MISMATCH')
               else true end as ok
    from inputs.risk_scheme_of(:tenant) o
),
wanted as materialized (
    select jsonb_populate_record(t.o, jsonb_build_object(
               'likelihoods', case when :mask.likelihoods then :scheme.likelihoods else (t.o).likelihoods end,
               'impacts', case when :mask.impacts then :scheme.impacts else (t.o).impacts end,
               'maximum_score', case when :mask.maximum_score then :scheme.maximum_score else (t.o).maximum_score end,
               'bands', case when :mask.bands then :scheme.bands else (t.o).bands end,
               'appetite', case when :mask.appetite then :scheme.appetite else (t.o).appetite end,
               'description', case when :mask.description then :scheme.description else (t.o).description end)) as w
    from target t
    where t.ok
),
checked as materialized (
    select w.w, case
               when f.fault is not null then core.fail((f.fault).reason, inputs.fault_facts('scheme', f.fault))
               else true end as ok
    from wanted w cross join lateral (select inputs.scheme_fault(w.w) as fault) f
),
new as (
    insert into inputs.risk_scheme (tenant_id, likelihoods, impacts, maximum_score, bands, appetite, description)
    select :tenant, (c.w).likelihoods, (c.w).impacts, (c.w).maximum_score, (c.w).bands, (c.w).appetite,
           (c.w).description
    from checked c where c.ok
    on conflict (tenant_id) do update
    set likelihoods = excluded.likelihoods, impacts = excluded.impacts, maximum_score = excluded.maximum_score,
        bands = excluded.bands, appetite = excluded.appetite, description = excluded.description
    returning *
)
--@answer inputs.risk_scheme new
select
--@include risk_scheme.columns
from new s

with target as materialized (
    select o, case
               when :scheme.etag <> '' and o.revision::text <> :scheme.etag then core.fail('ETAG_MISMATCH')
               else true end as ok
    from inputs.improvement_scheme_of(:tenant) o
),
wanted as materialized (
    select jsonb_populate_record(t.o, jsonb_build_object(
               'criteria', case when :mask.criteria then :scheme.criteria else (t.o).criteria end)) as w
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
    insert into inputs.improvement_scheme (tenant_id, criteria)
    select :tenant, (c.w).criteria from checked c where c.ok
    on conflict (tenant_id) do update set criteria = excluded.criteria
    returning *
)
--@answer inputs.improvement_scheme new
select
--@include improvement_scheme.columns
from new s

with target as materialized (
    select o as old, case
               when o.id is null then core.fail('NOT_FOUND')
               when :party.etag <> '' and o.revision::text <> :party.etag then core.fail('ETAG_MISMATCH')
               else true end as ok
    from (select 1) one
    left join inputs.party o on o.tenant_id = :tenant and o.id = :id and o.delete_time is null
),
wanted as materialized (
    select (t.old).id as id, case when :mask.name then :party.name else (t.old).name end as name,
           case when :mask.owner_id then (:party.owner_id)::uuid else (t.old).owner_id end as owner_id
    from target t
    where t.ok
),
checked as materialized (
    select w.*, case
--@include party.checks
               else true end as ok
    from wanted w
),
new as (
    update inputs.party p
    set name = c.name, owner_id = c.owner_id,
        category = case when :mask.category then :party.category else p.category end,
        influence = case when :mask.influence then :party.influence else p.influence end,
        interest = case when :mask.interest then :party.interest else p.interest end,
        contact = case when :mask.contact then :party.contact else p.contact end,
        needs = case when :mask.needs then :party.needs else p.needs end,
        addressing = case when :mask.addressing then :party.addressing else p.addressing end,
        how_addressed = case when :mask.how_addressed then :party.how_addressed else p.how_addressed end
    from checked c
    where p.tenant_id = :tenant and p.id = c.id and c.ok
    returning p.*
)
--@answer inputs.party new
select
--@include party.columns
from new p

with wanted as materialized (
    select (:new_id)::uuid as id, :party.name as name, (:party.owner_id)::uuid as owner_id
),
checked as materialized (
    select w.*, case
--@include party.checks
               else true end as ok
    from wanted w
),
new as (
    insert into inputs.party (tenant_id, id, name, category, influence, interest, owner_id, contact, needs,
                              addressing, how_addressed)
    select :tenant, c.id, c.name, :party.category, :party.influence, :party.interest, c.owner_id, :party.contact,
           :party.needs, :party.addressing, :party.how_addressed
    from checked c where c.ok
    returning *
)
--@answer inputs.party new
select
--@include party.columns
from new p

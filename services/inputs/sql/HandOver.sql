-- Of the handler of that name: one step, which hands over no more than :limit, inputs first. A dry run counts.
with target as materialized (
    select case
               when not exists (select from core.member m where m.tenant_id = :tenant and m.id = :from_member_id)
                   then core.fail('REFERENCE_INVALID', E'field=from_member_id\ndescription=is no member')
               when :to_member_id = :from_member_id
                    or not exists (select from core.member m
                                   where m.tenant_id = :tenant and m.id = :to_member_id and m.state = 'ACTIVE')
                   then core.fail('REFERENCE_INVALID',
                                  E'field=to_member_id\ndescription=must be another member, and active')
               when exists (select from inputs.contribution c
                            where c.tenant_id = :tenant and c.assignee_id = :from_member_id and c.state = 'REQUESTED')
                    and not exists (select from core.member m
                                    where m.tenant_id = :tenant and m.id = :to_member_id
                                      and inputs.may_contribute(m.roles))
                   then core.fail('FIELD_INVALID', E'field=to_member_id\n'
                                  'description=has no role that may write inputs, and there are contributions')
               else true end as ok
),
owned as materialized (
    (select 1 as rank, i.id from inputs.input i
     where i.tenant_id = :tenant and i.owner_id = :from_member_id and i.state <> 'CLOSED' and i.delete_time is null)
    union all
    (select 2, p.id from inputs.party p
     where p.tenant_id = :tenant and p.owner_id = :from_member_id and p.delete_time is null)
    union all
    (select 3, c.id from inputs.contribution c
     where c.tenant_id = :tenant and c.assignee_id = :from_member_id and c.state = 'REQUESTED')
),
step as materialized (
    select o.rank, o.id from target cross join owned o
    where target.ok and not :dry_run
    order by o.rank, o.id
    limit coalesce(nullif((:limit)::integer, 0), 500)
),
inputs_given as (
    update inputs.input i set owner_id = :to_member_id
    from step s
    where i.tenant_id = :tenant and i.id = s.id and s.rank = 1
),
parties_given as (
    update inputs.party p set owner_id = :to_member_id
    from step s
    where p.tenant_id = :tenant and p.id = s.id and s.rank = 2
),
contributions_given as (
    update inputs.contribution c set assignee_id = :to_member_id
    from step s
    where c.tenant_id = :tenant and c.id = s.id and s.rank = 3
)
select (count(*) filter (where o.rank = 1 and (s.id is not null or :dry_run)))::integer as inputs,
       (count(*) filter (where o.rank = 2 and (s.id is not null or :dry_run)))::integer as parties,
       (count(*) filter (where o.rank = 3 and (s.id is not null or :dry_run)))::integer as contributions,
       (count(o.id) filter (where s.id is null))::integer as remaining
from target
left join owned o on target.ok
left join step s on s.rank = o.rank and s.id = o.id

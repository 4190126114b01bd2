with target as materialized (
    select t.id,
           case when t.id is null then core.fail('NOT_FOUND')
                when :etag <> '' and t.revision::text <> :etag then core.fail('ETAG_MISMATCH')
                when t.state <> 'DONE'
                     then core.fail('WRONG_STATE', 'state=' || t.state ||
                                    E'\nallowed=DONE')
                when t.owner_id = :actor or t.done_by_id = :actor then core.fail('FOUR_EYES_REQUIRED')
                else true end as ok
    from (select 1) one left join actions.action t on t.tenant_id = :tenant and t.id = :id
),
new as (
    update actions.action a
    set state = case when :effective then 'VERIFIED_EFFECTIVE' else 'NOT_EFFECTIVE' end,
        verification_note = :note, verified_by_id = :actor, verify_time = :now,
        finish_time = case when :effective then :now::timestamptz end
    from target
    where a.tenant_id = :tenant and a.id = target.id and target.ok
    returning a.*
),
noted as (
    insert into actions.progress (tenant_id, id, action_id, state, percent_complete, note, author_id)
    select new.tenant_id, :new_id, new.id, new.state, new.percent_complete, :note, :actor from new
)
--@answer actions.action new
select
--@include action.columns
from new

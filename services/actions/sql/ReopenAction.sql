with target as materialized (
    select t.id,
           case when t.id is null then core.fail('NOT_FOUND')
                when :etag <> '' and t.revision::text <> :etag then core.fail('ETAG_MISMATCH')
                when t.state not in ('DONE', 'NOT_EFFECTIVE', 'CANCELLED')
                     then core.fail('WRONG_STATE', 'state=' || t.state ||
                                    E'\nallowed=DONE,NOT_EFFECTIVE,CANCELLED')
                else true end as ok
    from (select 1) one left join actions.action t on t.tenant_id = :tenant and t.id = :id
),
new as (
    update actions.action a
    set state = 'OPEN', percent_complete = 0, due_date = :due_date, reason = :reason,
        reopen_count = a.reopen_count + 1, done_time = null, done_by_id = null, finish_time = null,
        verify_time = null, verified_by_id = null, verification_note = ''
    from target
    where a.tenant_id = :tenant and a.id = target.id and target.ok
    returning a.*
),
noted as (
    insert into actions.progress (tenant_id, id, action_id, state, percent_complete, note, author_id)
    select new.tenant_id, :new_id, new.id, new.state, new.percent_complete, :reason, :actor from new
)
--@answer actions.action new
select
--@include action.columns
from new

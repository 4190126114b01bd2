with target as materialized (
    select t.id,
           case when t.id is null then core.fail('NOT_FOUND')
                when actions.evidence_fault(:evidence) is not null
                     then core.fail('FIELD_INVALID', actions.evidence_fault(:evidence))
                when :etag <> '' and t.revision::text <> :etag then core.fail('ETAG_MISMATCH')
                when t.state not in ('OPEN', 'IN_PROGRESS', 'PARTLY_DONE', 'BLOCKED')
                     then core.fail('WRONG_STATE', 'state=' || t.state ||
                                    E'\nallowed=OPEN,IN_PROGRESS,PARTLY_DONE,BLOCKED')
                when jsonb_array_length(t.evidence) + jsonb_array_length(:evidence) > 200
                     then core.fail('LIMIT_REACHED', 'limit=200 pieces of evidence')
                else true end as ok
    from (select 1) one left join actions.action t on t.tenant_id = :tenant and t.id = :id
),
new as (
    update actions.action a
    set state = 'DONE', percent_complete = 100, done_time = :now, done_by_id = :actor,
        evidence = a.evidence || :evidence
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

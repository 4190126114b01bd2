-- What is done is verified as it was done, and what is finished stays as it was: both are reopened first.
with target as materialized (
    select t.id,
           case when t.id is null then core.fail('NOT_FOUND')
                when :action.etag <> '' and t.revision::text <> :action.etag then core.fail('ETAG_MISMATCH')
                when t.state not in ('OPEN', 'IN_PROGRESS', 'PARTLY_DONE', 'BLOCKED')
                     then core.fail('WRONG_STATE', 'state=' || t.state ||
                                    E'\nallowed=OPEN,IN_PROGRESS,PARTLY_DONE,BLOCKED')
                when :mask.owner_id and not exists (select from core.member m where m.tenant_id = :tenant
                                                    and m.id = :action.owner_id and m.state = 'ACTIVE')
                     then core.fail('REFERENCE_INVALID', 'field=action.owner_id')
                else true end as ok
    from (select 1) one left join actions.action t on t.tenant_id = :tenant and t.id = :id
),
new as (
    update actions.action a
    set title = case when :mask.title then :action.title else a.title end,
        description = case when :mask.description then :action.description else a.description end,
        owner_id = case when :mask.owner_id then :action.owner_id else a.owner_id end,
        priority = case when :mask.priority then coalesce(nullif(:action.priority, ''), 'MEDIUM')
                        else a.priority end,
        input_id = case when :mask.input_id then :action.input_id else a.input_id end,
        labels = case when :mask.labels then :action.labels else a.labels end
    from target
    where a.tenant_id = :tenant and a.id = target.id and target.ok
    returning a.*
)
--@answer actions.action new
select
--@include action.columns
from new

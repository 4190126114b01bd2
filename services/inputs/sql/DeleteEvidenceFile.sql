-- Whether anything keeps it is the table's own guard's to say.
with target as materialized (
    select o.id, case
               when o.id is null then core.fail('NOT_FOUND')
               when o.state not in ('UPLOADING', 'STORED') then
                   core.fail('WRONG_STATE', 'state=' || o.state || E'\nallowed=UPLOADING,STORED')
               else true end as ok
    from (select 1) one left join inputs.evidence_file o on o.tenant_id = :tenant and o.id = :id
),
new as (
    update inputs.evidence_file f set state = 'DELETED'
    from target t
    where f.tenant_id = :tenant and f.id = t.id and t.ok
    returning f.*
)
--@answer inputs.evidence_file new
select
--@include evidence.columns
from new f

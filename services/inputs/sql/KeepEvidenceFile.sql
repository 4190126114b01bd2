--@request isms.inputs.v1.KeepEvidenceRequest
--@response isms.inputs.v1.EvidenceFile
with target as materialized (
    select o.id, case
               when o.id is null then core.fail('NOT_FOUND')
               when o.state <> 'UPLOADING' then
                   core.fail('WRONG_STATE', 'state=' || o.state || E'\nallowed=UPLOADING')
               else true end as ok
    from (select 1) one left join inputs.evidence_file o on o.tenant_id = :tenant and o.id = :id
),
new as (
    update inputs.evidence_file f set state = 'STORED', block_sha256 = :block_sha256
    from target t
    where f.tenant_id = :tenant and f.id = t.id and t.ok
    returning f.*
)
select
--@include evidence.columns
from new f

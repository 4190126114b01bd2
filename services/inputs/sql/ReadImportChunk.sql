--@request isms.inputs.v1.ReadImportChunkRequest
--@response isms.inputs.v1.ImportChunk
select c.start, c.data
from (select case when i.state not in ('UPLOADING', 'RUNNING') then core.fail('WRONG_STATE', 'state=' || i.state)
                  else true end as ok
      from inputs.import i where i.tenant_id = :tenant and i.id = :import_id) one
left join lateral (
    select k.start, k.data from inputs.import_chunk k
    where k.tenant_id = :tenant and k.import_id = :import_id and k.start <= :offset
    order by k.start desc limit 1
) c on one.ok and :offset < c.start + length(c.data)

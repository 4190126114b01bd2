--@request isms.inputs.v1.ReadImportChunkRequest
--@response isms.inputs.v1.ImportChunk
select c.start, c.data
from (select 1) one
left join lateral (
    select k.start, k.data from inputs.import_chunk k
    where k.tenant_id = :tenant and k.import_id = :import_id and k.start <= :offset
    order by k.start desc limit 1
) c on :offset < c.start + length(c.data)

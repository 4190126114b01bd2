--@request isms.inputs.v1.GetImportRequest
--@response isms.inputs.v1.ImportContent
select c.data, encode(sha256(c.data), 'hex') as sha256
from (
    select coalesce(string_agg(k.data, '' order by k.start), '') as data
    from inputs.import_chunk k where k.tenant_id = :tenant and k.import_id = :id
) c

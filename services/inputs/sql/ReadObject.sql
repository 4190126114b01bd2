--@request isms.inputs.v1.EvidenceObject
--@response isms.inputs.v1.EvidenceObject
select inputs.object_read(:tenant, :id, :offset, :size) as data

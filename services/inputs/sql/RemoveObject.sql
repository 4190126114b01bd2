--@request isms.inputs.v1.EvidenceObject
--@response google.protobuf.Empty
select from inputs.object_remove(:tenant, :id)

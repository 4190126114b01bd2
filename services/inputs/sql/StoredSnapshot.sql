--@request isms.inputs.v1.CreateSnapshotRequest
--@response isms.inputs.v1.Snapshot
-- What an earlier attempt of the same opening has frozen, as CreateSnapshot answers it.
select
--@include snapshot.head
     , s.content
from inputs.snapshot s
where s.tenant_id = :tenant and s.review_id = :review_id and s.opening_id = :opening_id

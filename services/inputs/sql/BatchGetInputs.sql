--@request isms.inputs.v1.BatchGetInputsRequest
--@response isms.inputs.v1.ListInputsResponse
-- Those that are there, in the order of the ids.
select
--@include input.columns
from unnest((:ids)::uuid[]) with ordinality w (id, place)
join inputs.input i on i.tenant_id = :tenant and i.id = w.id
order by w.place

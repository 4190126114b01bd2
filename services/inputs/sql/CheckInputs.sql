--@request isms.inputs.v1.BatchUpsertInputsRequest
--@response isms.inputs.v1.Import
-- What ImportInputs would do; errors name the input ("row", from 1) and the field ("column").
--@include upsert.plan
select count(*) filter (where p.fault = '' and (p.old).id is null)::int as created,
       count(*) filter (where p.fault = '' and (p.old).id is not null
                              and p.w is distinct from p.old)::int as updated,
       count(*) filter (where p.fault = '' and p.w is not distinct from p.old)::int as unchanged,
       coalesce(jsonb_agg(jsonb_build_object('row', p.ordinal, 'column',
           coalesce(p.wrong, case p.fault when 'detail' then 'external_id' else p.fault end), 'message', case
           when p.wrong is not null then 'refers to something that does not exist'
           when p.fault = 'detail' then 'belongs to ' || (p.old).number || ', which is of another kind'
           else 'is empty, or there twice' end) order by p.ordinal)
           filter (where p.fault <> '' or p.wrong is not null), '[]') as errors
from planned p

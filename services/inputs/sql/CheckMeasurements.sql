--@request isms.inputs.v1.AddMeasurementsRequest
--@response isms.inputs.v1.Import
-- What AddMeasurements would do; errors name the measurement ("row", from 1) and the field ("column").
--@include measurements.plan
select count(*) filter (where p.fault = '' and not p.present)::int as created,
       count(*) filter (where p.fault = '' and p.present)::int as unchanged,
       coalesce(jsonb_agg(jsonb_build_object('row', p.ordinal, 'column', p.fault, 'message', case p.fault
           when 'value' then 'another value is recorded for this time; to correct it, name it in corrects_id'
           else 'refers to something that does not exist' end) order by p.ordinal)
           filter (where p.fault <> ''), '[]') as errors
from planned p

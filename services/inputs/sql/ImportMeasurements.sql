--@request isms.inputs.v1.AddMeasurementsRequest
--@response isms.inputs.v1.Import
--@include measurements.plan
,
--@include measurements.apply
select (select count(*) from new)::int as created,
       (select count(*) from checked where not adds)::int as unchanged

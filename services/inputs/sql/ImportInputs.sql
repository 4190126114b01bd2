--@request isms.inputs.v1.BatchUpsertInputsRequest
--@response isms.inputs.v1.Import
--@include upsert.plan
,
--@include upsert.apply
select (select count(*) from created)::int as created, (select count(*) from changed)::int as updated,
       (select count(*) from checked where not changes)::int as unchanged

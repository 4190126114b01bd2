--@request isms.inputs.v1.BatchUpsertInputsRequest
--@response isms.inputs.v1.UpsertRowList
-- With :partial, what is wrong with an input is its row; without, the statement ends with the first that is.
--@include upsert.plan
,
--@include upsert.apply
select case when c.fault <> '' or c.wrong is not null then 'REFUSED' when not c.changes then 'UNCHANGED'
            when (c.old).id is null then 'CREATED' else 'UPDATED' end as result,
       (c.w).id,
       case when c.fault <> '' then 'FIELD_INVALID' else (c.wrong).reason end as reason,
       case when c.fault <> '' then c.fault else (c.wrong).field end as field,
       case c.fault when '' then (c.wrong).message
                    when 'detail' then 'belongs to ' || (c.old).number || ', which is of another kind'
                    else 'is empty, or there twice' end as description
from checked c
order by c.ordinal

-- A first page begins before everything, so that one plan does for all pages. Said by `case`, which the planner trusts
-- under row-level security to read the index from there; of a coalesce() it does not. Where kinds are asked for, the
-- page of each is read off its own index and the first of all are taken: nobody looks through the other kinds.
select
--@include input.columns
--@order "number"
    , i.number as "page.1"
--@order "due_date"
    , inputs.due_place(i.due_date)::text as "page.1", i.number as "page.2"
--@order "update_time desc"
    , i.update_time::text as "page.1", i.id::text as "page.2"
--@order "severity desc"
    , inputs.severity_place(i.severity)::text as "page.1", i.number as "page.2"
--@order "effective_date"
    , inputs.effective_place(i.effective_date)::text as "page.1", i.number as "page.2"
--@order "effective_date desc"
    , inputs.effective_place(i.effective_date)::text as "page.1", i.number as "page.2"
--@order "title"
    , i.title as "page.1", i.number as "page.2"
--@end
--@if filter.kinds
from (select distinct unnest((:filter.kinds)::text[]) as kind) k
cross join lateral (
select i.*
from inputs.input i
where i.tenant_id = :tenant and i.kind = k.kind
--@else
from inputs.input i
where i.tenant_id = :tenant
--@end
--@order "number"
  and i.number > case when (:page.1)::text is null then '' else :page.1 end
--@order "due_date"
  and (inputs.due_place(i.due_date), i.number)
      > (case when (:page.1)::date is null then '-infinity' else (:page.1)::date end,
         case when (:page.2)::text is null then '' else :page.2 end)
--@order "update_time desc"
  and (i.update_time, i.id)
      < (case when (:page.1)::timestamptz is null then 'infinity' else (:page.1)::timestamptz end,
         case when (:page.2)::uuid is null then 'ffffffff-ffff-ffff-ffff-ffffffffffff' else (:page.2)::uuid end)
--@order "severity desc"
  and (inputs.severity_place(i.severity), i.number)
      > (case when (:page.1)::integer is null then -1 else (:page.1)::integer end,
         case when (:page.2)::text is null then '' else :page.2 end)
--@order "effective_date"
  and (inputs.effective_place(i.effective_date), i.number)
      > (case when (:page.1)::date is null then '-infinity' else (:page.1)::date end,
         case when (:page.2)::text is null then '' else :page.2 end)
--@order "effective_date desc"
  and (inputs.effective_place(i.effective_date), i.number)
      < (case when (:page.1)::date is null then 'infinity' else (:page.1)::date end,
         case when (:page.2)::text is null then '' else :page.2 end)
--@order "title"
  and (i.title, i.number) > (case when (:page.1)::text is null then '' else :page.1 end,
         case when (:page.2)::text is null then '' else :page.2 end)
--@end
--@include input.filter
--@order "number"
order by i.number
--@order "due_date"
order by inputs.due_place(i.due_date), i.number
--@order "update_time desc"
order by i.update_time desc, i.id desc
--@order "severity desc"
order by inputs.severity_place(i.severity), i.number
--@order "effective_date"
order by inputs.effective_place(i.effective_date), i.number
--@order "effective_date desc"
order by inputs.effective_place(i.effective_date) desc, i.number desc
--@order "title"
order by i.title, i.number
--@end
limit :page.limit
--@if filter.kinds
) i
--@order "number"
order by i.number
--@order "due_date"
order by inputs.due_place(i.due_date), i.number
--@order "update_time desc"
order by i.update_time desc, i.id desc
--@order "severity desc"
order by inputs.severity_place(i.severity), i.number
--@order "effective_date"
order by inputs.effective_place(i.effective_date), i.number
--@order "effective_date desc"
order by inputs.effective_place(i.effective_date) desc, i.number desc
--@order "title"
order by i.title, i.number
--@end
limit :page.limit
--@end

--@request isms.inputs.v1.DiffQuery
--@response isms.inputs.v1.DiffEnds
-- The two snapshots; where it is asked for, with the trends that they hold.
with
--@include diff.ends
select e.id as "earlier.id", e.review_id as "earlier.review_id", e.opening_id as "earlier.opening_id",
       e.start_date as "earlier.period.start_date", e.end_date as "earlier.period.end_date",
       e.as_of as "earlier.as_of", e.at_sequence as "earlier.sequence", e.item_count as "earlier.item_count",
       e.sha256 as "earlier.sha256",
       l.id as "later.id", l.review_id as "later.review_id", l.opening_id as "later.opening_id",
       l.start_date as "later.period.start_date", l.end_date as "later.period.end_date",
       l.as_of as "later.as_of", l.at_sequence as "later.sequence", l.item_count as "later.item_count",
       l.sha256 as "later.sha256", inputs.today(:tenant) as today
--@if trends
       , inputs.json_of(e.content) -> 'trends' as "earlier.trends",
       inputs.json_of(l.content) -> 'trends' as "later.trends"
--@end
from ends d
join earlier e on true
left join later l on true
where d.ok

select
--@include book.columns
, (count(*) over ())::int as "total"
--@order "title"
, b.title as "page.1", b.id::text as "page.2"
--@order "price desc"
, b.price::text as "page.1", b.id::text as "page.2"
--@end
from lib.book b
where b.tenant_id = :tenant and (:state = '' or b.state = :state)
--@if owner_id
and b.owner_id = :owner_id
--@end
--@if page_token
--@order "title"
and (b.title, b.id) > (:page.1, :page.2)
--@order "price desc"
and (b.price, b.id) < ((:page.1)::numeric, :page.2)
--@end
--@end
--@order "title"
order by b.title, b.id
--@order "price desc"
order by b.price desc, b.id desc
--@end
limit :page.limit

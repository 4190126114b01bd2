with b as (
    insert into lib.book (tenant_id, id, title, isbn, price, published_date, tags, medium, state, create_time)
    select :tenant, md5(x.isbn)::uuid, x.title, x.isbn, coalesce(x.price, 0), x.published_date, coalesce(x.tags, '{}'),
           case when x.paper is not null then jsonb_build_object('paper', x.paper) end, 'ON_SHELF', :now
    from jsonb_to_recordset(:books) as x(title text, isbn text, price numeric, published_date date,
                                              tags text[], paper jsonb)
    returning *
)
select
--@include book.columns
from b
order by b.isbn

with new as (
    insert into lib.book (tenant_id, id, title, author_name, author_birth_year, state, published_date, price, tags,
                          ratings, chapters, labels, medium, copies, cover, rare, isbn, owner_id, create_time,
                          bought_time)
    values (:tenant, :new_id, :book.title, :book.author.name, :book.author.birth_year, 'ON_SHELF',
            :book.published_date, :book.price, :book.tags, :book.ratings, :book.chapters, :book.labels,
            :book.medium, :book.copies, :book.cover, :book.rare, :book.isbn, :book.owner_id, :now,
            :book.bought_time)
    returning *
)
--@answer lib.book new
select
--@include book.columns
from new b

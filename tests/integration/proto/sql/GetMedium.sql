--@request isms.library.v1.GetBookRequest
--@response isms.library.v1.Book
select case when :id = '' then '' else :id end as "medium", 7::smallint as "paper.pages",
       'https://x' as "electronic.url",
       8::bigint as "electronic.size_bytes", 'a scroll' as "other_medium"

with old as (
    select * from lib.book where tenant_id = :tenant and id = :id for update
), new as (
    update lib.book b
    set title = case when :mask.title then :book.title else b.title end,
        author_name = case when :mask.author.name then :book.author.name else b.author_name end,
        author_birth_year = case when :mask.author.birth_year then :book.author.birth_year else b.author_birth_year end,
        published_date = case when :mask.published_date then :book.published_date else b.published_date end,
        medium = case when :mask.medium then jsonb_strip_nulls(coalesce(b.medium, '{}') || :patch.medium)
                      else b.medium end,
        revision = b.revision + 1
    from old
    where b.tenant_id = :tenant and b.id = old.id and coalesce(:book.etag, old.revision) = old.revision
    returning b.*
), verdict as (
    select case when not exists (select from old) then 'NOT_FOUND'
                when not exists (select from new) then 'ETAG_MISMATCH' end as outcome,
           (select revision::text from old) as etag
)
--@answer lib.book new
select
--@include book.columns
--@once
, v.outcome as "outcome", v.etag as "outcome.etag"
--@end
from new b
--@once
right join verdict v on true
--@end

-- Of the handler of that name, which has made sure that the caller may give what the key will be good for.
with target as materialized (
    select k.id,
           case when k.id is null then core.fail('NOT_FOUND')
                when :key.etag <> '' and k.revision::text <> :key.etag then core.fail('ETAG_MISMATCH')
                when k.state <> 'ACTIVE' then core.fail('WRONG_STATE', 'state=' || k.state || E'\nallowed=ACTIVE')
                when k.form_id is not null and :mask.permissions and cardinality((:key.permissions)::text[]) > 0
                    then core.fail('FIELD_INVALID', E'field=key.permissions\ndescription=are not for an intake token: '
                                                    'it submits to its form and can do nothing else')
                when :mask.expire_time and :key.expire_time <= :now::timestamptz
                    then core.fail('FIELD_INVALID', 'field=key.expire_time')
                else true end as ok
    from (select 1) one left join core.key k on k.tenant_id = :tenant and k.id = :id
),
k as (
    update core.key k
    set name = case when :mask.name then :key.name else k.name end,
        expire_time = case when :mask.expire_time then :key.expire_time else k.expire_time end,
        permissions = case when :mask.permissions then (:key.permissions)::text[] else k.permissions end
    from target
    where k.tenant_id = :tenant and k.id = target.id and target.ok
    returning k.*
)
select
--@include key.columns
from k

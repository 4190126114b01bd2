--@request isms.reviews.v1.SignedRecord
--@response isms.reviews.v1.Review
-- The end of SignReview: the record, the review's last change but one, and the actions to issue.
with target as materialized (
    select r.id,
           case when r.id is null then core.fail('NOT_FOUND')
                when r.state <> 'MINUTES_DRAFTED'
                    then core.fail('WRONG_STATE', 'state=' || r.state || E'\nallowed=MINUTES_DRAFTED')
                else true end as ok
    from (select 1) one left join reviews.review r on r.tenant_id = :tenant and r.id = :review_id
),
record as (
    insert into reviews.record (tenant_id, review_id, number, content, sha256, signature, public_key, key_id, sign_time)
    select :tenant, target.id, :number, :content, decode(:sha256, 'hex'), :signature, :public_key, :key_id, :sign_time
    from target
    where target.ok
    returning review_id, sign_time, sha256
),
issuance as (
    insert into reviews.issuance (tenant_id, id)
    select :tenant, d.review_id from reviews.decision d, record
    where d.tenant_id = :tenant and d.review_id = record.review_id and not d.withdrawn and d.actions <> '[]'
    limit 1
),
r as (
    update reviews.review r
    set state = 'SIGNED', sign_time = record.sign_time, record_sha256 = encode(record.sha256, 'hex')
    from record
    where r.tenant_id = :tenant and r.id = record.review_id
    returning r.*
)
select
--@include review.columns
from r

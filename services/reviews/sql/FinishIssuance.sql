--@request isms.reviews.v1.GetReviewRequest
--@response isms.reviews.v1.Issuance
update reviews.issuance i
set state = 'DONE'
where i.tenant_id = :tenant and i.id = :id and i.state = 'PENDING'
returning i.tenant_id, i.id as review_id

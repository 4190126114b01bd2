--@request isms.reviews.v1.SigningFactsRequest
--@response isms.reviews.v1.SigningFacts
select s.number as seal_number,
       encode(s.sha256, 'hex') as seal_sha256,
       (select jsonb_agg(jsonb_build_object('id', m.id, 'name', m.name, 'salt', encode(m.name_salt, 'base64'),
                                            'active', m.state = 'ACTIVE', 'roles', m.roles,
                                            'prepared', exists (
                                                select from core.change c
                                                where c.tenant_id = :tenant and c.row_id = (:review_id)::uuid
                                                  and c.table_name = 'reviews.review' and c.actor = m.id
                                                  and c.method in ('PrepareReview', 'OpenReview', 'DraftMinutes')))
                         order by m.id)
        from core.member m
        where m.tenant_id = :tenant and m.id = any ((:member_ids)::text[]::uuid[])) as participants
from (select 1) one
left join lateral (
    select * from core.seal where tenant_id = :tenant order by number desc limit 1
) s on true

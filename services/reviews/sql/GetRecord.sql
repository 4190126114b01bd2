-- People come with the names that were signed: whoever was erased or has another name since is left out.
select c.review_id,
       c.number,
       c.content,
       encode(c.sha256, 'hex') as sha256,
       c.signature,
       c.public_key,
       c.key_id,
       c.sign_time,
       (select jsonb_agg(jsonb_build_object('member_id', m.id, 'name', m.name, 'salt', encode(m.salt, 'base64'))
                         order by m.id)
        from jsonb_each_text(convert_from(c.content, 'UTF8')::jsonb -> 'people') signed (member_id, name_hash)
        join core.member m on m.tenant_id = :tenant and m.id = signed.member_id::uuid
        where signed.name_hash = 'sha256:' || encode(sha256(m.salt || convert_to(m.name, 'UTF8')), 'hex')) as people
from reviews.record c
where c.tenant_id = :tenant and c.review_id = :review_id

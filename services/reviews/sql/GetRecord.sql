-- People come with the names that were signed: whoever was erased or has another name since is left out. The content is
-- searched, not parsed: of a damaged record, too, every byte can be read and examined.
select c.review_id,
       c.number,
       c.content,
       encode(c.sha256, 'hex') as sha256,
       c.signature,
       c.public_key,
       c.key_id,
       c.sign_time,
       (select jsonb_agg(jsonb_build_object('member_id', m.id, 'name', m.name, 'salt', encode(m.name_salt, 'base64'))
                         order by m.id)
        from regexp_matches(encode(c.content, 'escape'),
                            '"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})":"sha256:([0-9a-f]{64})"',
                            'g') signed (part)
        join core.member m on m.tenant_id = :tenant and m.id = signed.part[1]::uuid
        where signed.part[2] = encode(sha256(m.name_salt || convert_to(m.name, 'UTF8')), 'hex')) as people
from reviews.record c
where c.tenant_id = :tenant and c.review_id = :review_id

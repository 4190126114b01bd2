                when w.state = 'ERASED' then core.fail('FIELD_INVALID', 'field=member.state')
                when (w.issuer = '') <> (w.subject = '') then core.fail('FIELD_INVALID', 'field=member.subject')
                when w.roles && '{PLATFORM_AGENT,INTAKE}' -- of keys only
                     or 'PLATFORM_ADMIN' = any (w.roles) and :tenant <> '00000000-0000-0000-0000-000000000000'::uuid
                    then core.fail('FIELD_INVALID', 'field=member.roles')
                when exists (select from unnest(w.review_ids) review_id
                             where not exists (select from reviews.review r
                                               where r.tenant_id = :tenant and r.id = review_id))
                    then core.fail('REFERENCE_INVALID', 'field=member.review_ids')

               when w.owner_id is not null
                    and not exists (select from core.member m where m.tenant_id = :tenant and m.id = w.owner_id)
                   then core.fail('REFERENCE_INVALID', inputs.fault_facts('party', inputs.lost('owner_id', 'member')))
               when exists (select from inputs.party o
                            where o.tenant_id = :tenant and lower(o.name) = lower(w.name) and o.delete_time is null
                              and o.id <> w.id)
                   then core.fail('ALREADY_EXISTS', E'field=party.name')

--@request isms.reporting.v1.Seal
--@response google.protobuf.Empty
insert into core.seal (tenant_id, number, first_sequence, last_sequence, change_count, merkle_root,
                       previous_sha256, content, sha256, signature, key_id, create_time)
values (:tenant, :number, :first_sequence, :last_sequence, :change_count, decode(:merkle_root, 'hex'),
        decode(nullif(:previous_sha256, ''), 'hex'), :content, decode(:sha256, 'hex'), :signature, :key_id,
        :create_time)

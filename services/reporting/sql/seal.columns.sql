    s.number, s.first_sequence, s.last_sequence, s.change_count, encode(s.merkle_root, 'hex') as merkle_root,
    encode(s.previous_sha256, 'hex') as previous_sha256, s.content, encode(s.sha256, 'hex') as sha256,
    s.signature, s.key_id, s.create_time

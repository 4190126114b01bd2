    s.id, s.form_id, s.input_id, s.token_id, s.answers, s.revision, s.create_time

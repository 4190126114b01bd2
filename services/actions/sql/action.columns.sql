    id, number, title, description, owner_id, due_date, priority, state, percent_complete, review_id,
    decision_id, input_id, original_due_date, reschedule_count, evidence, reason, verification_note,
    verified_by_id, done_by_id, done_time, verify_time, reopen_count, labels, revision, revision::text as etag,
    create_time, update_time

    c.id, nullif(c.agenda_item, '') as agenda_item, nullif(c.kind, '') as kind, c.input_id, c.assignee_id, c.review_id,
    c.due_date, c.note, c.state, c.delivered_by_id, c.delivered_time, c.nothing_reason, c.reason,
    inputs.is_late(c::inputs.contribution) as late,
    c.revision, c.revision::text as etag, c.create_time, c.update_time

    i.id, i.number, i.kind, i.title, i.summary, i.owner_id, i.owner_name, i.source, i.external_id, i.severity,
    i.state, i.effective_date, i.due_date, i.closed_date, i.labels, i.evidence, i.related_ids, i.risk_impact, i.detail,
    i.revision, i.revision::text as etag, i.create_time, i.update_time, i.delete_time

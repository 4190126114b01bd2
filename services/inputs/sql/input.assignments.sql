        title = w.title, summary = w.summary, owner_id = w.owner_id, owner_name = w.owner_name,
        severity = w.severity, state = w.state, effective_date = w.effective_date, due_date = w.due_date,
        closed_date = w.closed_date, labels = w.labels, evidence = w.evidence, related_ids = w.related_ids,
        risk_impact = w.risk_impact, detail = w.detail, delete_time = w.delete_time

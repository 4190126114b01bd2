    m.id, m.metric_id, m.observed_time, m.value, m.note, m.corrects_id, m.create_time, m.external_id,
    m.recorded_time

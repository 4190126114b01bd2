    e.id, e.party_id, e.engagement_date, e.type, e.summary, e.survey, e.feedback_ids, e.create_time

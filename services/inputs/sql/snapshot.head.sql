s.id, s.review_id, s.opening_id, s.start_date as "period.start_date", s.end_date as "period.end_date", s.as_of,
       s.at_sequence as sequence, s.item_count, s.sha256

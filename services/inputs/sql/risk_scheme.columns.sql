    s.likelihoods, s.impacts, s.maximum_score, s.bands, s.appetite, s.description, s.revision,
    s.revision::text as etag, s.update_time

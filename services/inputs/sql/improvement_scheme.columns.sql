    s.criteria, s.revision, s.revision::text as etag, s.update_time

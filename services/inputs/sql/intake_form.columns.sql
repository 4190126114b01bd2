    f.id, f.title, f.introduction, f.purpose, f.interested_party, f.party_id, f.channel, f.language, f.questions,
    f.open_until, f.maximum_submissions, f.daily_maximum, f.state,
    (select count(*)::integer from inputs.intake_submission s where s.tenant_id = f.tenant_id and s.form_id = f.id)
        as submissions,
    f.revision, f.revision::text as etag, f.create_time, f.update_time

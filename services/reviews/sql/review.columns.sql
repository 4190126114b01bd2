--@include review.head
    , r.agenda,
    r.attendance,
    r.previous_actions,
    r.conclusions,
    r.waivers,
    r.minutes

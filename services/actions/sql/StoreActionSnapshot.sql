--@request isms.actions.v1.ActionSnapshot
--@response google.protobuf.Empty
-- An attempt to open a review has one snapshot: where another call was first, nothing is stored.
with new as (
    insert into actions.snapshot (tenant_id, id, review_id, opening_id, version, start_date, end_date, as_of,
                                  frozen_sequence, item_count, content, sha256)
    values (:tenant, :new_id, :review_id, :opening_id, :version, :period.start_date, :period.end_date, :as_of,
            :sequence, :item_count, :content, :sha256)
    on conflict (tenant_id, review_id, opening_id) do nothing
    returning *
)
insert into actions.snapshot_item (tenant_id, snapshot_id, action_id, number, revision, content_sha256,
                                   days_overdue, age_days)
select new.tenant_id, new.id, (item -> 'action' ->> 'id')::uuid, item -> 'action' ->> 'number',
       (item -> 'action' ->> 'revision')::bigint, item ->> 'content_sha256',
       coalesce((item ->> 'days_overdue')::integer, 0), coalesce((item ->> 'age_days')::integer, 0)
from new, jsonb_array_elements(:actions) item

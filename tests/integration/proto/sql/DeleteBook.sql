delete from lib.book where tenant_id = :tenant and id = :id returning null::text as "outcome"

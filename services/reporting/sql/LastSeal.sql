--@request isms.reporting.v1.LastSealRequest
--@response isms.reporting.v1.Seal
-- Number 0: there is none yet.
select
--@include seal.columns
from (select 1) one
left join lateral (
    select * from core.seal where tenant_id = :tenant order by number desc limit 1
) s on true

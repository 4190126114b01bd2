select
--@include member.columns
from core.member m
where m.tenant_id = :tenant and m.id = :id

select
--@include action.columns
from actions.action
where tenant_id = :tenant and id = :id

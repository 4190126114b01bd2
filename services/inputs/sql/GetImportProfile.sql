select
--@include import_profile.columns
from (select o.* from inputs.import_profile o
      where o.tenant_id = :tenant and o.id = :id and o.delete_time is null
      union all
      select b.* from inputs.built_in_profiles() b where b.tenant_id = :tenant and b.id = :id) p

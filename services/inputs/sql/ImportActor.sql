--@request isms.inputs.v1.GetImportRequest
--@response isms.inputs.v1.ImportActor
select r.roles is not null as is_local, coalesce(r.roles, '{}') as roles, coalesce(r.permissions, '{}') as permissions
from inputs.import i
left join core.own_rights() r on true
where i.tenant_id = :tenant and i.id = :id

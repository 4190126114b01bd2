--@request isms.type.v1.ExportPageRequest
--@response isms.type.v1.ExportPage
-- As the service's own role, under row-level security: it shows what is of :tenant and nothing else.
select p.key, p.content
from core.export_page(:table, :sequence, :after) p
where core.tenant() = :tenant

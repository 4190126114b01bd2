-- Whether this portion is the import's next: another replica, or who cancels it, may have been faster.
turn as materialized (
    select i.id, case
               when i.state <> 'RUNNING' or i.phase <> 'STORING' or i.rows_stored <> :position then
                   core.fail('WRONG_STATE', 'state=' || i.state)
               else true end as ok
    from inputs.import i where i.tenant_id = :tenant and i.id = :import_id
)

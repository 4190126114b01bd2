-- The database roles, made once by the database's administrator before the first migration
-- (`isms-migrate roles` prints this file). Set passwords or certificates as your installation asks.
--
-- isms_owner     owns every table and function and runs the migrations; no service logs in as it.
-- isms_<service> what a service logs in as: owns nothing, cannot bypass row-level security.
-- isms_jobs      the background jobs' reads across organisations, on the tables whose policies name it.
do $$
declare
    role text;
begin
    foreach role in array array['isms_owner', 'isms_inputs', 'isms_reviews', 'isms_actions', 'isms_reporting',
                                'isms_jobs']
    loop
        if not exists (select from pg_roles where rolname = role) then
            execute format('create role %I login nosuperuser nocreatedb nocreaterole nobypassrls', role);
        end if;
    end loop;
end
$$;

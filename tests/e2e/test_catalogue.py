"""What PostgreSQL's own catalogue says about the doors between organisations, and between services. It is read, not
believed: a table, policy, grant or function that is an exception fails unless it is in a list here, with its reason."""

import json
import uuid

import pytest
from isms_client import SERVICES, Organisation, api, stack

SCHEMAS = ("core", "inputs", "reviews", "actions", "reporting")
ROLES = tuple(f"isms_{service}" for service in SERVICES) + ("isms_jobs",)
OWNER = "isms_owner"
PLATFORM = "00000000-0000-0000-0000-000000000000"
TENANT_CONDITION = "(tenant_id = ( SELECT core.tenant() AS tenant))"

# Tables without a tenant, and why.
NO_TENANT = {
    "migration.applied": "which migrations were applied: of the installation, and read by every service at its start"}

# Permissive policies beside `tenant`: what they show, to whom, and why.
WIDER_POLICIES = {
    ("core.organisation", "platform"): ("isms_reviews", "platform administrators list the organisations"),
    ("core.sequence", "jobs"): ("isms_jobs", "jobs find out which organisations have something to do"),
    ("core.seal", "jobs"): ("isms_jobs", "the sealing job finds out which organisations are sealed how far"),
    ("inputs.evidence_file", "jobs"): ("isms_jobs", "the clean-up finds files that were given up or never finished"),
    ("inputs.import", "jobs"): ("isms_jobs", "the importing jobs find out which organisations have files to import"),
    ("inputs.import_progress", "jobs"): ("isms_jobs", "the same, and which of them failed and have to wait"),
    ("inputs.import_chunk", "jobs"): ("isms_jobs", "the clean-up finds files of imports that have ended"),
    ("reviews.issuance", "jobs"): ("isms_jobs", "the issuing job finds out which organisations have actions to issue"),
}

# What a service may do in core beyond reading.
CORE_WRITES = {
    ("isms_reviews", "core.organisation"): {"INSERT", "UPDATE"},
    ("isms_reviews", "core.member"): {"INSERT", "UPDATE"},
    ("isms_reviews", "core.key"): {"INSERT", "UPDATE"},
    ("isms_reporting", "core.seal"): {"INSERT"},
}
# Where reviews may change the directory, the others read these columns only: no secrets, no e-mail addresses.
HIDDEN_COLUMNS = {"core.member": {"name_salt", "email_salt", "position_salt", "subject_salt", "email", "issuer",
                                  "subject"},
                  "core.key": {"secret_sha256", "name", "roles"}}

# Tables that no export has, and why.
NOT_EXPORTED = {
    "core.request": "claims, by which repeated requests are recognised here",
    "core.key_use": "of keys that are good here only",
    "core.counter": "the numbers themselves are in the rows",
    "core.sequence": "one value, named at the head of the export",
    "inputs.input_text": "the words of what is in inputs.input",
    "inputs.evidence_object": "where bytes lie here; the export names files by their hash",
    "inputs.import_chunk": "the files of imports, which go when they have ended",
    "inputs.import_row": "working data of imports: the inputs are there",
    "inputs.import_progress": "working data of imports, too",
}

SCHEMA_LIST = "(" + ", ".join(f"'{name}'" for name in SCHEMAS) + ")"
ROLE_LIST = "(" + ", ".join(f"'{name}'" for name in ROLES) + ")"


def query(statement):
    """The rows of a statement, as dictionaries."""
    done = stack().sql(f"select coalesce(json_agg(q), '[]') from ({statement}) q")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


TABLES = f"""select c.oid::bigint as oid, n.nspname || '.' || c.relname as name, c.relrowsecurity as secured,
    c.relforcerowsecurity as forced,
    pg_get_userbyid(c.relowner) as owner from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'f') and n.nspname not in ('pg_catalog', 'information_schema')
      and n.nspname !~ '^pg_'"""


@pytest.fixture(scope="module")
def tables():
    return [table for table in query(TABLES) if table["name"] not in NO_TENANT]


def test_there_is_something_to_check(tables):
    assert len(tables) > 15
    assert {table["name"].split(".")[0] for table in tables} <= set(SCHEMAS)
    assert {table["name"] for table in query(TABLES)} & set(NO_TENANT) == set(NO_TENANT), \
        "an exception that is none any more"


def test_every_table_is_under_forced_row_level_security(tables):
    assert [table["name"] for table in tables if not (table["secured"] and table["forced"])] == []
    assert [table["name"] for table in tables if table["owner"] != OWNER] == []


def test_the_tenant_is_a_column_that_is_never_null(tables):
    having = {row["oid"] for row in query(
        "select attrelid::bigint as oid from pg_attribute "
        "where attname = 'tenant_id' and attnotnull and atttypid = 'uuid'::regtype")}
    assert [table["name"] for table in tables if table["oid"] not in having] == []


def test_every_key_and_index_begins_with_the_tenant(tables):
    indexes = query(f"""
        select n.nspname || '.' || c.relname as name, i.relname as index, x.indisprimary as primary,
            (select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum = x.indkey[0]) as first
        from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
        join pg_namespace n on n.oid = c.relnamespace where n.nspname in {SCHEMA_LIST}""")
    assert [(row["name"], row["index"]) for row in indexes if row["first"] != "tenant_id"] == []
    keyed = {row["name"] for row in indexes if row["primary"]}
    assert {table["name"] for table in tables} == keyed


def test_every_foreign_key_stays_in_the_tenant():
    wrong = query(f"""
        select conrelid::regclass::text as table, conname from pg_constraint k
        join pg_namespace n on n.oid = k.connamespace where k.contype = 'f' and n.nspname in {SCHEMA_LIST}
        and ((select attname from pg_attribute where attrelid = k.conrelid and attnum = k.conkey[1]) <> 'tenant_id'
          or (select attname from pg_attribute where attrelid = k.confrelid and attnum = k.confkey[1])
              <> 'tenant_id')""")
    assert wrong == []


def test_every_table_has_the_tenant_policy_and_no_wider_one_without_a_reason(tables):
    policies = query("""
        select p.polrelid::regclass::text as table, p.polname as name, p.polpermissive as permissive,
            p.polcmd as command,
            pg_get_expr(p.polqual, p.polrelid) as "using", pg_get_expr(p.polwithcheck, p.polrelid) as "check",
            array(select case when r = 0 then 'public' else pg_get_userbyid(r) end from unnest(p.polroles) r) as roles
        from pg_policy p""")
    tenant = {row["table"] for row in policies
              if row["permissive"] and row["command"] == "*" and row["roles"] == ["public"]
              and row["using"] == TENANT_CONDITION and row["check"] == TENANT_CONDITION}
    assert {table["name"] for table in tables} == tenant
    wider = {(row["table"], row["name"]): row for row in policies
             if row["permissive"] and row["using"] != TENANT_CONDITION}
    assert set(wider) == set(WIDER_POLICIES)
    for key, (role, _) in WIDER_POLICIES.items():
        assert (wider[key]["command"], wider[key]["roles"]) == ("r", [role]), key


def test_services_own_nothing_and_can_bypass_nothing():
    roles = query(f"""select rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls
                      from pg_roles where rolname in {ROLE_LIST}""")
    assert {row["rolname"] for row in roles} == set(ROLES)
    assert [row["rolname"] for row in roles if any(value is True for value in row.values())] == []
    assert query(f"""select d.objid, d.classid::regclass::text as kind, r.rolname
                     from pg_shdepend d join pg_roles r on r.oid = d.refobjid
                     where d.deptype = 'o' and r.rolname in {ROLE_LIST}""") == []
    assert query(f"""select m.rolname, g.rolname as of from pg_auth_members a join pg_roles m on m.oid = a.member
                     join pg_roles g on g.oid = a.roleid where m.rolname in {ROLE_LIST}""") == []
    owner = query(f"select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = '{OWNER}'")
    assert not any(owner[0].values())


def grants():
    return query(f"""
        select r.rolname as role, n.nspname || '.' || c.relname as name, n.nspname as schema, p.privilege
        from pg_roles r cross join pg_class c join pg_namespace n on n.oid = c.relnamespace
        cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
            p (privilege)
        where r.rolname in {ROLE_LIST} and c.relkind in ('r', 'p', 'v', 'm', 'f')
          and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_'
          and has_table_privilege(r.oid, c.oid, p.privilege)""")


def test_no_service_deletes_anywhere():
    assert [row for row in grants() if row["privilege"] in ("DELETE", "TRUNCATE", "TRIGGER", "REFERENCES")] == []


def test_each_service_has_its_own_schema_and_parts_of_core():
    writes = {}
    for row in grants():
        if row["name"] in NO_TENANT:
            assert row["privilege"] == "SELECT", row
            continue
        assert row["role"] != "isms_jobs", row  # columns only, below
        if row["schema"] == "core":
            if row["privilege"] != "SELECT":
                writes.setdefault((row["role"], row["name"]), set()).add(row["privilege"])
        else:
            assert row["schema"] == row["role"].removeprefix("isms_"), row
    assert writes == CORE_WRITES


def test_jobs_read_only_what_their_policies_show():
    columns = query("""
        select distinct n.nspname || '.' || c.relname as name, p.privilege
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p (privilege)
        where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
          and has_any_column_privilege('isms_jobs', c.oid, p.privilege)""")
    shown = {name for (name, _), (role, _) in WIDER_POLICIES.items() if role == "isms_jobs"}
    assert {(row["name"], row["privilege"]) for row in columns} == {(name, "SELECT") for name in {*shown, *NO_TENANT}}


def test_secrets_are_read_by_the_directory_only():
    for table, columns in HIDDEN_COLUMNS.items():
        readers = query(f"""
            select r.rolname as role, a.attname as column from pg_roles r cross join pg_attribute a
            where r.rolname in {ROLE_LIST} and r.rolname <> 'isms_reviews' and a.attrelid = '{table}'::regclass
              and a.attnum > 0 and has_column_privilege(r.oid, a.attrelid, a.attnum, 'SELECT')""")
        assert [row for row in readers if row["column"] in columns] == []


def test_members_and_organisations_are_made_and_erased_by_reviews_alone():
    callers = query("""
        select p.proname, r.rolname
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace and n.nspname = 'core',
             pg_roles r
        where p.proname in ('add_organisation', 'provision_member', 'erase_members', 'erase_organisation')
          and r.rolname in ('isms_inputs', 'isms_reviews', 'isms_actions', 'isms_reporting', 'isms_jobs')
          and has_function_privilege(r.oid, p.oid, 'execute')""")
    assert len(callers) == 4 and {row["rolname"] for row in callers} == {"isms_reviews"}


def test_functions_that_run_as_their_owner_are_closed():
    functions = query(f"""
        select p.oid::regprocedure::text as name, p.prosecdef as definer, p.proconfig as settings,
            p.prosqlbody is not null as bound,
            has_function_privilege('public', p.oid, 'EXECUTE') as public, pg_get_userbyid(p.proowner) as owner,
            p.prorettype = 'trigger'::regtype as is_trigger
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in {SCHEMA_LIST}""")
    definer = [row for row in functions if row["definer"]]
    assert len(definer) > 3
    assert [row["name"] for row in definer if "search_path=pg_catalog, pg_temp" not in (row["settings"] or [])] == []
    assert [row["name"] for row in functions if row["public"]] == []
    assert {row["owner"] for row in functions} == {OWNER}


@pytest.mark.parametrize("name", ["text", "uuid", "bytea", "jsonb", "timestamptz"])
def test_a_type_of_ones_own_runs_nothing_as_the_owner(name):
    """A domain in a session's own schema, under the name of a type that functions of the owner's use. begin_read() goes
    first: what it looked up as the caller, begin_write() would run as the owner."""
    tried = stack().sql(f"""
        create function pg_temp.check(v pg_catalog.{name}) returns pg_catalog.bool language plpgsql as
            $$ begin raise notice 'run as %', current_user; return true; end $$;
        create domain pg_temp.{name} as pg_catalog.{name} check (pg_temp.check(value));
        select cast(null as pg_temp.{name});
        select core.begin_read('{PLATFORM}', null, 'job', 0, 'all', 1000);
        select core.may_act('{uuid.uuid4()}', '{uuid.uuid4()}', 0);
        select core.find_key('{PLATFORM}', '{uuid.uuid4()}', '');
        select core.begin_write('{PLATFORM}', null, 'job', 0, 'all', 1000, 'test', 'test', null, null, '', now());
        select core.next_number('{PLATFORM}', 'T');
        rollback""", role="isms_inputs")
    assert "run as isms_inputs" in tried.stderr
    assert "run as isms_owner" not in tried.stderr


def test_nobody_makes_objects_where_others_look():
    schemas = query(f"""
        select n.nspname as schema, r.rolname as role from pg_namespace n cross join pg_roles r
        where r.rolname in {ROLE_LIST} and n.nspname !~ '^pg_(temp|toast)'
          and has_schema_privilege(r.oid, n.oid, 'CREATE')""")
    assert schemas == []


def test_every_table_is_exported_at_a_sequence_or_named(tables):
    """A table that an export forgets, or cannot have as it was, is noticed here."""
    organisation = Organisation()
    exported = []
    for method in api().methods.values():
        if method.rules.permission == "organisation.export":
            head = organisation.admin.call(method, method.request())[0].head
            exported += head.tables
            schemas = {name.split(".")[0] for name in head.tables} - {"core"}
            assert schemas == {head.service}, "each exports its own"
    assert len(exported) == len(set(exported))
    assert set(exported) | set(NOT_EXPORTED) == {table["name"] for table in tables}
    assert not set(exported) & set(NOT_EXPORTED)


@pytest.mark.parametrize("role", ROLES)
def test_without_a_tenant_a_service_sees_no_row(role):
    """The same in practice, logged in with the service's own password."""
    readable = sorted({row["name"] for row in grants() if row["role"] == role and row["privilege"] == "SELECT"
                       and row["name"] not in NO_TENANT})
    counts = " union all ".join(
        f"select '{name}' || '=' || count(*) from {name}" for name in readable) or "select 'none=0'"
    seen = stack().sql(counts, role=role)
    assert seen.returncode == 0, seen.stderr
    assert [line for line in seen.stdout.split() if not line.endswith("=0")] == []

"""Rules about SQL; docs/sql-files.md has the contract. What only a database can tell is tested against one."""

import re

import tap

SCHEMAS = "core|inputs|reviews|actions|reporting"
TABLE = rf"\b(?:{SCHEMAS})\.\w+\b(?!\s*\()"
SQL_FILE = re.compile(r"services/(\w+)/sql/([\w.]+)\.sql$")
DIRECTIVE = re.compile(r"^--@(\S+)(.*)$", re.MULTILINE)


def sql_files():
    """(path, service, name, text) of every SQL file."""
    for name, path in tap.files(".sql", under=("services/",)):
        match = SQL_FILE.match(name)
        if match:
            yield name, match[1], match[2], tap.text_of(path)


def expanded(name, text, depth=0):
    """The text with its includes, directives as blank lines, without comments."""
    def include(match):
        if match[1] != "include" or depth > 8:
            return "\n" if match[1] == "answer" else ""
        file = tap.ROOT / name.rsplit("/", 1)[0] / f"{match[2].strip()}.sql"
        return expanded(name, tap.text_of(file), depth + 1) if file.exists() else ""
    return tap.sql_code(DIRECTIVE.sub(include, text))


def tenant_is_named():
    """Every use of a table comes with a condition on its tenant, or puts :tenant in."""
    allowed = tap.Exceptions("tenant.list")
    for name, _, file, text in sql_files():
        if "." in file:
            continue  # only there to be included
        code = expanded(name, text)
        used = len(re.findall(rf"\b(?:from|join|update|using)\s+(?:only\s+)?{TABLE}", code, re.IGNORECASE))
        named = len(re.findall(r"\btenant_id\s*=\s*(?::tenant\b|\w+\.tenant_id\b)", code))
        named += len(re.findall(r"\busing\s*\(\s*tenant_id\b", code))
        fault = None
        for columns in re.findall(rf"\binto\s+{TABLE}\s*(?:as\s+\w+\s*)?(\([^)]*\))?", code, re.IGNORECASE):
            used += not columns
            if columns and "tenant_id" not in columns:
                fault = "inserts without tenant_id"
        if ":tenant" not in code:
            fault = "does not name :tenant"
        elif named < used:
            fault = f"uses {used} tables and names the tenant {named} times"
        if fault and not allowed.allow(f"{name} -"):
            yield f"{name} {fault}"
    yield from allowed.unneeded()


def one_statement():
    for name, _, file, text in sql_files():
        if ";" in expanded(name, text).rstrip().rstrip(";"):
            yield f"{name}: a second statement behind ';'"
        yield from tap.places(r"\$\d", name, tap.sql_code(text), "%s where a parameter has a name")
        yield from tap.places(r"\bselect\s+(?:\w+\.)?\*\s*(?=from\s+(?:%s)\.\w+\s*$)" % SCHEMAS, name,
                              tap.sql_code(text), "'%s' answers columns that nobody named")


def included_files_are_used():
    used, fragments = set(), {}
    for name, service, file, text in sql_files():
        if "." in file:
            fragments[service, file] = name
        used |= {(service, match[2].strip()) for match in DIRECTIVE.finditer(text) if match[1] == "include"}
    yield from (f"{name} is included nowhere" for key, name in sorted(fragments.items()) if key not in used)


def own_schema_only():
    """A service's SQL names its own schema and core: the others are reached over their API."""
    for name, service, _, text in sql_files():
        for schema in re.findall(rf"\b(?:from|join|update|into)\s+({SCHEMAS})\.", tap.sql_code(text)):
            if schema not in (service, "core"):
                yield f"{name} reads or writes schema {schema}"


def tables():
    """(file, table, body) of every table that a migration makes."""
    for name, path in tap.files(".sql", under=("services/",)):
        if "/migrations/" in name:
            code = tap.sql_code(tap.text_of(path))
            for match in re.finditer(r"create table (\w+\.\w+) \((.*?)\n\);", code, re.DOTALL):
                yield name, match[1], match[2], code


def tenant_comes_first():
    for name, table, body, code in tables():
        for key in re.findall(r"(?:primary key|unique|foreign key)\s*\(([^)]*)\)", body):
            if not key.strip().startswith("tenant_id"):
                yield f"{name}: {table} has a key ({key.strip()}) that does not begin with tenant_id"
        own_key = r"^\s*(?!tenant_id\b)(\w+) [^,\n]*\b(?:primary key|unique)\b(?!\s*\()"
        for column in re.findall(own_key, body, re.MULTILINE):
            yield f"{name}: {table} has a key ({column}) that does not begin with tenant_id"
        if not re.search(r"^\s*tenant_id\s+uuid", body, re.MULTILINE):
            yield f"{name}: {table} has no tenant_id"
        indexes = rf"create (?:unique )?index \w+ on {re.escape(table)}\s*(?:using \w+ )?\(([^)]*)"
        for index in re.findall(indexes, code):
            if not index.strip().startswith("tenant_id"):
                yield f"{name}: an index of {table} ({index.strip()}) does not begin with tenant_id"


def tables_are_protected():
    """Each table is named beside core.protect(), alone or in a list that a loop goes over."""
    for name, table, _, _ in tables():
        text = tap.text_of(tap.ROOT / name)
        named = re.search(rf"'(?:{re.escape(table)}|{table.split('.')[1]})'", text)
        if not named or "core.protect(" not in text:
            yield f"{name}: {table} is not under core.protect()"


tap.run(
    ("every statement names the tenant", tenant_is_named),
    ("a SQL file is one statement with named parameters", one_statement),
    ("included SQL is included somewhere", included_files_are_used),
    ("a service's SQL keeps to its schema and core", own_schema_only),
    ("every key and index begins with the tenant", tenant_comes_first),
    ("every table is under row-level security", tables_are_protected),
)

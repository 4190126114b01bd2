"""Inputs on their way out: the tables of `ismsctl export`, and the rows of an organisation's whole export. Read by
Python's own csv and json, and said anew here what they are to hold."""

import csv
import datetime
import io
import json
import subprocess

from isms_client import BARE_ENVIRONMENT, SERVICES, as_dict, stack


def ismsctl(caller, *arguments):
    environment = {**BARE_ENVIRONMENT, "ISMS_CREDENTIAL": caller.credential,
                   **{f"ISMS_{name.upper()}_ADDRESS": stack().address(name) for name in SERVICES}}
    return subprocess.run([str(stack().bin / "ismsctl"), *arguments], env=environment, capture_output=True)


def exported(caller, *options):
    """The table's text."""
    done = ismsctl(caller, "export", *options)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def lines_of(text):
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def put_in(caller, path, text, *options):
    """Imports the table by its own columns; the numbers of rows created, updated and left as they were."""
    path.write_text(text, newline="")
    done = ismsctl(caller, "import", str(path), "--json", *options)
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    import_ = json.loads(done.stdout)
    return tuple(import_.get(name, 0) for name in ("created", "updated", "unchanged"))


def short(field, number):
    """OPEN for INPUT_STATE_OPEN: without what the names of all values begin with, which is the first one's."""
    prefix = field.enum_type.values[0].name[:-len("UNSPECIFIED")]
    return field.enum_type.values_by_number[number].name[len(prefix):]


def said(message, path):
    """What a message has at a path: names of enums short, nothing where it is not set."""
    *steps, last = path.split(".")
    for step in steps:
        if not message.HasField(step):
            return ""
        message = getattr(message, step)
    field = message.DESCRIPTOR.fields_by_name[last]
    value = getattr(message, last)
    if field.label == field.LABEL_REPEATED:
        return [plain(item) if field.message_type else item for item in value]
    if field.enum_type:
        return short(field, value) if value else ""
    if field.message_type:
        return value.ToJsonString() if message.HasField(last) else ""
    return value


def plain(message):
    """A message as the service stores it: as JSON, but with the short names of enums."""
    if message.DESCRIPTOR.full_name == "google.protobuf.Timestamp":
        return message.ToJsonString()
    return {field.name: [plain_value(field, item) for item in value] if field.label == field.LABEL_REPEATED else
            plain_value(field, value) for field, value in message.ListFields()}


def plain_value(field, value):
    if field.type == field.TYPE_INT64:
        return str(value)
    return plain(value) if field.message_type else short(field, value) if field.enum_type else value


def cell_of(text, like):
    """A cell of a table as a value such as `like`."""
    if isinstance(like, list):
        if text.startswith("["):
            return json.loads(text)
        return text.split("; ") if text else []
    if isinstance(like, bool):
        return {"true": True, "false": False, "": False}[text]
    return type(like)(text or 0) if isinstance(like, (int, float)) else text


def paths_of(descriptor, member=None, before=""):
    """All fields, those of further messages by their paths; of a oneof the member's."""
    for field in descriptor.fields:
        if field.containing_oneof is not None and field.name != member:
            continue
        single = field.message_type is not None and field.label != field.LABEL_REPEATED
        if single and field.message_type.full_name != "google.protobuf.Timestamp":
            yield from paths_of(field.message_type, None, f"{before}{field.name}.")
        else:
            yield before + field.name


def rows_of(admin, table):
    """A table's rows in the organisation's whole export."""
    return [json.loads(row) for part in admin.ExportInputs() if part.WhichOneof("part") == "rows"
            and part.rows.table == table for row in part.rows.rows]


def stored(item):
    """An input as its row in the organisation's whole export has it, without what is not set."""
    whole = plain(item)
    member = item.WhichOneof("detail")
    whole |= {"detail": {member: whole.pop(member)}, "revision": item.revision}
    whole.pop("etag")
    return whole


def row_said(row):
    """The same of the row itself."""
    row = {name: value for name, value in row.items() if name != "tenant_id" and value not in (None, "", [])}
    for name in ("create_time", "update_time", "delete_time"):
        if name in row:
            time = datetime.datetime.fromisoformat(row[name]).astimezone(datetime.timezone.utc)
            row[name] = time.isoformat().replace("+00:00", "Z")
    return row


def assert_exports_agree(organisation, caller, items):
    """All that the listed inputs say, no more and no less, stands in both exports."""
    rows = {row["id"]: row_said(row) for row in rows_of(organisation.admin, "inputs.input")}
    kinds = {item.WhichOneof("detail") for item in items}
    lines = {line["id"]: line for kind in kinds for line in lines_of(exported(caller, "--kind", kind))}
    assert set(lines) == {item.id for item in items}
    for item in items:
        assert rows[item.id] == stored(item), (rows[item.id], stored(item))
        line, paths = lines[item.id], list(paths_of(item.DESCRIPTOR, item.WhichOneof("detail")))
        assert list(line) == paths
        for path in paths:
            value = said(item, path) or (item.number if path == "external_id" else said(item, path))
            assert cell_of(line[path], value) == value, (item.number, path)


def but(item, *names):
    return {name: value for name, value in as_dict(item).items() if name not in names}

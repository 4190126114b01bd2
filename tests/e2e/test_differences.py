"""What an import's dry run says would change, and what the history says did change, are found by two programs (SQL
portion by portion, C revision by revision: services/inputs/input_diff.h says why). They say the same of every field."""

import json
import re

import pytest
from isms_client import Organisation, stack
from test_input_export import common, references
from test_kinds import KINDS, whole


@pytest.fixture(scope="module")
def manager():
    return Organisation("Zwillinge").person("ISMS_MANAGER")


@pytest.fixture(scope="module")
def ids(manager):
    return references(manager)


def dry_run_says(id, before, after):
    """{path: (from, to)} of what an import would show that makes one revision the other."""
    done = stack().sql("select inputs.differences(" + ", ".join(
        "(select jsonb_populate_record(null::inputs.input, content::jsonb) from core.change "
        f"where row_id = '{id}' and revision = {revision})" for revision in (before, after)) + ")")
    assert done.returncode == 0, done.stderr
    return {said["field"]: (said["from"], said["to"]) for said in json.loads(done.stdout)}


def masked(fields):
    """As JSON has them in a field mask."""
    return ",".join(re.sub("_(.)", lambda match: match[1].upper(), name) for name in fields)


@pytest.mark.parametrize("kind", KINDS)
def test_a_dry_run_and_the_history_tell_the_same_of_every_field_of_a_kind(manager, ids, kind):
    first = manager.GetInput(id=ids[kind])
    detail = {name: "" if value == first.id else value for name, value in whole(kind, ids).items()}
    given = {**common(ids, kind), kind: detail, "owner_id": manager.member,
             "related_ids": [ids[name] for name in ("audit", "policy") if name != kind]}
    fields = [name for name in given if name not in ("source", "external_id")]
    manager.UpdateInput(id=first.id, input=given, update_mask=masked(fields))
    manager.UpdateInput(id=first.id, input={"title": "Little", "labels": ["a"]},
                        update_mask=masked(["title", "labels", "summary", "evidence", "due_date", "risk_impact"]))
    for change in manager.ListInputChanges(id=first.id, page_size=2).changes:
        told = {field.path: (getattr(field, "from"), field.to) for field in change.fields}
        dry = dry_run_says(first.id, change.revision - 1, change.revision)
        assert {path.split("[")[0] for path in told} == set(dry)
        assert {path: values for path, values in told.items() if "[" not in path} == \
            {path: values for path, values in dry.items() if path in told}
        assert len(dry) > 4

"""OSCAL's assessment results and plans of action: every value of a document is found again in the inputs it became, by
list and by export. The documents of other people are where a checkout has them beside it."""

import json
import re

import pytest
import tables
from csv_import import everything, imported
from isms_client import ROOT, Organisation

OSCAL = ROOT.parent / "shared/data/oscal"
FILES = ("ifa_assessment-results-example.json", "ifa_plan-of-action-and-milestones.json")
DONE, REFUSED = 2, 3
OPEN, IN_PROGRESS, CLOSED = 1, 2, 3
MITIGATE, ACCEPT = 1, 2


@pytest.fixture
def fresh():
    return Organisation().person("ISMS_MANAGER")


def document(name):
    path = OSCAL / name
    if not path.exists():
        pytest.skip(f"{name} is not there")
    return path.read_bytes()


def take(caller, data, name="results.json"):
    done = imported(caller, data, kind="INPUT_KIND_UNSPECIFIED", source="oscal", file_name=name)
    assert done.state == DONE, done.errors
    return done


def stored(caller):
    return {item.external_id: item for item in everything(caller.ListInputs, "inputs", filter={"sources": ["oscal"]})}


def leaves(value):
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value if isinstance(value, str) else json.dumps(value)


def texts(item):
    """All that an input says, in one text."""
    return "\n".join(value for _, value in walk(item))


def written(value):
    """The same of a row of an export; a list within a cell is in JSON."""
    texts_ = [json.loads(text) if text.startswith("[{") else text for text in leaves(value)]
    return "\n".join(text if isinstance(text, str) else written(text) for text in texts_)


def walk(message, path=""):
    for field, value in message.ListFields():
        values = value if field.label == field.LABEL_REPEATED else [value]
        for one in values:
            if field.message_type:
                yield from walk(one, path + field.name + ".")
            else:
                yield path + field.name, str(one)


@pytest.mark.parametrize("name", FILES)
def test_nothing_of_a_real_document_is_lost_by_list_and_by_export(name):
    data, organisation = document(name), Organisation()
    fresh = organisation.person("ISMS_MANAGER")
    take(fresh, data, name)
    inputs = stored(fresh)
    rows = tables.rows_of(organisation.admin, "inputs.input")
    lines = [line for kind in {item.WhichOneof("detail") for item in inputs.values()}
             for line in tables.lines_of(tables.exported(fresh, "--kind", kind))]
    for out in (map(texts, inputs.values()), map(written, rows), map(written, lines)):
        said = "\n".join(out)
        for value in leaves(json.loads(data)):
            assert value in said, value
    tables.assert_exports_agree(organisation, fresh, inputs.values())


def test_the_real_results_become_inputs_that_refer_to_each_other(fresh):
    data = document(FILES[0])
    root = json.loads(data)["assessment-results"]
    take(fresh, data)
    inputs = stored(fresh)
    result = root["results"][0]
    finding, risk, observations = result["findings"][0], result["risks"][0], result["observations"]
    audit, found, at_risk = (inputs[thing["uuid"]] for thing in (result, finding, risk))
    assert set(inputs) == {root["uuid"], result["uuid"], risk["uuid"], finding["uuid"], finding["uuid"] + "/target"}
    assert (audit.title, audit.effective_date, audit.closed_date, audit.state) == (
        result["title"], "2023-06-02", "2023-06-02", CLOSED)
    assert (audit.audit.auditor, audit.audit.criteria) == ("Amy Assessor", "./ap.oscal.xml")
    assert list(audit.related_ids) == [inputs[root["uuid"]].id]
    assert [item.title for item in audit.evidence] == [observations[1]["title"]], "which no finding rests on"
    assert (found.title, found.summary.split("\n\ntarget")[0], found.state) == (
        finding["title"], finding["description"], OPEN)
    assert (found.finding.audit_id, found.finding.reference) == (audit.id, "ac-6.1_obj")
    assert list(found.related_ids) == [at_risk.id]
    assert [(item.title, item.uri) for item in found.evidence] == [
        (observations[0]["title"], "urn:uuid:" + observations[0]["uuid"])]
    assert observations[0]["remarks"] in found.evidence[0].note
    assert (at_risk.state, at_risk.risk.scenario) == (IN_PROGRESS, risk["statement"])
    target = inputs[finding["uuid"] + "/target"]
    assert (target.compliance.reference, target.compliance.status) == ("ac-6.1_obj", 4)
    assert (target.compliance.gap, target.compliance.assessed_date) == ("This is a finding.", "2023-06-02")
    assert sorted(target.related_ids) == sorted([found.id, audit.id])
    document_ = inputs[root["uuid"]]
    assert (document_.title, document_.policy.version) == (root["metadata"]["title"], "202306-002")


def test_the_real_plan_becomes_risks_and_their_treatment(fresh):
    data = document(FILES[1])
    root = json.loads(data)["plan-of-action-and-milestones"]
    take(fresh, data)
    inputs = stored(fresh)
    for risk, response in zip(root["risks"], (ACCEPT, MITIGATE)):
        at_risk, remediation = inputs[risk["uuid"]], risk["remediations"][0]
        assert (at_risk.title, at_risk.due_date, at_risk.risk.response) == (
            risk["title"], risk["deadline"][:10], response)
        assert at_risk.risk.rationale == remediation["description"]
        assert {"likelihood=low", "impact=high", "status=" + risk["status"]} == set(at_risk.labels)
        plan, timing = inputs[remediation["uuid"]], remediation["tasks"][0]["timing"]["within-date-range"]
        assert (plan.treatment.risk_id, plan.treatment.status_note) == (at_risk.id, "planned")
        assert (plan.effective_date, plan.due_date) == (timing["start"][:10], timing["end"][:10])
    first, second = (inputs[item["uuid"]] for item in root["poam-items"])
    assert first.treatment.risk_id == inputs[root["risks"][0]["uuid"]].id, "named by a mitigating factor of the risk's"
    assert second.treatment.risk_id == inputs[root["risks"][1]["uuid"]].id
    assert (first.due_date, second.due_date) == ("2024-01-01", "2023-06-23")


@pytest.mark.parametrize("name", FILES)
def test_the_same_document_again_changes_nothing(fresh, name):
    data = document(name)
    first = take(fresh, data)
    again = take(fresh, data)
    assert (again.created, again.updated, again.unchanged) == (0, 0, first.created)


def small(**changes):
    root = {"uuid": "11111111-1111-4111-8111-111111111111", "metadata": {
        "title": "Results", "last-modified": "2026-01-01T00:00:00Z", "version": "1", "oscal-version": "1.1.2"},
        "import-ap": {"href": "#"}, "results": [{
            "uuid": "22222222-2222-4222-8222-222222222222", "title": "One", "description": "d",
            "start": "2026-01-31T23:30:00-05:00", "reviewed-controls": {"control-selections": [{"include-all": {}}]}}]}
    root.update(changes)
    return json.dumps({"assessment-results": root}).encode()


def test_a_day_is_the_one_that_the_document_writes(fresh):
    take(fresh, small())
    assert stored(fresh)["22222222-2222-4222-8222-222222222222"].effective_date == "2026-01-31"


BROKEN = {
    "no JSON": (b"{", ""),
    "another model": (b'{"catalog": {}}', ""),
    "another version": (small(metadata={"title": "T", "oscal-version": "2.0"}), "oscal-version"),
    "nested for ever": (b'{"assessment-results": ' + b"[" * 100_000, ""),
    "without a title": (small(results=[{"uuid": "22222222-2222-4222-8222-222222222222", "description": "d"}]), "title"),
    "without a uuid": (small(results=[{"title": "One"}]), "uuid"),
    "a name twice": (b'{"assessment-results": {"uuid": "a", "uuid": "b"}}', ""),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_document_is_refused_and_changes_nothing(fresh, what):
    data, column = BROKEN[what]
    answer = imported(fresh, data, kind="INPUT_KIND_UNSPECIFIED", source="oscal", file_name="a.json")
    assert (answer.state, answer.error_count) == (REFUSED, 1), answer.errors
    assert answer.errors[0].column == column and re.search(r"\w", answer.errors[0].message)
    assert stored(fresh) == {}

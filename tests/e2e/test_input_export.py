"""What inputs are taken out as a table, and that it is the same again where it is put back."""

import pytest
import story
import tables
from csv_import import everything
from isms_client import Organisation, Refused
from test_kinds import KINDS, whole

AWKWARD = ["plain", "a, b", "[in brackets]", "c; d", 'say "so"', "Prüfung – 監査"]
OWN = ("id", "number", "create_time", "update_time", "source")  # of each organisation its own


def references(manager):
    """What whole inputs refer to: an input of each kind, and an interested party."""
    made = {kind: item.id for kind, item in story.record_inputs(manager).items()}
    return {**made, "party": manager.CreateParty(party={"name": "Drivers"}).id}


def common(ids, kind):
    return {"title": f'A {kind}, "whole"\nof two lines', "summary": "=1+1", "owner_name": "As the source says",
            "source": "tests", "external_id": f"{kind}-1", "severity": "SEVERITY_HIGH", "state": "INPUT_STATE_CLOSED",
            "effective_date": "2026-01-01", "due_date": "2026-03-01", "closed_date": "2026-01-02", "labels": AWKWARD,
            "evidence": [{"title": "E, 1", "uri": "https://example.com/1", "sha256": "ab" * 32, "note": 'a "note"',
                          "expire_date": "2027-01-01"}, {"title": "[E2]", "uri": "urn:two"}],
            "related_ids": [ids["audit"], ids["policy"]],
            "risk_impact": {"disposition": "DISPOSITION_RISK_CHANGED", "note": "Likelier",
                            "assessed_date": "2026-01-02", "risk_ids": [ids["risk"]]}}


@pytest.fixture(scope="module")
def organisation():
    return Organisation()


@pytest.fixture(scope="module")
def ids(manager):
    return references(manager)


@pytest.fixture(scope="module")
def elsewhere():
    """Another organisation's manager, and what the same references are there."""
    other = Organisation().person("ISMS_MANAGER")
    other.ids = references(other)
    return other


def listed(caller, kind, source="tests"):
    return everything(caller.ListInputs, "inputs", filter={"kinds": [f"INPUT_KIND_{kind.upper()}"],
                                                           "sources": [source]})


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_input_goes_out_and_into_another_organisation_field_by_field(manager, ids, elsewhere, kind, tmp_path):
    manager.CreateInput(input={**common(ids, kind), kind: whole(kind, ids)})
    text = tables.exported(manager, "--kind", kind, "--source", "tests")
    for name, here in ids.items():
        text = text.replace(here, elsewhere.ids[name])
    assert tables.put_in(elsewhere, tmp_path / "a.csv", text, "--kind", kind, "--source", "other") == (1, 0, 0)
    (before,), (after,) = listed(manager, kind), listed(elsewhere, kind, "other")
    expected = str(tables.but(before, *OWN))
    for name, here in ids.items():
        expected = expected.replace(here, elsewhere.ids[name])
    assert str(tables.but(after, *OWN)) == expected
    assert tables.put_in(manager, tmp_path / "b.csv", tables.exported(
        manager, "--kind", kind, "--source", "tests"), "--kind", kind, "--source", "tests") == (0, 0, 1)
    assert listed(manager, kind) == [before]


def test_every_kind_and_both_exports_say_what_the_list_says(organisation, manager, ids):
    items = everything(manager.ListInputs, "inputs")
    assert {item.WhichOneof("detail") for item in items} == set(KINDS)
    tables.assert_exports_agree(organisation, manager, items)


# A message whose numbers are all 0 is another thing than none.
NOUGHT = {
    "metric": ({"unit": "n", "polarity": "POLARITY_LOWER_IS_BETTER", "frequency": "FREQUENCY_DAILY",
                "target": {"operator": "OPERATOR_AT_MOST"}, "thresholds": {}},
               {"unit": "n", "polarity": "POLARITY_LOWER_IS_BETTER", "frequency": "FREQUENCY_DAILY"}),
    "treatment": ({"cost": {"currency": "EUR"}}, {}),
}


@pytest.mark.parametrize("kind", NOUGHT)
def test_nought_is_not_the_same_as_nothing(kind, tmp_path):
    one, other = (Organisation().person("ISMS_MANAGER") for _ in range(2))
    for number, detail in enumerate(NOUGHT[kind]):
        one.CreateInput(input={"title": "T", "source": "tests", "external_id": str(number), kind: detail})
    tables.put_in(other, tmp_path / "a.csv", tables.exported(one, "--kind", kind), "--kind", kind, "--source", "tests")
    assert [tables.but(item, *OWN) for item in listed(other, kind)] == \
        [tables.but(item, *OWN) for item in listed(one, kind)]


def test_more_than_a_page_is_whole_and_what_has_no_id_of_its_own_goes_by_its_number(tmp_path):
    one, other = (Organisation().person("ISMS_MANAGER") for _ in range(2))
    one.BatchUpsertInputs(inputs=[{"title": f"T{n}", "source": "a", "external_id": f"A-{n}", "improvement": {}}
                                  for n in range(230)])
    by_hand = one.CreateInput(input={"title": "By hand", "improvement": {}})
    text = tables.exported(one, "--kind", "IMPROVEMENT")
    assert [line["external_id"] for line in tables.lines_of(text)] == [f"A-{n}" for n in range(230)] + [by_hand.number]
    assert len(tables.lines_of(tables.exported(one, "--kind", "improvement", "--source", "a"))) == 230
    assert tables.lines_of(tables.exported(one, "--kind", "risk")) == []
    assert tables.put_in(other, tmp_path / "a.csv", text, "--kind", "improvement", "--source", "a") == (231, 0, 0)


def test_what_is_changed_in_the_table_is_changed_and_nothing_else(tmp_path):
    caller = Organisation().person("ISMS_MANAGER")
    for n in range(3):
        caller.CreateInput(input={"title": f"T{n}", "source": "a", "external_id": f"A-{n}", "labels": ["x"],
                                  "risk": {"current": {"likelihood": 2, "impact": 3}, "category": "Old"}})
    text = tables.exported(caller, "--kind", "risk", "--source", "a").replace("T1", "Renamed")
    assert tables.put_in(caller, tmp_path / "a.csv", text, "--kind", "risk", "--source", "a") == (0, 1, 2)
    assert [(item.title, item.revision, item.risk.current.level) for item in listed(caller, "risk", "a")] == [
        ("T0", 1, 6), ("Renamed", 2, 6), ("T2", 1, 6)]


METRIC = {"unit": "h", "polarity": "POLARITY_LOWER_IS_BETTER", "frequency": "FREQUENCY_DAILY"}


def test_measurements_go_out_and_in_field_by_field(tmp_path):
    one, other = (Organisation().person("ISMS_MANAGER") for _ in range(2))
    here, there = (caller.CreateInput(input={"title": "M", "metric": METRIC}) for caller in (one, other))
    values = [0.1, -2.5e-9, 0, 1e15, 12345678.25]
    made = one.AddMeasurements(measurements=[
        {"metric_id": here.id, "value": value, "observed_time": f"2026-01-0{n + 1}T10:00:00.123456Z",
         "note": 'comma, "quote"\nline', "external_id": f"m-{n}", "recorded_time": "2026-02-01T00:00:00.5Z"}
        for n, value in enumerate(values)]).measurements
    text = tables.exported(one, "--metric", here.id)
    assert tables.put_in(other, tmp_path / "a.csv", text, "--metric", there.id, "--source", "a") == (5, 0, 0)
    before, after = (
        [tables.but(item, "id", "metric_id", "create_time")
         for item in everything(caller.ListMeasurements, "measurements", metric_id=metric.id)]
        for caller, metric in ((one, here), (other, there)))
    assert after == before and {item["value"] for item in before if "value" in item} == set(values) - {0}
    rows = {row["id"]: row for row in tables.lines_of(text)}
    assert {(id_, float(row["value"])) for id_, row in rows.items()} == {(item.id, item.value) for item in made}

    one.AddMeasurements(measurements=[{"metric_id": here.id, "value": 7, "corrects_id": made[0].id,
                                       "observed_time": "2026-01-01T10:00:00.123456Z"}])
    corrected = tables.exported(one, "--metric", here.id)
    assert len(tables.lines_of(corrected)) == 6
    assert tables.put_in(one, tmp_path / "b.csv", corrected, "--metric", here.id, "--source", "a") == (0, 0, 6)


@pytest.mark.parametrize("options, says", [
    ((), "either --kind KIND or --metric ID"), (("--kind", "risk", "--metric", "x"), "either"),
    (("--kind", "riskk"), "no kind"), (("--metric", "x"), "metric_id")])
def test_an_export_of_nothing_is_refused(manager, options, says):
    done = tables.ismsctl(manager, "export", *options)
    assert (done.returncode, done.stdout) == (1, b"") and says in done.stderr.decode()


def test_a_table_is_taken_out_by_those_who_may_read_inputs(organisation):
    done = tables.ismsctl(organisation.person("ACTION_OWNER"), "export", "--kind", "risk")
    with pytest.raises(Refused) as refused:
        organisation.person("ACTION_OWNER").ListInputs()
    assert (done.returncode, done.stdout) == (1, b"") and refused.value.reason in done.stderr.decode()


def test_a_table_is_not_put_in_without_saying_whose_ids_it_has(manager, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("external_id,title\nA-1,A\n")
    done = tables.ismsctl(manager, "import", str(path), "--kind", "finding")
    assert done.returncode == 1 and "--source" in done.stderr.decode()


@pytest.mark.parametrize("header, says", [("title,Wichtigkeit", "'Wichtigkeit' is named after no field"),
                                          ("title,title", "another column"), ("title,risk.category", "no field")])
def test_a_column_of_an_unknown_name_is_not_left_out_silently(manager, header, says, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(header + "\nA,B\n")
    done = tables.ismsctl(manager, "import", str(path), "--kind", "finding", "--source", "a")
    assert done.returncode == 1 and says in done.stderr.decode()

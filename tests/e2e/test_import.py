"""Files come in whole, the same again changes nothing, and a broken one changes nothing either. The files of other
people are where a checkout has them beside it; what they hold is never repeated here, but read by Python's own csv."""

import csv
import datetime
import hashlib
import io
import re
import zoneinfo

import pytest
import tables
from csv_import import Import, columns, everything, imported
from isms_client import ROOT, Organisation, Refused, new_id

ALMA = ROOT.parent / "shared/data/alma"
DONE, REFUSED, CHECKED = 2, 3, 4
FINDING, IMPROVING = 9, 2
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@pytest.fixture(scope="module")
def manager():
    return Organisation().person("ISMS_MANAGER")


@pytest.fixture
def fresh():
    return Organisation().person("ISMS_MANAGER")


def stored(caller, source="test"):
    """{external_id: Input}"""
    return {item.external_id: item for item in everything(caller.ListInputs, "inputs", filter={"sources": [source]})}


def revisions(caller):
    return {item.id: (item.revision, item.etag)
            for item in everything(caller.ListInputs, "inputs", filter={"deletion": "DELETION_INCLUDED"})}


# --- the files of other people ---------------------------------------------------------------------------

STATES, PRIORITIES = {"Not Started": "OPEN", "In Progress": "IN_PROGRESS", "Done": "CLOSED"}, {"Highest": "CRITICAL"}
FILES = {
    "alma-ciso-assessment-2026.csv": (106, {
        "ID": "external_id", "Subcategory Description": "title", "Implementation Description": "summary",
        "Subcategory ID": "finding.reference", "Owner": "owner_name", "Q1 Observation Date": "effective_date",
        "Remediation Due Date": "due_date", "Q2 Observations": "finding.cause.description",
        "Action Plan": "finding.recommendation", "Category ID": "finding.cause.category", "Stakeholder(s)": "labels",
        "Test Procedure(s)": "finding.response"}, {}),
    "JIRA-Findings.csv": (4, {
        "Summary": "title", "Issue key": "external_id", "Status": "state", "Priority": "severity",
        "Created": "effective_date",
        "Due date": "due_date", "Description": "summary", "Reporter": "owner_name",
        "Custom field (Root Cause)": "finding.cause.description",
        "Custom field (Compliance Requirement)": "finding.reference", "Resolved": "closed_date",
        "Custom field (Remediation Action Plan (Who will do What by When?) )": "finding.recommendation"},
        {"Status": STATES, "Priority": PRIORITIES}),
    "notion-findings.csv": (4, {
        "Summary": "title", "Issue Key": "external_id", "Status": "state", "Priority": "severity",
        "Created": "effective_date",
        "Due Date": "due_date", "Description": "summary", "Reporter": "owner_name",
        "Root Cause": "finding.cause.description",
        "Subcategory ID": "finding.reference", "Remediation Action Plan": "finding.recommendation"},
        {"Status": STATES, "Priority": PRIORITIES}),
}


def read_file(name):
    path = ALMA / name
    if not path.exists():
        pytest.skip(f"{name} is not there")
    data = path.read_bytes()
    return data, list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def expected(text, field):
    """What a cell becomes, said a second time and independently."""
    text = text.strip(" \t\r\n\v\f")
    jira = re.fullmatch(r"(\d{2})/(\w{3})/(\d{2}) \d{1,2}:\d{2} [AP]M", text)
    if jira and field.endswith("_date"):
        return f"20{jira[3]}-{MONTHS.index(jira[2]) + 1:02d}-{jira[1]}"
    if field == "state":
        return {"Not Started": "OPEN"}[text]
    if field == "severity":
        return {"Medium": "MEDIUM"}[text]
    if field == "labels":
        return [part.strip() for part in re.split("[,;\r\n]", text) if part.strip()]
    return text


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_arrives_whole_and_goes_out_as_it_came(name, tmp_path):
    data, rows = read_file(name)
    organisation, elsewhere = Organisation(), Organisation().person("ISMS_MANAGER")
    fresh = organisation.person("ISMS_MANAGER")
    count, mapping, values = FILES[name]
    assert len(rows) == count
    fields = {"kind": "INPUT_KIND_FINDING", "source": name, "columns": columns(mapping, values), "file_name": name}

    checked = imported(fresh, data, dry_run=True, **fields)
    assert (checked.state, checked.rows, checked.created, checked.error_count) == (
        CHECKED, count, count, 0), checked.errors
    assert stored(fresh, name) == {}

    done = imported(fresh, data, **fields)
    assert (done.state, done.rows, done.created, done.updated, done.unchanged) == (DONE, count, count, 0, 0)
    there = stored(fresh, name)
    assert len(there) == count
    text = tables.exported(fresh, "--kind", "finding", "--source", name)
    lines = {line["external_id"]: line for line in tables.lines_of(text)}
    for row in rows:
        id_ = row[{field: column for column, field in mapping.items()}["external_id"]]
        assert there[id_].kind == FINDING
        for column, field in mapping.items():
            value = expected(row[column], field)
            assert tables.said(there[id_], field) == value, (id_, column)
            assert tables.cell_of(lines[id_][field], value) == value, (id_, column)
    tables.assert_exports_agree(organisation, fresh, there.values())
    assert tables.put_in(elsewhere, tmp_path / "out.csv", text, "--kind", "finding", "--source", name) == (count, 0, 0)
    own = ("id", "number", "create_time", "update_time")
    assert {id_: tables.but(item, *own) for id_, item in stored(elsewhere, name).items()} == \
        {id_: tables.but(item, *own) for id_, item in there.items()}

    before = revisions(fresh)
    again = imported(fresh, data, **fields)
    assert (again.state, again.created, again.updated, again.unchanged) == (DONE, 0, 0, count)
    assert revisions(fresh) == before


def test_a_real_jira_date_is_the_day_it_says(fresh):
    data, rows = read_file("JIRA-Findings.csv")
    _, mapping, values = FILES["JIRA-Findings.csv"]
    imported(fresh, data, source="jira", columns=columns(mapping, values))
    there = stored(fresh, "jira")
    assert {item.effective_date for item in there.values()} == {"2026-01-11"}
    assert sorted(item.due_date for item in there.values()) == ["", "", "", "2026-08-31"]


def test_an_upload_goes_on_where_it_broke_off_and_takes_a_chunk_twice(fresh):
    data, rows = read_file("alma-ciso-assessment-2026.csv")
    _, mapping, values = FILES["alma-ciso-assessment-2026.csv"]
    upload = Import(fresh, data, columns=columns(mapping, values))
    assert upload.send(0, 100_000).received_bytes == 100_000
    assert upload.send(0, 100_000).received_bytes == 100_000, "the same chunk again"
    with pytest.raises(Refused) as refused:
        upload.send(150_000, 200_000)
    assert refused.value.reason == "WRONG_STATE" and refused.value.facts["received_bytes"] == "100000"
    with pytest.raises(Refused) as refused:
        upload.run()
    assert refused.value.code.name in ("INVALID_ARGUMENT", "FAILED_PRECONDITION")
    assert stored(fresh) == {}
    done = upload.upload(77_777).run()
    assert (done.state, done.created) == (DONE, len(rows))


def metric(caller, title, unit="h", **fields):
    return caller.CreateInput(input={"title": title, "metric": {
        "unit": unit, "polarity": "POLARITY_LOWER_IS_BETTER", "frequency": "FREQUENCY_IRREGULAR", **fields}})


def midnight(day):
    """When the day begins where the tests' organisations are."""
    begins = datetime.datetime.fromisoformat(day).replace(tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
    return begins.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_real_kpi_workbook_gives_four_improving_trends(fresh):
    """A table with a column for each metric, in the middle of a sheet with a heading and notes."""
    path = ALMA / "alma-kpi-trends.xlsx"
    if not path.exists():
        pytest.skip("alma-kpi-trends.xlsx is not there")
    openpyxl = pytest.importorskip("openpyxl", reason="python3-openpyxl is not installed")
    rows = list(openpyxl.load_workbook(path, data_only=True).active.iter_rows(values_only=True))
    head = next(n for n, row in enumerate(rows) if row[0] == "Date")
    series = []
    for row in rows[head + 1:]:
        match = re.fullmatch(r"(\w{3}) (\d{4})", str(row[0] or ""))
        if not match:
            break
        series.append((f"{match[2]}-{MONTHS.index(match[1]) + 1:02d}-01", row[1:]))
    assert len(series) == 6
    titles = rows[head][1:]
    metrics = [metric(fresh, title, re.search(r"\((\w+)\)", title)[1].lower()) for title in titles]
    fields = {"file_name": path.name, "kind": "INPUT_KIND_UNSPECIFIED",
              "table": {"header_row": head + 1, "last_row": head + 1 + len(series)},
              "columns": [{"column": "Date", "field": "observed_time"}] + [
                  {"column": title, "field": "value", "metric_id": item.id} for title, item in zip(titles, metrics)]}
    done = imported(fresh, path.read_bytes(), **fields)
    assert (done.state, done.rows, done.created) == (DONE, len(series), 4 * len(series)), done.errors
    again = imported(fresh, path.read_bytes(), **fields)
    assert (again.created, again.unchanged) == (0, 4 * len(series))
    for column, item in enumerate(metrics):
        kept = everything(fresh.ListMeasurements, "measurements", metric_id=item.id)
        assert [(item.observed_time.ToJsonString(), item.value) for item in reversed(kept)] == [
            (midnight(day), values[column]) for day, values in series]
        lines = tables.lines_of(tables.exported(fresh, "--metric", item.id))
        assert [(line["metric_id"], line["observed_time"], float(line["value"])) for line in reversed(lines)] == [
            (item.id, midnight(day), values[column]) for day, values in series]
    trends = fresh.ListMetricTrends(period={"start_date": series[0][0], "end_date": "2026-03-31"}).trends
    assert len(trends) == 4
    for column, trend in enumerate(trends):
        assert (trend.direction, trend.quality.present_points) == (IMPROVING, 6), trend.title
        assert trend.slope_per_30_days < 0
        assert (trend.first_value, trend.last_value) == (series[0][1][column], series[-1][1][column])


# --- small files of our own ------------------------------------------------------------------------------

BASIC = columns({"Id": "external_id", "Title": "title", "Due": "due_date", "Grade": "finding.grade",
                 "Labels": "labels"})
GOOD = "Id,Title,Due,Grade,Labels\nA-1,First,2026-05-01,minor,\nA-2,Second,,OBSERVATION,\"a, b; c\"\n"

SHAPES = {
    "as it is": GOOD.encode(),
    "with a byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "with CRLF": GOOD.replace("\n", "\r\n").encode(),
    "with CR": GOOD.replace("\n", "\r").encode(),
    "without a last line end": GOOD.strip().encode(),
    "with empty lines": GOOD.replace("\n", "\n\n").encode(),
    "with everything quoted": "\n".join(",".join(f'"{cell}"' for cell in row)
                                        for row in csv.reader(io.StringIO(GOOD))).encode(),
    "with another case and blanks in the header": GOOD.replace("Id,Title", " ID , title ").encode(),
    "with its columns in another order": ("Grade,Due,Labels,Title,More,Id\nminor,2026-05-01,,First,x,A-1\n"
                                          "OBSERVATION,,\"a,b,c\",Second,,A-2\n").encode(),
    "with Jira dates": GOOD.replace("2026-05-01", "01/May/26 3:22 PM").encode(),
    "with a time": GOOD.replace("2026-05-01", "2026-05-01T15:22:00Z").encode(),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_rows_in_every_shape(fresh, shape):
    done = imported(fresh, SHAPES[shape], columns=BASIC)
    assert (done.state, done.rows, done.created) == (DONE, 2, 2), done.errors
    there = stored(fresh)
    assert (there["A-1"].title, there["A-1"].due_date, there["A-1"].finding.grade) == ("First", "2026-05-01", 4)
    assert (there["A-2"].due_date, there["A-2"].finding.grade, list(there["A-2"].labels)) == ("", 3, ["a", "b", "c"])


@pytest.mark.parametrize("text", ["Prüfung – 監査 🔒", 'He said "no", twice', "line one\nline two\n\nline four",
                                  "comma, semicolon; tab\tend",
                                  "=1+1", "'; drop table inputs.input; --", "\u202eright to left", "a\u0301 combining",
                                  "x" * 20000])
def test_a_cell_arrives_as_it_is(fresh, text):
    line = io.StringIO()
    csv.writer(line).writerows([["Id", "Title", "Text"], ["1", "T", text]])
    imported(fresh, line.getvalue().encode(),
             columns=columns({"Id": "external_id", "Title": "title", "Text": "summary"}))
    assert stored(fresh)["1"].summary == text


def test_rows_without_an_id_are_known_by_their_content(fresh):
    text = b"Title\nSame\nSame\nOther\n"
    mapping = columns({"Title": "title"})
    assert imported(fresh, text, columns=mapping).created == 3
    again = imported(fresh, text, columns=mapping)
    assert (again.created, again.unchanged) == (0, 3)


def test_only_mapped_fields_of_what_is_there_are_changed(fresh):
    imported(fresh, GOOD.encode(), columns=BASIC)
    first = stored(fresh)["A-1"]
    fresh.UpdateInput(id=first.id, input={"title": "First", "summary": "Kept", "finding": {"response": "Kept too"}},
                      update_mask="summary,finding.response")
    done = imported(fresh, GOOD.replace("First", "Renamed").encode(), columns=BASIC)
    assert (done.created, done.updated, done.unchanged) == (0, 1, 1)
    now = stored(fresh)["A-1"]
    assert (now.id, now.title, now.summary, now.finding.response) == (first.id, "Renamed", "Kept", "Kept too")


HEAD = "Id,Title,Due,Grade,Labels\nA-1,First,2026-05-01,minor,\n"
BROKEN = {
    # what is wrong: (bytes, line, row, column or None where the row as such is wrong)
    "an unclosed quote": (HEAD.encode() + b'A-2,"Second,,,\nA-3,Third,,,\n', 3, 2, None),
    "a quote within a cell": (HEAD.encode() + b'A-2,Sec"ond,,,\n', 3, 2, "Title"),
    "a cell too few": (HEAD.encode() + b"A-2,Second,\n", 3, 2, None),
    "a cell too many": (HEAD.encode() + b"A-2,Second,,,,more\n", 3, 2, None),
    "an enum there is not": (HEAD.encode() + b"A-2,Second,,gigantic,\n", 3, 2, "Grade"),
    "a day there is not": (HEAD.encode() + b"A-2,Second,2026-02-30,,\n", 3, 2, "Due"),
    "a day that may be two": (HEAD.encode() + b"A-2,Second,03/04/2026,,\n", 3, 2, "Due"),
    "not UTF-8": (HEAD.encode() + b"A-2,Pr\xfcfung,,,\n", 3, 2, "Title"),
    "NUL": (HEAD.encode() + b"A-2,Sec\0ond,,,\n", 3, 2, "Title"),
    "a title too long": (HEAD.encode() + b"A-2," + b"x" * 501 + b",,,\n", 3, 2, "Title"),
    "no title": (HEAD.encode() + b"A-2,,,,\n", 3, 2, "Title"),
    "no id": (HEAD.encode() + b",Second,,,\n", 3, 2, "Id"),
    "an id twice": (HEAD.encode() + b"A-1,Second,,,\n", 3, 2, "Id"),
    "the place behind lines of a cell": (HEAD.encode() + b'A-2,"one\ntwo\nthree",,,\n\nA-3,Third,nonsense,,\n', 7, 3,
                                         "Due"),
    "no such column": (b"Id,Name,Due,Grade,Labels\nA-1,First,,,\n", 1, 0, "Title"),
    "a column twice": (b"Id,Title,Title,Due,Grade,Labels\nA-1,a,b,,,\n", 1, 0, "Title"),
    "no rows": (b"Id,Title,Due,Grade,Labels\n", 1, 0, None),
    "nothing but a byte order mark": (b"\xef\xbb\xbf", 1, 0, None),
    "UTF-16": (GOOD.encode("utf-16"), 1, 0, None),
    "a workbook in place of a CSV file": (b"PK\x03\x04" + bytes(range(256)) * 4, 1, 0, None),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_refused_with_its_place_and_changes_nothing(manager, what):
    data, line, row, column = BROKEN[what]
    imported(manager, b"Id,Title,Due,Grade,Labels\nZ-9,Was here before,,,\n", columns=BASIC)
    before = revisions(manager)
    answer = imported(manager, data, columns=BASIC)
    assert (answer.state, answer.created, answer.updated) == (REFUSED, 0, 0)
    assert answer.error_count == len(answer.errors) == 1, answer.errors
    assert (answer.errors[0].line, answer.errors[0].row) == (line, row), answer.errors
    assert column is None or answer.errors[0].column == column, answer.errors
    assert answer.errors[0].message
    assert revisions(manager) == before


def test_all_errors_are_counted_and_the_first_hundred_listed(manager):
    answer = imported(manager, (HEAD + "".join(f"B-{n},T,never,,\n" for n in range(250))).encode(), columns=BASIC)
    assert (answer.state, answer.error_count, len(answer.errors)) == (REFUSED, 250, 100)
    assert [error.row for error in answer.errors] == list(range(2, 102))


@pytest.mark.parametrize("mapping", [{"Title": "id"}, {"Title": "revision"}, {"Title": "risk.scenario"},
                                     {"Title": "nothing"},
                                     {"Title": "finding"}, {"Title": "source"}, {"Title": "finding.nothing"},
                                     {"Title": "title", "Id": "title"}])
def test_a_mapping_that_leads_nowhere_is_refused(manager, mapping):
    try:
        answer = imported(manager, GOOD.encode(), columns=columns(mapping))
        assert answer.state == REFUSED and answer.errors[0].row == 0
    except Refused as refused:
        assert refused.code.name == "INVALID_ARGUMENT"


def test_measurements_of_a_file(fresh):
    metric = fresh.CreateInput(input={"title": "M", "metric": {
        "unit": "h", "polarity": "POLARITY_HIGHER_IS_BETTER", "frequency": "FREQUENCY_MONTHLY"}})
    fields = {"metric_id": metric.id, "columns": columns({"When": "observed_time", "What": "value", "Why": "note"})}
    text = "When,What,Why\n2026-01-31,1.5,\n2026-02-28T12:00:00Z,-2e3,„so“\n"
    assert imported(fresh, text.encode(), **fields).created == 2
    kept = everything(fresh.ListMeasurements, "measurements", metric_id=metric.id)
    assert [(item.value, item.note) for item in kept] == [(-2000, "„so“"), (1.5, "")]
    for wrong in ("many", "NaN", "inf", "0x10", "1,5", ""):
        answer = imported(fresh, f'When,What,Why\n2026-03-31,"{wrong}",\n'.encode(), **fields)
        assert answer.state == REFUSED or wrong == "" and answer.created == 1, wrong
        if wrong:
            assert (answer.errors[0].row, answer.errors[0].column) == (1, "What")
    answer = imported(fresh, "When,What,Why\n2026-01-31,99,changed\n".encode(), **fields)
    assert answer.state == REFUSED, "another value for the same time is no correction"
    assert kept[1].value == fresh.ListMeasurements(metric_id=metric.id).measurements[-1].value
    fields["columns"] = columns({"When": "observed_time", "What": "value", "Recorded": "recorded_time"})
    answer = imported(fresh, b"When,What,Recorded\n2026-04-30,99,2999-01-01\n", **fields)
    assert [(error.column, error.message) for error in answer.errors] == [("Recorded", "is in the future")]


def test_a_run_is_once_and_its_hash_must_fit(fresh):
    upload = Import(fresh, GOOD.encode(), columns=BASIC).upload()
    with pytest.raises(Refused) as refused:
        fresh.RunImport(id=upload.id, sha256=hashlib.sha256(b"other").hexdigest())
    assert refused.value.code.name in ("INVALID_ARGUMENT", "FAILED_PRECONDITION")
    assert stored(fresh) == {}
    request = new_id()
    first = fresh.RunImport(id=upload.id, request_id=request)
    assert fresh.RunImport(id=upload.id, request_id=request) == first
    with pytest.raises(Refused) as refused:
        upload.run()
    assert refused.value.reason == "WRONG_STATE"
    with pytest.raises(Refused) as refused:
        upload.send(len(GOOD), len(GOOD) + 1)
    assert refused.value.code.name in ("INVALID_ARGUMENT", "FAILED_PRECONDITION")


def test_a_file_larger_than_the_limit_is_refused_as_it_grows(fresh):
    upload = Import(fresh, bytes(65 << 20), columns=BASIC)
    with pytest.raises(Refused) as refused:
        upload.upload()
    assert refused.value.reason == "LIMIT_REACHED"
    assert fresh.GetImport(id=upload.id).received_bytes == 64 << 20
    with pytest.raises(Refused) as refused:
        Import(fresh, bytes(2 << 20), columns=BASIC).send(0, 2 << 20)
    assert list(refused.value.fields) == ["data"]

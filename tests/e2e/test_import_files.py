"""What an import tells before, while and after it runs; stored mappings; and workbooks."""

import io
import zipfile

import pytest
from csv_import import Import, columns, everything, imported
from isms_client import Organisation, Refused, stack

DONE, REFUSED, CHECKED, CANCELLED = 2, 3, 4, 7
CREATED, UPDATED, UNCHANGED, FAILED = 1, 2, 3, 4
BASIC = columns({"Id": "external_id", "Title": "title", "Why": "finding.cause.description", "Labels": "labels"})
GOOD = "Id,Title,Why,Labels\nA-1,First,because,x\nA-2,Second,,\nA-3,Third,,\n"


@pytest.fixture
def fresh():
    return Organisation().person("ISMS_MANAGER")


def stored(caller, source="test"):
    return {item.external_id: item for item in everything(caller.ListInputs, "inputs", filter={"sources": [source]})}


def rows_of(caller, import_, **fields):
    return everything(caller.ListImportRows, "rows", id=import_.id, **fields)


# --- before: what would change ---------------------------------------------------------------------------

def test_a_dry_run_tells_what_each_row_would_change_and_changes_nothing(fresh):
    imported(fresh, GOOD.encode(), columns=BASIC)
    before = stored(fresh)
    changed = GOOD.replace("First,because,x", "Renamed,no owner,").replace("A-3,Third", "A-4,Fourth")
    checked = imported(fresh, changed.encode(), columns=BASIC, dry_run=True)
    assert (checked.state, checked.created, checked.updated, checked.unchanged) == (CHECKED, 1, 1, 1)
    rows = rows_of(fresh, checked)
    assert [(row.external_id, row.result, row.stored, row.line) for row in rows] == [
        ("A-1", UPDATED, False, 2), ("A-2", UNCHANGED, False, 3), ("A-4", CREATED, False, 4)]
    assert [(item.field, getattr(item, "from"), item.to) for item in rows[0].differences] == [
        ("finding.cause.description", "because", "no owner"), ("labels", '["x"]', ""), ("title", "First", "Renamed")]
    assert [row.external_id for row in rows_of(fresh, checked, result="IMPORT_OUTCOME_CREATED")] == ["A-4"]
    assert stored(fresh) == before


def test_rows_come_in_pages_and_say_what_was_stored(fresh):
    done = imported(fresh, GOOD.encode(), columns=BASIC)
    first = fresh.ListImportRows(id=done.id, page_size=2)
    second = fresh.ListImportRows(id=done.id, page_size=2, page_token=first.next_page_token)
    assert [row.external_id for page in (first, second) for row in page.rows] == ["A-1", "A-2", "A-3"]
    assert all(row.stored and row.result == CREATED for row in [*first.rows, *second.rows])
    assert (done.rows_total, done.rows_checked, done.rows_stored) == (3, 3, 3)


def test_who_started_an_import_is_who_the_change_log_names(fresh):
    imported(fresh, GOOD.encode(), columns=BASIC)
    self_ = fresh.GetSelf()
    actors = stack().sql("select distinct actor from core.change where table_name = 'inputs.input' and tenant_id = "
                         f"'{self_.organisation_id}'").stdout.split()
    assert actors == [self_.id]


def test_a_cancelled_import_is_not_run(fresh):
    upload = Import(fresh, GOOD.encode(), columns=BASIC).upload()
    assert fresh.CancelImport(id=upload.id).state == CANCELLED
    with pytest.raises(Refused) as refused:
        upload.start()
    assert refused.value.reason == "WRONG_STATE"
    with pytest.raises(Refused) as refused:
        fresh.CancelImport(id=upload.id)
    assert refused.value.reason == "WRONG_STATE"
    assert stored(fresh) == {}


# --- stored mappings -------------------------------------------------------------------------------------

def test_a_profile_is_used_as_if_its_mapping_had_been_sent(fresh):
    profile = fresh.CreateImportProfile(profile={
        "name": "Register", "kind": "INPUT_KIND_FINDING", "source": "register", "columns": BASIC})
    done = imported(fresh, GOOD.encode(), kind="INPUT_KIND_UNSPECIFIED", source="", profile_id=profile.id)
    assert (done.state, done.created, done.source) == (DONE, 3, "register")
    assert stored(fresh, "register")["A-1"].finding.cause.description == "because"


def test_profiles_are_kept_changed_and_deleted(fresh):
    made = fresh.CreateImportProfile(profile={"name": "Mine", "kind": "INPUT_KIND_RISK", "columns": BASIC})
    assert fresh.GetImportProfile(id=made.id) == made
    with pytest.raises(Refused) as refused:
        fresh.CreateImportProfile(profile={"name": "MINE", "columns": BASIC})
    assert refused.value.reason == "ALREADY_EXISTS"
    changed = fresh.UpdateImportProfile(id=made.id, profile={"name": "Yours", "columns": BASIC, "etag": made.etag})
    assert (changed.name, changed.kind, changed.revision) == ("Yours", 0, 2)
    with pytest.raises(Refused) as refused:
        fresh.DeleteImportProfile(id=made.id, etag=made.etag)
    assert refused.value.reason == "ETAG_MISMATCH"
    fresh.DeleteImportProfile(id=made.id)
    assert made.id not in [item.id for item in everything(fresh.ListImportProfiles, "profiles")]
    with pytest.raises(Refused) as refused:
        Import(fresh, GOOD.encode(), columns=[], profile_id=made.id)
    assert refused.value.reason == "REFERENCE_INVALID"


JIRA = ("Summary,Issue key,Status,Priority,Created,Due date,Labels,Labels,Comment,Comment\n"
        "Failover untested,FND-4,In Progress,Highest,11/Jan/26 3:22 PM,31/Aug/26 12:00 AM,cloud,backup,"
        "first,second\n")


def test_jiras_own_export_needs_no_mapping(fresh):
    profiles = {item.name: item for item in everything(fresh.ListImportProfiles, "profiles")}
    jira = profiles["Jira CSV: findings"]
    assert jira.built_in
    done = imported(fresh, JIRA.encode(), kind="INPUT_KIND_UNSPECIFIED", source="", profile_id=jira.id)
    assert (done.state, done.created) == (DONE, 1), done.errors
    item = stored(fresh, "jira")["FND-4"]
    assert (item.effective_date, item.due_date, item.severity, item.state) == ("2026-01-11", "2026-08-31", 5, 2)
    assert list(item.labels) == ["cloud", "backup"]
    assert item.finding.response == "first\n\nsecond"
    with pytest.raises(Refused) as refused:
        fresh.DeleteImportProfile(id=jira.id)
    assert refused.value.reason == "NOT_FOUND"


# --- workbooks -------------------------------------------------------------------------------------------

def workbook(fill):
    openpyxl = pytest.importorskip("openpyxl", reason="python3-openpyxl is not installed")
    book = openpyxl.Workbook()
    fill(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbooks_cells_arrive_as_people_see_them(fresh):
    import datetime

    def fill(book):
        book.active.title = "Notes"
        book.active.append(["not", "this", "one"])
        sheet = book.create_sheet("Findings")
        sheet.append(["Register of findings"])
        sheet.append(["Id", "Title", "Due", "Text"])
        sheet.append([17, "Prüfung – 監査", datetime.date(2026, 5, 1), 0.1])
        sheet.append(["A-2", "Second", datetime.datetime(2026, 5, 2, 15, 22), True])
        sheet.append([])
        sheet.append(["A-3", "Third", None, "line one\nline two", "right of the table"])
        sheet.append(["below the table"])
    data = workbook(fill)
    fields = {"file_name": "findings.xlsx", "table": {"sheet": "findings", "header_row": 2, "last_row": 6},
              "columns": columns({"Id": "external_id", "Title": "title", "Due": "due_date", "Text": "summary"})}
    done = imported(fresh, data, **fields)
    assert (done.state, done.rows, done.created) == (DONE, 3, 3), done.errors
    there = stored(fresh)
    assert (there["17"].title, there["17"].due_date, there["17"].summary) == ("Prüfung – 監査", "2026-05-01", "0.1")
    assert (there["A-2"].due_date, there["A-2"].summary) == ("2026-05-02", "true")
    assert (there["A-3"].due_date, there["A-3"].summary) == ("", "line one\nline two")


def zipped(parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHELL = {
    "_rels/.rels": f'<Relationships><Relationship Id="a" Type="{TYPES}/officeDocument" Target="xl/workbook.xml"/>'
                   "</Relationships>",
    "xl/workbook.xml": '<workbook xmlns:r="r"><sheets><sheet name="One" sheetId="1" r:id="s"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships><Relationship Id="s" Type="{TYPES}/worksheet" '
                                  'Target="worksheets/sheet1.xml"/></Relationships>',
}
SHEET = "xl/worksheets/sheet1.xml"
BROKEN = {
    "no workbook": b"Id,Title\n1,2\n",
    "an old or encrypted one": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
    "cut off": zipped({**SHELL, SHEET: "<worksheet/>"})[:-30],
    "without its sheet": zipped(SHELL),
    "no XML": zipped({**SHELL, SHEET: "<worksheet><sheetData><row>"}),
    "entities": zipped({**SHELL, SHEET: '<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'}),
    "nested for ever": zipped({**SHELL, SHEET: "<a>" * 100_000}),
    "a bomb": zipped({**SHELL, "xl/workbook.xml": b"<workbook>" + bytes([32]) * (40 << 20)}),
    "rows backwards": zipped({**SHELL, SHEET: '<worksheet><row r="2"/><row r="1"/></worksheet>'}),
    "far out": zipped({**SHELL, SHEET: '<worksheet><row r="99999999"><c r="A1" t="str"><v>x</v></c></row>'}),
    "too wide": zipped({**SHELL, SHEET: '<worksheet><row r="1"><c r="ZZZ1" t="str"><v>x</v></c></row></worksheet>'}),
    "a text that is not there": zipped({**SHELL, SHEET: '<worksheet><row r="1"><c t="str"><v>Id</v></c><c t="str">'
                                        '<v>Title</v></c><c t="str"><v>Note</v></c></row><row r="2"><c><v>1</v></c>'
                                        '<c t="str"><v>One</v></c><c t="s"><v>7</v></c></row></worksheet>'}),
    "no rows": zipped({**SHELL, SHEET: "<worksheet><sheetData/></worksheet>"}),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_workbook_is_refused_and_changes_nothing(fresh, what):
    answer = imported(fresh, BROKEN[what], file_name="broken.xlsx",
                      columns=columns({"Id": "external_id", "Title": "title"}))
    assert (answer.state, answer.error_count) == (REFUSED, 1), answer.errors
    assert answer.errors[0].message
    assert stored(fresh) == {}

"""What an organisation wrote ends with it. Each of its texts has a mark, which is looked for in every column of every
table of the database: a table or a column that is made later takes part by being there."""

import base64
import json
import uuid

import pytest
import story
import test_kinds
from csv_import import Import, columns, imported
from evidence import Inputs, content, lease_freed, stored
from isms_client import Caller, Organisation, api, stack, until
from test_tenant_life import log_holds, rows, sql

# Columns of texts that hold no words of an organisation's own, and why.
UNMARKED = {
    "of a closed set": {"kind", "state", "severity", "category", "influence", "interest", "addressing", "type",
                        "purpose", "format", "phase", "outcome", "storage", "agenda_item", "language"},
    "numbers and hashes": {"number", "sha256", "content_sha256", "block_sha256", "contact_salt", "survey"},
    "names of fields and places": {"field", "update_paths", "media_type", "table_place"},
    "lists of ids": {"feedback_ids", "related_ids"},
    "of an import that is under way": {"content", "refers"},
    "sentences of the service": {"errors", "message"},
}
# Tables of which rows stay until the clean-up has taken the bytes away, `evidence_keep` later, or as what is left.
STAYS = {"inputs.evidence_file", "inputs.evidence_object"}
# PostgreSQL's samples of columns, which its next analyze replaces.
NOT_SEARCHED = {"pg_catalog.pg_statistic"}


class Marked:
    """An organisation whose every text has a mark in it."""

    def __init__(self):
        self.mark = f"zeisig{uuid.uuid4().hex[:10]}"
        self.organisation = Organisation()
        self.manager = self.organisation.person("ISMS_MANAGER")
        self.chair = self.organisation.person("TOP_MANAGEMENT")
        self.ids = {kind: item.id for kind, item in story.record_inputs(self.manager).items()}
        self.register()
        self.inputs()
        self.files()
        self.intake()
        self.contributions()
        self.schemes()
        self.review = story.Review(self.manager, self.chair)
        self.review.open()

    def filled(self, value):
        """Texts that have no form of their own become marks."""
        if isinstance(value, dict):
            return {name: self.filled(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.filled(inner) for inner in value]
        return self.mark if isinstance(value, str) and "ünï" in value and len(value) >= len(self.mark) else value

    def whole(self, message, **fields):
        """A message with all its fields."""
        descriptor = api().message(message).DESCRIPTOR
        return {**self.filled({field.name: test_kinds.wrapped(field, self.ids)
                               for field in test_kinds.inputs_of(descriptor)
                               if field.name not in ("etag", *test_kinds.KINDS)}), **fields}

    def register(self):
        self.ids["party"] = self.manager.CreateParty(party=self.whole(
            "isms.inputs.v1.Party", owner_id=self.manager.member)).id
        self.manager.RecordEngagement(engagement={
            "party_id": self.ids["party"], "engagement_date": "2026-02-01", "type": "TYPE_SURVEY",
            "summary": self.mark, "survey": {"sent": 3, "answered": 2}, "feedback_ids": [self.ids["feedback"]]})

    def inputs(self):
        for kind in test_kinds.KINDS:
            made = self.manager.CreateInput(input=self.whole(
                "isms.inputs.v1.Input", owner_id=self.manager.member, external_id=f"{self.mark} {kind}",
                state="INPUT_STATE_OPEN", closed_date=None, related_ids=[self.ids["risk"]],
                evidence=[{"title": self.mark, "note": self.mark, "uri": f"https://{self.mark}.example.com"}],
                risk_impact={"disposition": "DISPOSITION_NO_IMPACT", "note": self.mark},
                **{kind: self.filled(test_kinds.whole(kind, self.ids))}))
            self.ids["made"] = made.id
        self.manager.UpdateInput(id=made.id, input={"title": f"{self.mark} again"}, update_mask="title")
        self.manager.AddMeasurements(measurements=[{"metric_id": self.ids["metric"], "value": 1, "note": self.mark,
                                                    "external_id": self.mark, "observed_time": "2026-01-01T00:00:00Z"}])

    def files(self):
        data = f"Id,Title\n{self.mark}-1,{self.mark} first\n".encode()
        mapping = columns({"Id": "external_id", "Title": "title"})
        mapping.append({"column": self.mark, "field": "summary", "optional": True})
        self.manager.CreateImportProfile(profile={"name": self.mark, "source": self.mark, "columns": mapping})
        named = {"file_name": f"{self.mark}.csv", "source": self.mark, "columns": mapping}
        imported(self.manager, data, **named)
        imported(self.manager, data.replace(b"first", b"changed"), dry_run=True, **named)
        Import(self.manager, data, **named).upload()
        self.file = stored(self.manager, self.mark.encode() + content(1000), name=f"{self.mark}.pdf", note=self.mark)
        begun = self.manager.CreateEvidenceFile(file={"name": self.mark, "media_type": "text/plain", "size": 10_000,
                                                      "sha256": "0" * 64, "note": self.mark})
        self.manager.UploadEvidenceFile(id=begun.id, data=base64.b64encode(self.mark.encode()).decode())
        self.manager.UpdateInput(id=self.ids["made"], input={"title": self.mark, "evidence": [
            {"title": self.mark, "file_id": self.file.id}]}, update_mask="evidence")

    def intake(self):
        form = self.manager.CreateIntakeForm(form={
            "title": self.mark, "introduction": self.mark, "purpose": "INTAKE_PURPOSE_SURVEY", "channel": self.mark,
            "interested_party": self.mark, "questions": [{"key": "why", "text": self.mark, "type": "TYPE_TEXT"}]})
        token = self.manager.IssueIntakeToken(form_id=form.id, name=self.mark)
        self.outside = Caller(token.intake_token, member=token.token.id)
        self.outside.SubmitIntake(answers=[{"key": "why", "text": self.mark}], contact=self.mark)

    def contributions(self):
        wanted = {"assignee_id": self.manager.member, "due_date": story.day(9), "agenda_item": "risks",
                  "note": self.mark}
        delivered, withdrawn = self.manager.CreateContributions(contributions=[wanted, wanted]).contributions
        self.manager.DeliverContribution(id=delivered.id, nothing_reason=self.mark)
        self.manager.WithdrawContribution(id=withdrawn.id, reason=self.mark)

    def schemes(self):
        names = [f"{self.mark} {n}" for n in range(3)]
        self.manager.UpdateRiskScheme(scheme={"likelihoods": names, "impacts": names, "appetite": 4, "bands": [
            {"name": self.mark, "from_level": 1}], "description": self.mark})
        self.manager.UpdateImprovementScheme(scheme={"criteria": [{"key": "benefit", "name": self.mark,
                                                                   "weight": 100}]})

    def end(self):
        platform = Caller(stack().platform_key())
        name = self.organisation.admin.GetOrganisation().name
        platform.SuspendOrganisation(id=self.organisation.id)
        platform.EraseOrganisation(id=self.organisation.id, name=name)


def tables():
    found = rows("select table_schema as schema, table_name as name from information_schema.tables "
                 "where table_type = 'BASE TABLE'")
    return sorted({f"{row['schema']}.{row['name']}" for row in found} - NOT_SEARCHED)


def holding(mark):
    """The tables with a row that has the mark: in a text, or in bytes, which are shown as hexadecimal digits."""
    assert "pg_catalog.pg_largeobject" in tables() and "core.change" in tables()
    pattern = f"{mark}|{mark.encode().hex()}"
    return json.loads(sql("select coalesce(json_agg(name), '[]') from (" + " union all ".join(
        f"(select '{table}' as name from {table} t where t::text ~* '{pattern}' limit 1)" for table in tables()) +
        ") found"))


def unmarked(organisation, mark):
    """Columns of the inputs' tables that can hold words and have the mark in no row of the organisation."""
    pattern = f"{mark}|{mark.encode().hex()}"
    known = {name for names in UNMARKED.values() for name in names}
    for column in rows("select c.table_name as table, c.column_name as name from information_schema.columns c "
                       "join information_schema.tables t using (table_schema, table_name) "
                       "where c.table_schema = 'inputs' and t.table_type = 'BASE TABLE' "
                       "and c.data_type in ('text', 'jsonb', 'bytea', 'ARRAY', 'tsvector')"):
        table, name = f"inputs.{column['table']}", column["name"]
        if name not in known and sql(f"select count(*) from {table} where tenant_id = '{organisation.id}' "
                                     f"and {name}::text ~* '{pattern}'") == "0":
            yield f"{table}.{name}"


def left(organisation):
    """The inputs' tables that have rows of the organisation."""
    return {table for table in tables() if table.startswith("inputs.")
            and sql(f"select count(*) from {table} where tenant_id = '{organisation.id}'") != "0"}


HASHES = "select row_id, revision, encode(content_sha256, 'hex') as hash from core.change where tenant_id = '{}'"


@pytest.fixture(scope="module")
def ended():
    marked = Marked()
    marked.holding, marked.left = set(holding(marked.mark)), left(marked.organisation)
    marked.unmarked = list(unmarked(marked.organisation, marked.mark))
    marked.log = rows(HASHES.format(marked.organisation.id))
    marked.end()
    return marked


def test_every_text_of_every_table_is_looked_for(ended):
    assert ended.unmarked == [], "give it a mark here, or say in UNMARKED why it has none"
    assert ended.left == {table for table in tables() if table.startswith("inputs.")}, "give it a row here"
    assert ended.holding >= {"core.change", "core.key", "pg_catalog.pg_largeobject", "inputs.input_text"}


def test_what_was_written_is_in_no_table_after_the_end(ended):
    assert set(holding(ended.mark)) <= {"pg_catalog.pg_largeobject"}
    assert left(ended.organisation) <= STAYS
    cleaning = Inputs(evidence_keep="1s").start()
    lease_freed("clean_evidence")
    try:
        until(lambda: left(ended.organisation) == {"inputs.evidence_file"}, 60, "the clean-up")
    finally:
        cleaning.stop()
    assert holding(ended.mark) == []


def test_that_it_was_there_is_still_in_the_log(ended):
    log = rows(HASHES.format(ended.organisation.id))
    assert all(change in log for change in ended.log) and len(log) > len(ended.log)
    until(lambda: log_holds(ended.organisation.id), what="a seal over the end")


@pytest.fixture(scope="module")
def alive():
    organisation = Organisation()
    story.record_inputs(organisation.person("ISMS_MANAGER"))
    return organisation


def tried(change, organisation):
    """The administrator's own attempt, whom neither rights nor policies hold."""
    return stack().sql(f"begin; set local app.tenant_id = '{organisation.id}'; "
                       f"{change} where tenant_id = '{organisation.id}'; rollback")


@pytest.mark.parametrize("change", [
    "update core.change set content = ''", "update core.change set content = 'Else'", "delete from core.change",
    "delete from inputs.input", "delete from inputs.party", "delete from inputs.snapshot", "delete from reviews.record",
    "delete from core.member"])
def test_while_an_organisation_lives_the_database_itself_forgets_nothing(alive, change):
    assert "are never" in tried(change, alive).stderr


@pytest.mark.parametrize("change", ["update core.change set content = 'Else'", "delete from core.change",
                                    "update core.change set content = '', actor = null", "delete from core.seal"])
def test_after_its_end_the_log_stays_what_it_was(ended, change):
    assert "are never changed" in tried(change, ended.organisation).stderr

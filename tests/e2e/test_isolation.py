"""Two organisations with the same data. For every rpc, found from the descriptors: the other organisation's ids, page
tokens and keys get what a random id gets, as every role."""

import uuid

import pytest
import story
from evidence import stored
from google.protobuf import json_format
from isms_client import Caller, Organisation, Refused, api, new_id, stack

ROLES = ("TENANT_ADMIN", "TOP_MANAGEMENT", "ISMS_MANAGER", "CONTRIBUTOR", "ACTION_OWNER", "AUDITOR")
MARK = "Zebrafink"


class World:
    """An organisation with one of everything, and the ids of it all."""

    def __init__(self, name):
        self.organisation = Organisation(name)
        self.manager, self.chair = self.organisation.person("ISMS_MANAGER"), self.organisation.person("TOP_MANAGEMENT")
        self.inputs = story.record_inputs(self.manager)
        story.measure(self.manager, self.inputs["metric"], [9, 7, 5])
        self.review = story.Review(self.manager, self.chair, title=f"Review of {name}")
        self.review.hold((f"{name} decides", f"{name} acts"))
        self.open_review = story.Review(self.manager, self.chair, programme=self.review.programme,
                                        title=f"Open of {name}")
        self.open_review.open()
        self.snapshot = self.manager.GetSnapshot(review_id=self.open_review.id)
        self.decision = self.open_review.decide(f"{name} may decide", f"{name} may act")
        self.action = self.manager.CreateAction(action={
            "title": f"Action of {name}", "owner_id": self.manager.member, "due_date": story.day(30)})
        self.imported = self.manager.CreateImport(kind="INPUT_KIND_FINDING", file_name="a.csv", source="test", columns=[
            {"column": "Title", "field": "title"}, {"column": "Id", "field": "external_id"}])
        self.party = self.manager.CreateParty(party={"name": f"Party of {name}", "needs": f"Needed by {name}"})
        self.engagement = self.manager.RecordEngagement(engagement={
            "party_id": self.party.id, "engagement_date": story.day(), "type": "TYPE_MEETING",
            "summary": f"Met {name}"})
        self.form = self.manager.CreateIntakeForm(form={
            "title": f"Form of {name}", "introduction": name, "purpose": "INTAKE_PURPOSE_SURVEY",
            "interested_party": name, "questions": [{"key": "a", "text": f"{name}?", "type": "TYPE_TEXT"}]})
        self.token = self.manager.IssueIntakeToken(form_id=self.form.id, name=f"Token of {name}")
        self.submission = Caller(self.token.intake_token).SubmitIntake(
            answers=[{"key": "a", "text": name}], contact=name).submission_id
        self.contribution = self.manager.CreateContributions(contributions=[{
            "agenda_item": "risks", "assignee_id": self.manager.member, "due_date": story.day(30),
            "note": name}]).contributions[0]
        self.evidence = stored(self.manager, name.encode() * 100, name=f"Protocol of {name}.txt")
        self.key = self.organisation.key("CONTRIBUTOR")
        self.callers = {role: self.organisation.person(role) for role in ROLES}
        self.spare = self.organisation.person("AUDITOR", "Somebody To Change")
        self.ids = sorted({self.manager.member, self.key.member, self.review.programme, self.review.id,
                           self.open_review.id, self.snapshot.id, self.decision.id, self.action.id,
                           self.evidence.id, self.imported.id,
                           self.party.id, self.engagement.id,
                           self.form.id, self.token.token.id, self.submission, self.contribution.id,
                           *(item.id for item in self.inputs.values()),
                           *(action.action_id for action in self.open_review.review.previous_actions)})

    def own(self, method, field):
        """The id of something of this organisation that fits the field."""
        if field == "id":
            if method.name.endswith("Decision"):
                return self.decision.id
            if method.name == "EraseIntakeContact":
                return self.submission
            noun = method.path.split(".")[-1].split("/")[0].removesuffix("Service")
            return {"Action": self.action.id, "Evidence": self.evidence.id,
                    "Input": self.inputs["context_issue"].id, "Import": self.imported.id,
                    "Member": self.spare.member, "Key": self.key.member, "Programme": self.review.programme,
                    "Review": self.open_review.id, "Organisation": self.organisation.id,
                    "InterestedParty": self.party.id, "Intake": self.form.id,
                    "Contribution": self.contribution.id}[noun]
        return {"owner_id": self.manager.member, "chair_id": self.chair.member, "member_id": self.manager.member,
                "preparer_id": self.manager.member, "metric_id": self.inputs["metric"].id,
                "review_id": self.open_review.id,
                "snapshot_id": self.snapshot.id, "input_id": self.inputs["context_issue"].id,
                "later_snapshot_id": self.snapshot.id,
                "action_id": self.open_review.review.previous_actions[0].action_id,
                "programme_id": self.review.programme, "party_id": self.party.id,
                "form_id": self.form.id, "token_id": self.token.token.id, "assignee_id": self.manager.member,
                "input_id": self.inputs["metric"].id, "from_member_id": self.spare.member,
                "to_member_id": self.manager.member}.get(field)


@pytest.fixture(scope="module")
def worlds():
    return World("Amsel"), World(MARK)


def id_fields(descriptor, path=(), depth=0):
    """Paths of the fields of a request that hold the id of something."""
    for field in descriptor.fields:
        if field.message_type is not None and depth < 2 and not field.message_type.GetOptions().map_entry \
                and not field.message_type.full_name.startswith("google."):
            yield from id_fields(field.message_type, path + (field,), depth + 1)
        elif field.name in ("id", "ids") or field.name.endswith("_id") or field.name.endswith("_ids"):
            if field.name not in ("request_id", "external_id") and field.type == field.TYPE_STRING:
                yield path + (field,)


def filled(descriptor, own=lambda field: None):
    """A request that passes the field rules: every required field with a plausible value, ids being the caller's
    own."""
    rules_extension = api().pool.FindExtensionByName("isms.options.v1.field")
    options_class = api().message("google.protobuf.FieldOptions")
    content = {}
    for field in descriptor.fields:
        rules = options_class.FromString(field.GetOptions().SerializeToString()).Extensions[rules_extension]
        needed = rules.required and not rules.output_only
        if field.full_name == "isms.inputs.v1.Input.context_issue":
            needed = True
        if not needed:
            continue
        if field.message_type is not None and field.message_type.full_name == "google.protobuf.Timestamp":
            value = "2026-01-01T00:00:00Z"
        elif field.full_name == "isms.inputs.v1.EvidenceFile.media_type":
            value = "text/plain"
        elif field.message_type is not None:
            value = filled(field.message_type, own)
        elif field.enum_type is not None:
            value = field.enum_type.values[2 if len(field.enum_type.values) > 2 else 1].name
        elif field.type == field.TYPE_STRING:
            value = own(field.name) or {1: new_id(), 2: "2026-01-01", 4: "UTC", 6: "0" * 64}.get(
                rules.format, "1" if field.name == "etag" else "title")
        elif field.type == field.TYPE_BYTES:
            value = "YQ=="
        else:
            value = 1
        content[field.name] = [value] if field.label == field.LABEL_REPEATED else value
    if descriptor.full_name == "isms.inputs.v1.CreateImportRequest":
        content |= {"source": "title", "columns": [{"column": "Value", "field": "value"},
                                                   {"column": "Time", "field": "observed_time"}]}
    if descriptor.full_name == "isms.inputs.v1.ImportProfile":
        content |= {"name": new_id()}  # unique
    if descriptor.full_name == "isms.inputs.v1.IntakeQuestion":
        content |= {"type": "TYPE_TEXT"}
    if descriptor.full_name == "isms.inputs.v1.Input":
        content |= {"source": "isolation", "external_id": "1"}
    return content


def with_id(world, method, path, value):
    request = json_format.ParseDict(filled(method.request.DESCRIPTOR, lambda field: world.own(method, field)),
                                    method.request())
    holder = request
    for field in path[:-1]:
        if field.label != field.LABEL_REPEATED and not holder.HasField(field.name):
            json_format.ParseDict(filled(field.message_type), getattr(holder, field.name))
        holder = getattr(holder, field.name)
        if field.label == field.LABEL_REPEATED:
            if not len(holder):
                json_format.ParseDict(filled(field.message_type), holder.add())
            holder = holder[0]
    last = path[-1]
    if last.label == last.LABEL_REPEATED:
        del getattr(holder, last.name)[:]
        getattr(holder, last.name).append(value)
    else:
        setattr(holder, last.name, value)
    if last.name == "file_id":
        holder.sha256 = "0" * 64
    if last.full_name == "isms.inputs.v1.RiskImpact.risk_ids":
        holder.disposition = holder.DISPOSITION_RISK_CHANGED
    if method.name == "CompleteAction" and last.name == "file_id":  # each can be completed once
        request.id = world.manager.CreateAction(action={
            "title": "To complete", "owner_id": world.manager.member, "due_date": story.day(30)}).id
    if method.name == "CreateInput":
        request.input.external_id = new_id()
    if method.name == "CreateParty":
        request.party.name = new_id()
    if method.name == "BatchUpsertInputs":
        request.inputs[0].external_id = ".".join(field.name for field in path)
    if method.rules.write:
        request.request_id = new_id()
    return request


def answer(caller, method, request):
    """What the caller learns: everything but what differs between any two calls."""
    try:
        response = caller.call(method, request)
    except Refused as refused:
        facts = {key: value for key, value in refused.facts.items() if key not in ("trace_id", "request_id")}
        return (refused.code.name, refused.reason, refused.text, tuple(sorted(facts.items())),
                tuple(sorted(refused.fields.items())))
    return "OK", response


def methods_with_ids():
    for path, method in sorted(api().methods.items()):
        for field in id_fields(method.request.DESCRIPTOR):
            yield pytest.param(method, field, id=f"{method.name}:{'.'.join(part.name for part in field)}")


@pytest.mark.parametrize("method, field", methods_with_ids())
def test_other_organisations_ids_are_answered_as_ids_that_do_not_exist(worlds, method, field):
    ours, theirs = worlds
    for role in ROLES:
        caller = ours.callers[role]
        unknown = answer(caller, method, with_id(ours, method, field, str(uuid.uuid4())))
        assert unknown[1] not in ("FIELD_INVALID", "MESSAGE_MALFORMED"), \
            f"the request is refused before its ids count: {unknown}"
        # What is accepted unseen (an id that another service's rows have) need not be written for every id.
        tried = theirs.ids[:3] if unknown[0] == "OK" and method.rules.write else theirs.ids
        for their_id in tried:
            got = answer(caller, method, with_id(ours, method, field, their_id))
            if unknown[0] == "OK":
                # An id that is only stored or filtered by: accepted alike, and nothing of theirs comes back.
                assert got[0] == "OK", (role, got)
                assert MARK not in str(got[1]), role
            else:
                assert got == unknown, (role, their_id)


def test_every_method_takes_part():
    """A method without an id is covered by the lists and by the marks; name the ones that are, so that a new one is
    noticed."""
    without = {method.name for method in api().methods.values()
               if not any(True for _ in id_fields(method.request.DESCRIPTOR))}
    assert without <= {
        "GetSelf", "GetOrganisation", "UpdateOrganisation", "CreateOrganisation", "ListOrganisations", "ListMembers",
        "ListKeys", "CreateKey", "ListProgrammes", "CreateProgramme", "GetDashboard", "ListSeals",
        "GetInputTrend", "ExportOrganisation", "ExportInputs", "ExportActions", "UpdateImport", "GetQualityFigures",
        "GetInputFigures", "ListEvidenceFiles", "GetActionFigures", "ListMetricTrends", "GetRiskScheme",
        "UpdateRiskScheme", "ListImportProfiles",
        "GetImprovementScheme", "UpdateImprovementScheme", "ListIntakeForms", "GetIntakeFormForSubmission",
        "SubmitIntake"}, without


@pytest.mark.parametrize("method", [pytest.param(m, id=m.name) for m in sorted(api().methods.values(), key=repr)
                                    if m.name.startswith("List")])
def test_lists_hold_nothing_of_others_and_their_page_tokens_are_refused(worlds, method):
    ours, theirs = worlds
    parent = {"metric_id": "metric", "review_id": "review", "action_id": "action", "party_id": "party",
              "form_id": "form"}

    def request(world, **more):
        fields = {"page_size": 1, **more}
        for field in method.request.DESCRIPTOR.fields:
            if field.name in parent and (field.name != "review_id" or
                                         method.name not in ("ListActions", "ListContributions")):
                fields[field.name] = {"metric_id": world.inputs["metric"].id, "review_id": world.review.id,
                                      "action_id": world.action.id, "party_id": world.party.id,
                                      "form_id": world.form.id}[field.name]
        content = {**filled(method.request.DESCRIPTOR), **fields}
        if not any(field.name == "page_size" for field in method.request.DESCRIPTOR.fields):
            content.pop("page_size", None)
        return json_format.ParseDict(content, method.request())

    for role in ROLES:
        got = answer(ours.callers[role], method, request(ours))
        assert MARK not in str(got), role
        foreign = answer(ours.callers[role], method, request(theirs))
        assert MARK not in str(foreign), role
        token = ""
        try:
            token = theirs.callers[role].call(method, request(theirs)).next_page_token
        except (Refused, AttributeError):
            continue
        if token:
            same = answer(ours.callers[role], method, request(ours, page_token=token))
            random = answer(ours.callers[role], method, request(ours, page_token="AAAA" + token[4:]))
            assert same == random and same[1] == "PAGE_TOKEN_INVALID", (role, same, random)


@pytest.mark.parametrize("method", [pytest.param(m, id=m.name) for m in sorted(api().methods.values(), key=repr)
                                    if m.streams])
def test_streams_hold_nothing_of_others(worlds, method):
    ours, theirs = worlds
    request = json_format.ParseDict(filled(method.request.DESCRIPTOR, lambda field: ours.own(method, field)),
                                    method.request())
    answered = []
    for role in ROLES:
        code, *parts = answer(ours.callers[role], method, request)
        answered += [role] if code == "OK" else []
        for foreign in (MARK, theirs.organisation.id):
            assert foreign not in str(parts), role
    assert answered, "somebody may read it"


def test_a_credential_belongs_to_its_organisation(worlds):
    ours, theirs = worlds
    their_key = theirs.organisation.key("TENANT_ADMIN").credential
    prefix, tenant, key, secret = their_key.split("_", 3)
    forged = "_".join((prefix, ours.organisation.id.replace("-", ""), key, secret))
    unknown = "_".join((prefix, uuid.uuid4().hex, key, secret))
    method = api().by_name["ListMembers"]
    got = answer(Caller(forged), method, method.request())
    assert got[:2] == ("UNAUTHENTICATED", "CREDENTIAL_INVALID")
    assert got == answer(Caller(unknown), method, method.request())
    stranger = answer(Caller(stack().token("somebody", ours.organisation.id)), method, method.request())
    assert stranger[0] == "PERMISSION_DENIED"
    assert stranger == answer(Caller(stack().token("somebody", str(uuid.uuid4()))), method, method.request())


def test_internal_methods_are_not_for_anybody(worlds):
    ours, _ = worlds
    for method in api().methods.values():
        if not method.rules.internal:
            continue
        for role in ROLES:
            request = json_format.ParseDict(filled(method.request.DESCRIPTOR), method.request())
            got = answer(ours.callers[role], method, request)
            assert got[0] in ("PERMISSION_DENIED", "UNIMPLEMENTED"), (method, role, got)


def test_logs_and_metrics_name_no_data(worlds):
    _, theirs = worlds
    secret = theirs.key.credential.split("_", 3)[3]
    for service in ("inputs", "actions", "reviews", "reporting"):
        log = (stack().folder / "log" / f"{service}.log").read_text(errors="replace")
        metrics = stack().admin(service, "/metrics")
        for text in (log, metrics):
            assert MARK not in text
            assert secret not in text
        assert theirs.organisation.id not in metrics

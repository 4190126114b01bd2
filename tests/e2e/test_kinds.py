"""Every kind of input: what goes in comes out, field by field; and what does not fit together is refused by name."""

import datetime
import zoneinfo

import pytest
import story
from isms_client import Organisation, Refused, api, as_dict, new_id

FIELD_RULES, FIELD_OPTIONS = "isms.options.v1.field", "google.protobuf.FieldOptions"
UUID, DATE = 1, 2  # isms.options.v1.Format

DETAIL = api().message("isms.inputs.v1.Input").DESCRIPTOR.oneofs_by_name["detail"].fields
KINDS = [field.name for field in DETAIL]


@pytest.fixture(scope="module")
def manager():
    return Organisation("Kinds GmbH").person("ISMS_MANAGER")


@pytest.fixture(scope="module")
def ids(manager):
    """What the references may name: an input of each kind, and an interested party."""
    made = {kind: item.id for kind, item in story.record_inputs(manager).items()}
    made["party"] = manager.CreateParty(party={"name": "Drivers"}).id
    return made


def rules_of(field):
    options = api().message(FIELD_OPTIONS).FromString(field.GetOptions().SerializeToString())
    return options.Extensions[api().pool.FindExtensionByName(FIELD_RULES)]


def inputs_of(descriptor):
    """The fields that a client may set."""
    return [field for field in descriptor.fields if not rules_of(field).output_only]


def value_of(field, ids):
    """A value of the field's own, within its rules."""
    rules, name = rules_of(field), field.name
    if field.message_type is not None and field.message_type.full_name == "google.protobuf.Timestamp":
        return f"2026-03-0{field.number}T08:00:00Z"
    if field.message_type is not None:
        return {inner.name: wrapped(inner, ids) for inner in inputs_of(field.message_type)}
    if field.enum_type is not None:
        return field.enum_type.values[-1].name
    if field.type == field.TYPE_STRING:
        if rules.format == UUID:
            return ids.get(name.rsplit("_", 1)[0], new_id())
        if rules.format == DATE:
            return f"2026-02-{field.number:02}"
        own = f"{name} – ünï".ljust(min(rules.max_length, 60), "x")
        return {"currency": "EUR", "criterion": "benefit"}.get(name, own)
    if field.type == field.TYPE_INT64:
        return str(field.number)  # as JSON has it
    return True if field.type == field.TYPE_BOOL else field.number


def wrapped(field, ids):
    value = value_of(field, ids)
    return [value] if field.label == field.LABEL_REPEATED else value


# What a field's own rules do not know.
FITTING = {
    "nonconformity": lambda ids: {"origin_id": ids["incident"], "recurrence_of_id": ids["nonconformity"]},
    "metric": lambda ids: {"polarity": "POLARITY_LOWER_IS_BETTER", "thresholds": {"warning": 3.5, "critical": 8},
                           "target": {"operator": "OPERATOR_BETWEEN", "value": -1.5, "upper": 2, "text": "or so"}},
    "control": lambda ids: {"score": 2.5, "target_score": 4, "maximum_score": 5},
    "compliance": lambda ids: {"score": 2.5, "target_score": 4, "maximum_score": 5},
    "training": lambda ids: {"invited": 120, "completed": 100, "passed": 99},
    "risk": lambda ids: {"inherent": {"likelihood": 5, "impact": 4, "level": 20},
                         "current": {"likelihood": 3, "impact": 4, "level": 12},
                         "residual": {"likelihood": 2, "impact": 4, "level": 8},
                         "target": {"likelihood": 1, "impact": 4, "level": 4}},
    "treatment": lambda ids: {"percent_complete": 40},
}
COMPUTED = {
    "risk": {"inherent": {"band": "Critical"}, "current": {"band": "High"}, "residual": {"band": "Medium"},
             "target": {"band": "Low"}, "above_appetite": True},
    "improvement": {"score": 0.6},  # two points of benefit, which weighs 30 %
}


def whole(kind, ids):
    """An input with every field of the kind set."""
    field = next(field for field in DETAIL if field.name == kind)
    return {**value_of(field, ids), **FITTING.get(kind, lambda ids: {})(ids)}


def merged(given, computed):
    return {**given, **{name: merged(given.get(name, {}), value) if isinstance(value, dict) else value
                        for name, value in computed.items()}}


def unset(descriptor, content, path=""):
    """Paths of the fields that a client may set, and that are not."""
    for field in inputs_of(descriptor):
        value = content.get(field.name)
        if value in (None, "", 0, []):
            yield path + field.name
        elif field.message_type is not None and field.message_type.full_name != "google.protobuf.Timestamp":
            for item in value if isinstance(value, list) else [value]:
                yield from unset(field.message_type, item, f"{path}{field.name}.")


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_kind_comes_out_as_it_went_in(manager, ids, kind):
    detail = whole(kind, ids)
    assert not list(unset(next(field for field in DETAIL if field.name == kind).message_type, detail))
    made = manager.CreateInput(input={"title": f"A {kind}", kind: detail})
    expected = merged(detail, COMPUTED.get(kind, {}))
    assert as_dict(made)[kind] == expected
    read = manager.GetInput(id=made.id)
    assert read == made and read.kind == KINDS.index(kind) + 1
    again = manager.UpdateInput(id=made.id, input={"title": f"A {kind}", kind: as_dict(read)[kind]})
    assert as_dict(again)[kind] == expected, "what was read can be sent back"


def test_every_common_field_comes_out_as_it_went_in(manager, ids):
    given = {"title": "All of it", "summary": "Summary", "owner_id": manager.member, "owner_name": "As the source says",
             "source": "tests", "external_id": "1", "severity": "SEVERITY_HIGH", "state": "INPUT_STATE_CLOSED",
             "effective_date": "2026-01-01", "due_date": "2026-03-01", "closed_date": "2026-01-01",
             "labels": ["a", "b"], "related_ids": [ids["audit"], ids["risk"]],
             "evidence": [{"title": "E", "uri": "https://example.com/1"}],
             "risk_impact": {"disposition": "DISPOSITION_RISK_CHANGED", "note": "Likelier",
                             "assessed_date": "2026-01-02", "risk_ids": [ids["risk"]]},
             "context_issue": {"origin": "ORIGIN_INTERNAL"}}
    made = as_dict(manager.CreateInput(input=given))
    assert {name: made[name] for name in given if name != "evidence"} == \
        {name: value for name, value in given.items() if name != "evidence"}
    assert made["evidence"][0].items() >= given["evidence"][0].items()


# At any time one of them has another day than UTC.
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_what_is_closed_without_a_day_is_closed_today_where_the_organisation_is(zone):
    def today():
        return str(datetime.datetime.now(zoneinfo.ZoneInfo(zone)).date())

    organisation = Organisation()
    organisation.admin.UpdateOrganisation(organisation={"time_zone": zone}, update_mask="timeZone")
    manager, before = organisation.person("ISMS_MANAGER"), today()
    content = {"title": "T", "state": "INPUT_STATE_CLOSED", "effective_date": before, "nonconformity": {}}
    source = {"source": "tests", "external_id": "1"}
    open_one = manager.CreateInput(input={**content, "state": "INPUT_STATE_OPEN"})
    closed = [manager.CreateInput(input=content), manager.UpdateInput(id=open_one.id, input=content),
              manager.BatchUpsertInputs(inputs=[{**content, **source}]).results[0].input]
    assert {one.closed_date for one in closed} <= {before, today()}


# Values that the rest of the whole input does not fit; each has a test of its own below.
DEPENDENT = {"metric.polarity"}


def enum_values():
    for kind in DETAIL:
        for field in inputs_of(kind.message_type):
            if field.enum_type is not None and f"{kind.name}.{field.name}" not in DEPENDENT:
                for value in field.enum_type.values:
                    if value.number or not rules_of(field).required:
                        yield pytest.param(kind.name, field.name, value.name, id=f"{kind.name}.{value.name}")


@pytest.mark.parametrize("kind, field, value", enum_values())
def test_every_choice_comes_out_as_it_went_in(manager, ids, kind, field, value):
    made = manager.CreateInput(input={"title": "T", kind: {**whole(kind, ids), field: value}})
    descriptor = getattr(made, kind).DESCRIPTOR.fields_by_name[field].enum_type
    assert descriptor.values_by_number[getattr(getattr(made, kind), field)].name == value


def test_nothing_but_what_is_required_has_to_be_there(manager):
    """Not assessed, not tested, not scored: each kind exists before anybody has looked at it."""
    needed = {"context_issue": {"origin": "ORIGIN_EXTERNAL"}, "requirement": {"interested_party": "Customers"},
              "metric": {"unit": "h", "polarity": "POLARITY_IN_RANGE_IS_BETTER", "frequency": "FREQUENCY_IRREGULAR"},
              "control": {"reference": "A.5.1"}, "audit": {"type": "TYPE_OTHER"},
              "compliance": {"framework": "F", "reference": "R"}, "feedback": {"interested_party": "Staff"},
              "resource": {"type": "TYPE_OTHER"}}
    for kind in KINDS:
        assert manager.CreateInput(input={"title": "T", kind: needed.get(kind, {})}).revision == 1


# --- what the fields have to do with each other -----------------------------------------------------------------

METRIC = {"unit": "h", "polarity": "POLARITY_LOWER_IS_BETTER", "frequency": "FREQUENCY_MONTHLY"}
CONTROL = {"reference": "A.8.13"}
COMPLIANCE = {"framework": "ISO/IEC 27001:2022", "reference": "A.5.7"}
RESOURCE = {"type": "TYPE_BUDGET"}
EUR, DEBT = {"currency": "EUR", "hundredths": 100}, {"currency": "EUR", "hundredths": -1}


def target(**fields):
    return {**METRIC, "target": fields}


def thresholds(polarity, warning, critical):
    return {**METRIC, "polarity": f"POLARITY_{polarity}", "thresholds": {"warning": warning, "critical": critical}}


# what a user does wrong: (what is sent of the input, the field, words of what they are told)
WRONG = {
    "closed before it began": ({"effective_date": "2026-02-02", "state": "INPUT_STATE_CLOSED",
                                "closed_date": "2026-02-01", "audit": {"type": "TYPE_INTERNAL"}},
                               "closed_date", "before the effective_date, 2026-02-02"),
    "no impact without why": ({"risk_impact": {"disposition": "DISPOSITION_NO_IMPACT"},
                               "context_issue": {"origin": "ORIGIN_EXTERNAL"}}, "risk_impact.note", "say why"),
    "a risk changed, and which": ({"risk_impact": {"disposition": "DISPOSITION_RISK_CHANGED"},
                                   "context_issue": {"origin": "ORIGIN_EXTERNAL"}},
                                  "risk_impact.risk_ids", "name the risks"),
    "a risk added, and which": ({"risk_impact": {"disposition": "DISPOSITION_RISK_ADDED"},
                                 "feedback": {"interested_party": "Staff"}}, "risk_impact.risk_ids", "RISK_ADDED"),
    "no impact, on this risk": ({"risk_impact": {"disposition": "DISPOSITION_NO_IMPACT", "note": "None",
                                                 "risk_ids": [new_id()]}, "requirement": {"interested_party": "P"}},
                                "risk_impact.risk_ids", "NO_IMPACT"),
    "a risk, and nothing said of it": ({"risk_impact": {"risk_ids": [new_id()]},
                                        "context_issue": {"origin": "ORIGIN_EXTERNAL"}},
                                       "risk_impact.risk_ids", "nothing"),
    "a requirement of nobody": ({"requirement": {}}, "requirement.interested_party", "party_id"),
    "feedback of nobody": ({"feedback": {"channel": "Survey"}}, "feedback.interested_party", "party_id"),
    "another method without its name": ({"nonconformity": {"cause": {"method": "CAUSE_METHOD_OTHER"}}},
                                        "nonconformity.cause.method_name", "is required"),
    "a name for a method that has one": ({"finding": {"cause": {"method": "CAUSE_METHOD_FMEA", "method_name": "M"}}},
                                         "finding.cause.method_name", "leave it out"),
    "a name for no method": ({"incident": {"cause": {"method_name": "M"}}}, "incident.cause.method_name", "OTHER"),
    "effective since no day": ({"nonconformity": {"effectiveness": "EFFECTIVENESS_EFFECTIVE"}},
                               "nonconformity.effectiveness_date", "the day it was verified"),
    "not effective since no day": ({"nonconformity": {"effectiveness": "EFFECTIVENESS_NOT_EFFECTIVE"}},
                                   "nonconformity.effectiveness_date", "is required"),
    "detected before it occurred": ({"incident": {"occurred_time": "2026-01-02T00:00:00Z",
                                                  "detected_time": "2026-01-01T23:59:59.999Z"}},
                                    "incident.detected_time", "before the occurred_time"),
    "resolved before it was contained": ({"incident": {"occurred_time": "2026-01-01T00:00:00Z",
                                                       "contained_time": "2026-01-03T00:00:00Z",
                                                       "resolved_time": "2026-01-02T00:00:00Z"}},
                                         "incident.resolved_time", "before the contained_time"),
    "resolved before it occurred": ({"incident": {"occurred_time": "2026-01-01T00:00:00Z",
                                                  "resolved_time": "2025-12-31T00:00:00Z"}},
                                    "incident.resolved_time", "before the occurred_time"),
    "a target in no words": ({"metric": target(operator="OPERATOR_TEXT")}, "metric.target.text", "in words"),
    "a range that ends before it begins": ({"metric": target(operator="OPERATOR_BETWEEN", value=5, upper=4)},
                                           "metric.target.upper", "lower bound"),
    "a range without its end": ({"metric": target(operator="OPERATOR_BETWEEN", value=5)},
                                "metric.target.upper", "lower bound"),
    "an upper bound of no range": ({"metric": target(operator="OPERATOR_AT_MOST", value=5, upper=9)},
                                   "metric.target.upper", "BETWEEN"),
    "critical on the good side, higher": ({"metric": thresholds("HIGHER_IS_BETTER", 90, 95)},
                                          "metric.thresholds.critical", "lies below"),
    "critical on the good side, lower": ({"metric": thresholds("LOWER_IS_BETTER", 10, 5)},
                                         "metric.thresholds.critical", "lies above"),
    "critical nearer than warning": ({"metric": thresholds("IN_RANGE_IS_BETTER", 10, 5)},
                                     "metric.thresholds.critical", "distances"),
    "a negative distance": ({"metric": thresholds("IN_RANGE_IS_BETTER", -1, 5)},
                            "metric.thresholds.warning", "distance"),
    "a control's verdict of no day": ({"control": {**CONTROL, "design": "VERDICT_EFFECTIVE"}},
                                      "control.tested_date", "the day of the test"),
    "a control's operation of no day": ({"control": {**CONTROL, "operation": "VERDICT_INEFFECTIVE"}},
                                        "control.tested_date", "is required"),
    "a control's score of nothing": ({"control": {**CONTROL, "score": 3}}, "control.maximum_score", "with a score"),
    "a control's score beyond the best": ({"control": {**CONTROL, "score": 6, "maximum_score": 5}},
                                          "control.score", "above"),
    "a control's target beyond the best": ({"control": {**CONTROL, "target_score": 6, "maximum_score": 5}},
                                           "control.target_score", "above"),
    "more came than were invited": ({"training": {"invited": 5, "completed": 6}}, "training.completed", "invited"),
    "somebody came uninvited": ({"training": {"completed": 1}}, "training.completed", "invited"),
    "more passed than came": ({"training": {"invited": 9, "completed": 5, "passed": 6}},
                              "training.passed", "completed"),
    "compliant since no day": ({"compliance": {**COMPLIANCE, "status": "STATUS_COMPLIANT"}},
                               "compliance.assessed_date", "the day of the assessment"),
    "not applicable without why": ({"compliance": {**COMPLIANCE, "status": "STATUS_NOT_APPLICABLE",
                                                   "assessed_date": "2026-01-01"}}, "compliance.gap", "say why"),
    "compliance beyond the best": ({"compliance": {**COMPLIANCE, "score": 6, "maximum_score": 5}},
                                   "compliance.score", "above"),
    "accepted without a reason": ({"risk": {"response": "RISK_RESPONSE_ACCEPT"}}, "risk.rationale", "acceptable"),
    "impact without likelihood": ({"risk": {"current": {"impact": 3}}}, "risk.current.likelihood", "5 × 5"),
    "likelihood without impact": ({"risk": {"residual": {"likelihood": 3}}}, "risk.residual.impact", "5 × 5"),
    "a level off the matrix": ({"risk": {"target": {"level": 3}}}, "risk.target.likelihood", "is required"),
    "a likelihood beyond the matrix": ({"risk": {"inherent": {"likelihood": 6, "impact": 1}}},
                                       "risk.inherent.likelihood", "is 6, and the matrix has 5"),
    "an impact beyond the matrix": ({"risk": {"inherent": {"likelihood": 1, "impact": 6}}},
                                    "risk.inherent.impact", "is 6, and the matrix has 5"),
    "a level that is not the product": ({"risk": {"current": {"likelihood": 3, "impact": 4, "level": 13}}},
                                        "risk.current.level", "3 × 4 is 12"),
    "an appetite beyond the scale": ({"risk": {"appetite": 26}}, "risk.appetite", "25"),
    "a treatment that pays": ({"treatment": {"cost": DEBT}}, "treatment.cost.hundredths", "negative"),
    "an improvement that pays": ({"improvement": {"cost": DEBT}}, "improvement.cost.hundredths", "negative"),
    "a criterion that there is not": ({"improvement": {"scores": [{"criterion": "benefit", "score": 1},
                                                                  {"criterion": "beauty", "score": 1}]}},
                                      "improvement.scores[1].criterion", "GetImprovementScheme"),
    "a criterion twice": ({"improvement": {"scores": [{"criterion": "benefit", "score": 1},
                                                      {"criterion": "benefit", "score": 2}]}},
                          "improvement.scores[1].criterion", "twice"),
    "a negative budget": ({"resource": {**RESOURCE, "planned": DEBT}}, "resource.planned.hundredths", "negative"),
    "negative spending": ({"resource": {**RESOURCE, "used": DEBT}}, "resource.used.hundredths", "negative"),
    "spent in another currency": ({"resource": {**RESOURCE, "planned": EUR,
                                                "used": {"currency": "SEK", "hundredths": 100}}},
                                  "resource.used.currency", "planned"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_together_is_refused_by_field(manager, what):
    content, field, words = WRONG[what]
    content = {"title": "T", **content}
    with pytest.raises(Refused) as refused:
        manager.CreateInput(input=content)
    assert (refused.value.code.name, refused.value.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert list(refused.value.fields) == [f"input.{field}"]
    assert words in refused.value.fields[f"input.{field}"]


def test_bad_input_of_each_kind_has_a_test():
    """By a rule among its fields, by one of a field, or by what it may refer to."""
    ruled = {name for content, _, _ in WRONG.values() for name in content if name in KINDS}
    referring = {path.split(".")[0] for path, _, _ in REFERENCES}
    assert set(KINDS) - ruled - referring == set(BY_THE_PROTO_ALONE)


BY_THE_PROTO_ALONE = {"policy": {"version": "x" * 51}}


@pytest.mark.parametrize("kind", BY_THE_PROTO_ALONE)
def test_what_only_the_proto_judges_is_refused_by_field(manager, kind):
    with pytest.raises(Refused) as refused:
        manager.CreateInput(input={"title": "T", kind: BY_THE_PROTO_ALONE[kind]})
    (name,) = BY_THE_PROTO_ALONE[kind]
    assert list(refused.value.fields) == [f"input.{kind}.{name}"]


def test_an_update_is_judged_by_what_comes_of_it(manager):
    made = manager.CreateInput(input={"title": "T", "training": {"invited": 10, "completed": 8}})
    with pytest.raises(Refused) as refused:
        manager.UpdateInput(id=made.id, input={"training": {"invited": 7}}, update_mask="training.invited")
    assert list(refused.value.fields) == ["input.training.completed"]
    assert manager.GetInput(id=made.id) == made
    both = manager.UpdateInput(id=made.id, input={"training": {"invited": 7, "completed": 7}},
                               update_mask="training.invited,training.completed")
    assert (both.training.invited, both.training.completed) == (7, 7)


# --- references ---------------------------------------------------------------------------------------------------

# field, kinds that it may name, one of the detail's own
REFERENCES = [
    ("nonconformity.origin_id", ("finding", "incident"), {}),
    ("nonconformity.recurrence_of_id", ("nonconformity",), {}),
    ("finding.audit_id", ("audit",), {}),
    ("finding.nonconformity_id", ("nonconformity",), {}),
    ("objective.metric_id", ("metric",), {}),
    ("treatment.risk_id", ("risk",), {}),
    ("outcome.improvement_id", ("improvement",), {}),
    ("outcome.metric_id", ("metric",), {}),
    ("requirement.party_id", ("party",), {}),
    ("feedback.party_id", ("party",), {}),
    ("risk_impact.risk_ids", ("risk",), {"context_issue": {"origin": "ORIGIN_EXTERNAL"},
                                         "risk_impact": {"disposition": "DISPOSITION_RISK_CHANGED"}}),
    ("audit", KINDS, {}),
]


def referring(path, to, more):
    if "." not in path:
        return {"title": "T", "related_ids": [to], path: {"type": "TYPE_INTERNAL"}}
    member, field = path.split(".")
    return {"title": "T", **more, member: {**more.get(member, {}), field: [to] if field.endswith("s") else to}}


@pytest.mark.parametrize("path, kinds, more", REFERENCES, ids=[path for path, _, _ in REFERENCES])
def test_a_reference_names_what_is_there_and_of_the_right_kind(manager, ids, path, kinds, more):
    field = path if "." in path else "related_ids"
    for kind, one in {**ids, "nobody": new_id()}.items():
        if kind in kinds:
            manager.CreateInput(input=referring(path, one, more))
            continue
        with pytest.raises(Refused) as refused:
            manager.CreateInput(input=referring(path, one, more))
        assert refused.value.reason == "REFERENCE_INVALID", kind
        assert refused.value.facts["field"] == f"input.{field}"


def test_an_owner_is_a_member(manager, ids):
    with pytest.raises(Refused) as refused:
        manager.CreateInput(input={"title": "T", "owner_id": ids["risk"], "audit": {"type": "TYPE_INTERNAL"}})
    assert (refused.value.reason, refused.value.facts["field"]) == ("REFERENCE_INVALID", "input.owner_id")


def test_a_thing_does_not_refer_to_itself(manager):
    made = manager.CreateInput(input={"title": "T", "nonconformity": {}})
    for field, content in (("related_ids", {"related_ids": [made.id]}),
                           ("nonconformity.recurrence_of_id", {"nonconformity": {"recurrence_of_id": made.id}})):
        with pytest.raises(Refused) as refused:
            manager.UpdateInput(id=made.id, input={"title": "T", "nonconformity": {}, **content})
        assert refused.value.fields == {f"input.{field}": "names the input itself"}

"""What an ISMS manager is told before a review: every check of quality.def fires where something is wrong, and none
where nothing is."""

import datetime
import re
import zoneinfo

import pytest
from isms_client import ROOT, Organisation, Refused, new_id, stack


def day(offset=0):
    """As the test organisations count days."""
    today = datetime.datetime.now(zoneinfo.ZoneInfo("Europe/Berlin")).date()
    return (today + datetime.timedelta(days=offset)).isoformat()


SEVERITY = dict(re.findall(r"^X\((\w+), (\w+),", (ROOT / "services/inputs/quality.def").read_text(), re.MULTILINE))
PERIOD = {"start_date": day(-365), "end_date": day()}
NO_IMPACT = {"disposition": "DISPOSITION_NO_IMPACT", "note": "Nothing changes"}
EVIDENCE = [{"title": "Report", "uri": "https://example.org/report"}]
AGENDA = ("context", "interested_parties", "nonconformities", "measurements", "audits", "objectives", "feedback",
          "risks", "improvement", "policy", "resources")

# Inputs of every kind that nothing is wrong with; {audit} and the like name what was made before.
SOUND = {
    "context_issue": {"detail": {"origin": "ORIGIN_EXTERNAL", "topic": "TOPIC_CLIMATE", "impact": "Floods",
                                 "effect": "EFFECT_THREAT"}, "risk_impact": NO_IMPACT},
    "requirement": {"detail": {"interested_party": "Customers", "addressing": "ADDRESSING_ADDRESSED",
                               "how_addressed": "By contract"}, "risk_impact": NO_IMPACT},
    "nonconformity": {"detail": {"grade": "GRADE_MINOR", "cause": {"description": "No owner"},
                                 "corrective_action": "Name one"}, "due_date": day(30)},
    "incident": {"detail": {"category": "phishing"}, "severity": "SEVERITY_LOW"},
    "metric": {"detail": {"unit": "hours", "polarity": "POLARITY_LOWER_IS_BETTER", "frequency": "FREQUENCY_IRREGULAR",
                          "target": {"operator": "OPERATOR_AT_MOST", "value": 10}}},
    "control": {"detail": {"reference": "A.8.16", "design": "VERDICT_EFFECTIVE", "operation": "VERDICT_EFFECTIVE",
                           "tested_date": day(-20)}, "evidence": EVIDENCE},
    "training": {"detail": {"type": "TYPE_AWARENESS", "invited": 10, "completed": 9}},
    "audit": {"detail": {"type": "TYPE_INTERNAL", "scope": "Clauses 4 to 10", "criteria": "ISO/IEC 27001:2022",
                         "auditor": "Ines Auditor", "verdict": "VERDICT_CONFORMS"}, "evidence": EVIDENCE},
    "finding": {"detail": {"audit_id": "{audit}", "grade": "GRADE_OBSERVATION", "reference": "A.8.13"}},
    "compliance": {"detail": {"framework": "NIST CSF 2.0", "reference": "DE.CM-01", "status": "STATUS_COMPLIANT",
                              "assessed_date": day(-30)}, "evidence": EVIDENCE},
    "objective": {"detail": {"measure": "Time to detect", "attainment": "ATTAINMENT_ON_TRACK"},
                  "due_date": day(90)},
    "feedback": {"detail": {"interested_party": "Staff", "sentiment": "SENTIMENT_POSITIVE"}, "risk_impact": NO_IMPACT},
    "risk": {"detail": {"inherent": {"likelihood": 4, "impact": 4}, "current": {"likelihood": 2, "impact": 4},
                        "residual": {"likelihood": 2, "impact": 3}, "target": {"likelihood": 2, "impact": 3},
                        "assessed_date": day(-10), "response": "RISK_RESPONSE_TRANSFER"}},
    "treatment": {"detail": {"risk_id": "{risk}", "percent_complete": 40}, "due_date": day(40)},
    "improvement": {"detail": {"benefit": "Fewer manual steps"}},
    "outcome": {"detail": {"verdict": "VERDICT_ACHIEVED"}},
    "policy": {"detail": {"type": "TYPE_POLICY", "status": "STATUS_IN_FORCE", "approved_by": "The CEO"},
               "due_date": day(200), "evidence": EVIDENCE},
    "resource": {"detail": {"type": "TYPE_PEOPLE", "adequacy": "ADEQUACY_ADEQUATE"}},
}


class Place:
    """An organisation with one sound input of every kind."""

    def __init__(self):
        self.organisation = Organisation("Quality")
        self.manager = self.organisation.person("ISMS_MANAGER")
        self.count, self.made = 0, {}
        for kind in SOUND:
            self.made[kind] = self.add(kind)
        self.measure(self.made["metric"], [9, 8, 7])

    def add(self, kind, detail=None, **fields):
        """A sound input with these changes; None takes a field away."""
        self.count += 1
        own = {**SOUND[kind]["detail"], **(detail or {})}
        own = {name: self.made[value[1:-1]].id if isinstance(value, str) and value.startswith("{") else value
               for name, value in own.items() if value is not None}
        if "reference" in own and "reference" not in (detail or {}):
            own["reference"] += f".{self.count}"
        content = {"title": f"Input {self.count} of a kind", "owner_id": self.manager.member,
                   "effective_date": day(-60), **{key: value for key, value in SOUND[kind].items()
                                                        if key != "detail"}, **fields, kind: own}
        return self.manager.CreateInput(input={key: value for key, value in content.items() if value is not None})

    def measure(self, metric, values, last=0, apart=20):
        """The values, `apart` days apart, the newest `last` days ago."""
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        days = [last + apart * n for n in reversed(range(len(values)))]
        return self.manager.AddMeasurements(measurements=[
            {"metric_id": metric.id, "value": value,
             "observed_time": (now - datetime.timedelta(days=ago, hours=1)).isoformat().replace("+00:00", "Z")}
            for value, ago in zip(values, days)]).measurements

    def overwrite(self, item, change, table="input"):
        """What no caller can write any more, but an earlier release, another scheme or the passing of time left."""
        done = stack().sql(f"set session_replication_role = replica; update inputs.{table} set {change} "
                           f"where id = '{item.id}'")
        assert done.returncode == 0, done.stderr
        return item

    def issues(self, caller=None, **filters):
        return list(pages(caller or self.manager, **filters))


def pages(caller, size=200, period=None, **filters):
    token = ""
    while True:
        answer = caller.CheckQuality(period=period or PERIOD, page_size=size, page_token=token, **filters)
        yield from answer.issues
        token = answer.next_page_token
        if not token:
            return


def name(issue, field="check"):
    return issue.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number[getattr(issue, field)].name


def checks(issues):
    return {name(issue).removeprefix("QUALITY_CHECK_") for issue in issues}


@pytest.fixture(scope="module")
def place():
    return Place()


def closed(days=5):
    return {"state": "INPUT_STATE_CLOSED", "closed_date": day(-days)}


def with_owner(place, state):
    member = place.organisation.person("CONTRIBUTOR", "Soon Gone")
    made = place.add("incident", owner_id=member.member)
    place.organisation.admin.UpdateMember(id=member.member, member={"state": f"MEMBER_STATE_{state}"},
                                          update_mask="state")
    return made


def deleted_reference(place):
    gone = place.add("audit")
    made = place.add("finding", {"audit_id": gone.id})
    place.manager.DeleteInput(id=gone.id)
    return made


def twins(kind, detail=None, **fields):
    def make(place):
        first = place.add(kind, detail, **fields)
        return place.add(kind, detail, **fields), first
    return make


def sources(place):
    twin = {"external_id": new_id()}
    return place.add("incident", source="jira", **twin), place.add("incident", source="sheet", **twin)


def control_with_finding(place):
    place.add("finding", {"reference": "A.5.99", "grade": "GRADE_MAJOR", "response": "Noted", "audit_id": None})
    return place.add("control", {"reference": "a.5.99"})


def audit_with_finding(place):
    audit = place.add("audit")
    place.add("finding", {"audit_id": audit.id, "grade": "GRADE_MINOR", "response": "Noted"})
    return audit


def achieved(place):
    metric = place.add("metric")
    place.measure(metric, [9, 8, 11])
    return place.add("objective", {"attainment": "ATTAINMENT_ACHIEVED", "metric_id": metric.id})


def metric(values, detail=None, **measured):
    def make(place):
        made = place.add("metric", {"frequency": "FREQUENCY_WEEKLY", **(detail or {})})
        if values:
            place.measure(made, values, **measured)
        return made
    return make


def future(place):
    made = place.add("metric")
    points = place.measure(made, [1, 2, 3])
    place.overwrite(points[0], "observed_time = now() + interval '3 days'", "measurement")
    return made


def scheme(place):
    return place.overwrite(place.add("risk"), "detail = jsonb_set(detail, '{risk,current}', "
                           "'{\"likelihood\": 6, \"impact\": 5, \"level\": 30}')")


# What makes a check fire: a kind with what is changed of the sound input, or a function that makes one (or several).
FIRES = {
    "OWNER_MISSING": ("incident", {}, {"owner_id": None}),
    "OWNER_INACTIVE": lambda place: with_owner(place, "SUSPENDED"),
    "OWNER_NOT_MEMBER": ("incident", {}, {"owner_id": None, "owner_name": "Somebody Else"}),
    "OVERDUE": ("nonconformity", {}, {"due_date": day(-2)}),
    "DUE_DATE_MISSING": ("treatment", {}, {"due_date": None}),
    "NOT_UPDATED": lambda place: place.overwrite(place.add("treatment"), "update_time = now() - interval '400 days'"),
    "DATES_CONTRADICT": ("objective", {}, {"effective_date": day(-20), "due_date": day(-30)}),
    "DAY_IN_FUTURE": lambda place: (place.add("incident", effective_date=day(3)),
                                    place.add("control", {"tested_date": day(3)}),
                                    place.add("nonconformity", closed_date=day(3), state="INPUT_STATE_CLOSED")),
    "RISK_IMPACT_NOT_ASSESSED": ("feedback", {}, {"risk_impact": None}),
    "EVIDENCE_EXPIRED": ("control", {}, {"evidence": [{**EVIDENCE[0], "expire_date": day(-2)}]}),
    "EVIDENCE_EXPIRING": ("control", {}, {"evidence": [{**EVIDENCE[0], "expire_date": day(20)}]}),
    "EVIDENCE_MISSING": ("compliance", {}, {"evidence": None}),
    "REFERENCE_DELETED": deleted_reference,
    "DUPLICATE_TITLE": twins("improvement", title="One login  for all!"),
    "DUPLICATE_REFERENCE": twins("control", {"reference": "A.7.4"}),
    "DUPLICATE_EXTERNAL_ID": sources,
    "CONTEXT_IMPACT_MISSING": ("context_issue", {"impact": None}, {}),
    "REQUIREMENT_NOT_JUDGED": ("requirement", {"addressing": None}, {}),
    "REQUIREMENT_HOW_MISSING": ("requirement", {"how_addressed": None}, {}),
    "GRADE_MISSING": ("nonconformity", {"grade": None}, {}),
    "CAUSE_MISSING": ("nonconformity", {"cause": None}, {}),
    "CORRECTIVE_ACTION_MISSING": ("nonconformity", {"corrective_action": None}, {}),
    "EFFECTIVENESS_NOT_VERIFIED": ("nonconformity", {}, {**closed(), "evidence": EVIDENCE}),
    "CLOSED_NOT_EFFECTIVE": ("nonconformity", {"effectiveness": "EFFECTIVENESS_NOT_EFFECTIVE",
                                               "effectiveness_date": day(-5)}, closed()),
    "LESSONS_MISSING": ("incident", {"cause": {"description": "A click"}}, closed()),
    "SEVERITY_MISSING": ("incident", {}, {"severity": None}),
    "METRIC_WITHOUT_POINTS": metric([]),
    "METRIC_STALE": metric([5, 6, 7], last=40, apart=7),
    "POINTS_MISSING": metric([5, 6, 7], apart=30),
    "POINTS_LATE": metric([5, 6, 7], apart=30),
    "POINTS_TOO_FEW": metric([5], {"frequency": "FREQUENCY_IRREGULAR"}),
    "TARGET_MISSING": ("metric", {"target": None}, {}),
    "VALUE_IMPLAUSIBLE": metric([99, 101, 98], {"unit": "%"}),
    "VALUE_OUTLIER": metric([10, 11, 9, 10, 12, 11, 10, 9, 99], apart=7),
    "VALUE_IN_FUTURE": future,
    "CONTROL_NOT_TESTED": ("control", {"operation": None, "design": None, "tested_date": None}, {}),
    "CONTROL_CONTRADICTS_FINDING": control_with_finding,
    "TRAINING_FIGURES_MISSING": ("training", {"invited": None, "completed": None}, {}),
    "AUDIT_CONCLUSION_MISSING": ("audit", {"verdict": None}, {}),
    "AUDIT_SCOPE_MISSING": ("audit", {"criteria": None}, {}),
    "AUDIT_CONTRADICTS_FINDING": audit_with_finding,
    "MAJOR_WITHOUT_NONCONFORMITY": ("finding", {"grade": "GRADE_MAJOR", "response": "Noted", "audit_id": None}, {}),
    "FINDING_UNANSWERED": ("finding", {"grade": "GRADE_MINOR", "audit_id": None}, {}),
    "FINDING_WITHOUT_AUDIT": ("finding", {"audit_id": None}, {}),
    "COMPLIANCE_NOT_ASSESSED": ("compliance", {"status": None, "assessed_date": None}, {}),
    "COMPLIANCE_GAP_MISSING": ("compliance", {"status": "STATUS_NOT_COMPLIANT"}, {}),
    "COMPLIANCE_CONTRADICTS_GAP": ("compliance", {"gap": "No logs"}, {}),
    "OBJECTIVE_NOT_MEASURABLE": ("objective", {"measure": None}, {}),
    "ATTAINMENT_MISSING": ("objective", {"attainment": None}, {}),
    "ATTAINMENT_PAST_DUE": ("objective", {}, {"due_date": day(-1)}),
    "ATTAINMENT_CONTRADICTS_METRIC": achieved,
    "PROGRESS_CONTRADICTS_STATE": ("treatment", {}, closed()),
    "SENTIMENT_MISSING": ("feedback", {"sentiment": None}, {}),
    "FEEDBACK_UNANSWERED": ("feedback", {"sentiment": "SENTIMENT_NEGATIVE"}, {}),
    "RISK_NOT_ASSESSED": ("risk", {"inherent": None, "current": None, "residual": None, "target": None,
                                   "assessed_date": None}, {}),
    "RISK_OUT_OF_SCHEME": scheme,
    "RISK_LEVELS_CONTRADICT": ("risk", {"residual": {"likelihood": 4, "impact": 3}}, {}),
    "RISK_ABOVE_APPETITE": ("risk", {"target": {"likelihood": 2, "impact": 5}}, {}),
    "RISK_ACCEPTED_WITHOUT_RATIONALE": lambda place: place.overwrite(
        place.add("risk"), "detail = jsonb_set(detail, '{risk,response}', '\"ACCEPT\"')"),
    "RISK_RESPONSE_MISSING": ("risk", {"current": {"likelihood": 4, "impact": 4}, "response": None}, {}),
    "RISK_WITHOUT_TREATMENT": ("risk", {"response": "RISK_RESPONSE_MITIGATE"}, {}),
    "TREATMENT_WITHOUT_RISK": ("treatment", {"risk_id": None}, {}),
    "IMPROVEMENT_NOT_WEIGHED": ("improvement", {"benefit": None}, {}),
    "OUTCOME_NOT_JUDGED": ("outcome", {"verdict": None}, {}),
    "POLICY_OVERDUE": ("policy", {}, {"due_date": day(-2)}),
    "POLICY_NOT_APPROVED": ("policy", {"approved_by": None}, {}),
    "ADEQUACY_MISSING": ("resource", {"adequacy": None}, {}),
    "RESOURCE_NEED_MISSING": ("resource", {"adequacy": "ADEQUACY_STRAINED"}, {}),
}

# Of a whole item of the agenda: what an organisation with the sound inputs lacks then.
WHOLE = ("AGENDA_ITEM_EMPTY", "OPTIONAL_ITEM_EMPTY", "CLIMATE_NOT_STATED", "NO_AUDIT", "NO_INTERNAL_AUDIT",
         "NO_RISK_ASSESSMENT")


def test_every_check_has_a_case():
    assert set(SEVERITY) == set(FIRES) | set(WHOLE)


def test_nothing_is_said_where_nothing_is_wrong():
    place = Place()
    assert [(name(issue), issue.number, issue.problem) for issue in place.issues()] == []
    figures = place.manager.GetQualityFigures(period=PERIOD).figures
    assert tuple(item.agenda_item for item in figures) == AGENDA
    for item in figures:
        assert (item.sound_percent, item.sound, item.recorded) == (100, item.inputs, item.inputs), item
        assert item.inputs > 0 and item.required == (item.agenda_item not in ("policy", "resources"))


@pytest.mark.parametrize("check", FIRES)
def test_a_check_fires_where_something_is_wrong_and_not_where_nothing_is(place, check):
    case = FIRES[check]
    made = case(place) if callable(case) else place.add(case[0], case[1], **case[2])
    made = made if isinstance(made, tuple) else (made,)
    found = place.issues(check=f"QUALITY_CHECK_{check}")
    ids = {issue.input_id for issue in found}
    assert {item.id for item in made} <= ids, [issue.problem for issue in found]
    assert not ids & {item.id for item in place.made.values()}, "one that is sound"
    for issue in found:
        assert name(issue, "severity") == f"QUALITY_SEVERITY_{SEVERITY[check]}"
        assert issue.problem.endswith(".") and issue.advice.endswith(".") and "  " not in issue.problem
    mine = next(issue for issue in found if issue.input_id == made[0].id)
    assert (mine.number, mine.title, mine.kind) == (made[0].number, made[0].title, made[0].kind)
    assert mine.agenda_item in AGENDA


def test_an_empty_organisation_lacks_every_item():
    manager = Organisation("Nothing yet").person("ISMS_MANAGER")
    issues = list(pages(manager))
    assert checks(issues) == {"AGENDA_ITEM_EMPTY", "OPTIONAL_ITEM_EMPTY", "CLIMATE_NOT_STATED", "NO_AUDIT",
                              "NO_RISK_ASSESSMENT"}
    empty = [issue.agenda_item for issue in issues if name(issue).endswith("ITEM_EMPTY")]
    assert tuple(empty) == AGENDA, "the blocking ones first, each in the order of the agenda"
    assert all(not issue.input_id and not issue.number for issue in issues)
    for item in manager.GetQualityFigures(period=PERIOD).figures:
        assert (item.inputs, item.recorded, item.sound_percent) == (0, 0, 0)
        assert item.blocking == (1 if item.required else 0)


def test_audits_without_an_internal_one_and_what_is_of_another_period():
    organisation = Organisation("Audited by others")
    manager = organisation.person("ISMS_MANAGER")
    manager.CreateInput(input={"title": "Surveillance", "effective_date": day(-20),
                               "audit": {"type": "TYPE_SURVEILLANCE"}})
    manager.CreateInput(input={"title": "Heat", "context_issue": {
        "origin": "ORIGIN_EXTERNAL", "topic": "TOPIC_CLIMATE"}})
    found = checks(pages(manager))
    assert "NO_INTERNAL_AUDIT" in found and not found & {"NO_AUDIT", "CLIMATE_NOT_STATED"}
    before = {"start_date": day(-500), "end_date": day(-400)}
    assert "NO_AUDIT" in checks(pages(manager, period=before)), "it was held later"


def test_the_list_is_ordered_complete_and_cut_where_the_caller_says(place):
    whole = place.issues()
    order = [(-issue.severity, AGENDA.index(issue.agenda_item), issue.number, issue.check, issue.field)
             for issue in whole]
    assert order == sorted(order) and len(order) == len(set(order))
    assert list(pages(place.manager, size=7)) == whole
    for item in ("risks", "measurements"):
        some = place.issues(agenda_item=item)
        assert some == [issue for issue in whole if issue.agenda_item == item]
    for severity in ("BLOCKING", "WARNING", "HINT"):
        some = place.issues(severity=f"QUALITY_SEVERITY_{severity}")
        assert some == [issue for issue in whole if name(issue, "severity").endswith(severity)]
    assert place.issues(check="QUALITY_CHECK_OVERDUE", severity="QUALITY_SEVERITY_BLOCKING") == []


def test_figures_count_what_the_list_has(place):
    whole = place.issues()
    for item in place.manager.GetQualityFigures(period=PERIOD).figures:
        of_item = [issue for issue in whole if issue.agenda_item == item.agenda_item]
        count = {severity: sum(name(issue, "severity").endswith(severity) for issue in of_item)
                 for severity in ("BLOCKING", "WARNING", "HINT")}
        assert (item.blocking, item.warnings, item.hints) == tuple(count.values())
        unsound = {issue.input_id for issue in of_item if not name(issue, "severity").endswith("HINT")}
        assert item.sound == item.inputs - len(unsound)
        assert item.sound_percent == item.sound * 100 // item.inputs


def test_a_contributor_finds_what_is_theirs():
    place = Place()
    contributor = place.organisation.person("CONTRIBUTOR")
    mine = place.add("incident", owner_id=contributor.member, severity=None)
    place.add("incident", severity=None)
    assert [issue.input_id for issue in place.issues(contributor, mine=True)] == [mine.id]
    assert [issue.input_id for issue in place.issues(owner_id=contributor.member)] == [mine.id]
    assert len(place.issues(contributor)) == 2
    for role in ("AUDITOR", "ACTION_OWNER"):
        with pytest.raises(Refused) as refused:
            place.organisation.person(role).CheckQuality(period=PERIOD)
        assert refused.value.reason == "PERMISSION_DENIED"


def test_a_day_is_the_organisations():
    """Where it is already tomorrow, what was due yesterday in UTC is overdue; where it is still today, it is not."""
    zones = ("Pacific/Kiritimati", "Pacific/Niue")  # 25 hours apart: never of one day
    found = []
    for zone in zones:
        place = Place()
        place.organisation.admin.UpdateOrganisation(organisation={"time_zone": zone}, update_mask="timeZone")
        today = datetime.datetime.now(datetime.timezone.utc)
        due = (today - datetime.timedelta(hours=11)).date().isoformat()  # today in Niue, yesterday in Kiritimati
        place.add("incident", due_date=due, effective_date=day(-60))
        found.append("OVERDUE" in checks(place.issues()))
    assert found == [True, False]


def test_what_a_review_would_not_freeze_is_not_judged(place):
    gone = place.add("incident", severity=None)
    place.manager.DeleteInput(id=gone.id)
    old = place.add("incident", severity=None, state="INPUT_STATE_CLOSED", closed_date=day(-40),
                    effective_date=day(-60))
    assert not {gone.id, old.id} & {issue.input_id for issue in place.issues(
        period={"start_date": day(-30), "end_date": day()})}
    assert old.id in {issue.input_id for issue in place.issues()}


@pytest.mark.parametrize("frequency", ("DAILY", "WEEKLY", "MONTHLY", "QUARTERLY", "HALF_YEARLY", "YEARLY"))
def test_missing_values_are_those_that_the_trend_misses(place, frequency):
    made = metric([5, 6, 7, 8], {"frequency": f"FREQUENCY_{frequency}", "grace_days": 3}, apart=61, last=50)(place)
    trend = place.manager.GetMetricTrend(metric_id=made.id, period=PERIOD)
    numbers = [int(re.search(r": (\d+) expected", issue.problem)[1])
               for issue in place.issues(agenda_item="measurements")
               if issue.input_id == made.id and name(issue).split("CHECK_")[1] in ("METRIC_STALE", "POINTS_MISSING")]
    assert sum(numbers) == trend.quality.expected_points - trend.quality.present_points
    assert numbers or frequency not in ("DAILY", "WEEKLY", "MONTHLY"), "with 61 days in between, some are missing"


def test_a_page_belongs_to_its_organisation_and_question(place):
    token = place.manager.CheckQuality(period=PERIOD, page_size=2).next_page_token
    other = Organisation("Another").person("ISMS_MANAGER")
    earlier = {**PERIOD, "start_date": day(-364)}
    for caller, question in ((other, {"period": PERIOD}), (place.manager, {"period": earlier}),
                             (place.manager, {"period": PERIOD, "mine": True}),
                             (place.manager, {"period": PERIOD, "severity": "QUALITY_SEVERITY_HINT"})):
        with pytest.raises(Refused) as refused:
            caller.CheckQuality(page_token=token, page_size=2, **question)
        assert refused.value.reason == "PAGE_TOKEN_INVALID"


def test_a_period_that_is_none_is_refused(place):
    for period, field in (({"start_date": day(), "end_date": day(-1)}, "period.end_date"),
                          ({"start_date": "1990-01-01", "end_date": day()}, "period")):
        for method in (place.manager.CheckQuality, place.manager.GetQualityFigures):
            with pytest.raises(Refused) as refused:
                method(period=period)
            assert refused.value.reason == "FIELD_INVALID" and field in refused.value.fields

"""The main job as the tests tell it: inputs are collected, a review is held, decided and signed."""

import datetime

AGENDA = ("previous_actions", "context", "interested_parties", "nonconformities", "measurements", "audits",
          "objectives", "feedback", "risks", "improvement")


def day(offset=0):
    return (datetime.date.today() + datetime.timedelta(days=offset)).isoformat()


def record_inputs(caller):
    """One input of every kind; answers {kind: Input}."""
    details = {
        "context_issue": {"origin": "ORIGIN_EXTERNAL", "topic": "TOPIC_CLIMATE",
                          "impact": "Floods near the data centre"},
        "requirement": {"interested_party": "Customers", "change": "CHANGE_NEW",
                        "addressing": "ADDRESSING_ADDRESSED"},
        "nonconformity": {"grade": "GRADE_MINOR", "clause": "8.1",
                          "cause": {"description": "No owner", "method": "CAUSE_METHOD_FIVE_WHY"}},
        "incident": {"category": "Phishing", "detected_time": day(-60) + "T08:00:00Z", "lessons_learned": "Call back"},
        "metric": {"unit": "hours", "polarity": "POLARITY_LOWER_IS_BETTER", "frequency": "FREQUENCY_MONTHLY",
                   "target": {"operator": "OPERATOR_AT_MOST", "value": 10}},
        "control": {"reference": "A.8.16", "operation": "VERDICT_EFFECTIVE", "tested_date": day(-60)},
        "training": {"type": "TYPE_AWARENESS", "invited": 80, "completed": 71},
        "audit": {"type": "TYPE_INTERNAL", "scope": "Clauses 4 to 10", "auditor": "Ines Auditor"},
        "finding": {"grade": "GRADE_OBSERVATION", "reference": "A.8.13"},
        "compliance": {"framework": "ISO/IEC 27001:2022", "reference": "A.5.7", "status": "STATUS_PARTLY_COMPLIANT",
                       "assessed_date": day(-60)},
        "objective": {"measure": "Time to detect", "target": "10 h", "attainment": "ATTAINMENT_ON_TRACK"},
        "feedback": {"interested_party": "Staff", "channel": "Survey", "sentiment": "SENTIMENT_MIXED"},
        "risk": {"inherent": {"likelihood": 4, "impact": 5}, "current": {"likelihood": 3, "impact": 4},
                 "target": {"likelihood": 2, "impact": 3}, "response": "RISK_RESPONSE_MITIGATE"},
        "treatment": {"control": "A.8.16", "percent_complete": 40},
        "improvement": {"benefit": "Fewer manual steps", "effort": "10 days",
                        "cost": {"currency": "EUR", "hundredths": 1200000}},
        "outcome": {"expected": "No mailbox in the way", "verdict": "VERDICT_ACHIEVED"},
        "policy": {"type": "TYPE_POLICY", "status": "STATUS_IN_FORCE", "version": "2.0"},
        "resource": {"type": "TYPE_PEOPLE", "adequacy": "ADEQUACY_STRAINED"},
    }
    made = {}
    for kind, detail in details.items():
        made[kind] = caller.CreateInput(input={
            "title": f"The {kind.replace('_', ' ')} – Übersicht", "severity": "SEVERITY_MEDIUM",
            "effective_date": day(-60), kind: detail})
    return made


def measure(caller, metric, values, days_apart=30):
    last = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    times = [last - datetime.timedelta(days=days_apart * n) for n in reversed(range(len(values)))]
    caller.AddMeasurements(measurements=[
        {"metric_id": metric.id, "value": value, "observed_time": time.isoformat().replace("+00:00", "Z")}
        for value, time in zip(values, times)])


class Review:
    """One review being held by `manager`, led and signed by `chair`."""

    def __init__(self, manager, chair, programme=None, title="Management review"):
        self.manager, self.chair = manager, chair
        self.programme = programme or manager.CreateProgramme(programme={
            "title": "ISMS management review", "interval_months": 6, "quorum_members": 2, "quorum_top_management": 1,
            "four_eyes": True, "decision_criteria": ["Risk reduction", "Cost"]}).id
        self.review = manager.ScheduleReview(review={
            "title": title, "programme_id": self.programme, "chair_id": chair.member, "planned_date": day(),
            "period": {"start_date": day(-365), "end_date": day()}})
        self.id = self.review.id

    def open(self):
        self.manager.PrepareReview(id=self.id)
        self.review = self.manager.OpenReview(id=self.id)
        return self.review

    def discuss(self, dispositions="DISPOSITION_CONTINUE"):
        self.manager.RecordAttendance(id=self.id, attendance=[
            {"member_id": self.chair.member, "present": True, "capacity": "CEO"},
            {"member_id": self.manager.member, "present": True, "capacity": "ISMS manager"}])
        for key in AGENDA:
            self.manager.RecordDiscussion(id=self.id, agenda_key=key, discussion=f"Considered: {key}.")
        for action in self.review.previous_actions:
            self.chair.RecordDisposition(id=self.id, action_id=action.action_id, disposition=dispositions,
                                         note="Noted.")
        for aspect in ("SUITABILITY", "ADEQUACY", "EFFECTIVENESS"):
            self.chair.RecordConclusion(id=self.id, conclusion={
                "aspect": f"ASPECT_{aspect}", "verdict": "VERDICT_YES", "reasons": f"{aspect.title()} was shown."})

    def decide(self, title, *actions, kind="DECISION_KIND_IMPROVEMENT"):
        return self.chair.RecordDecision(review_id=self.id, decision={
            "kind": kind, "title": title, "rationale": "Because the trend asks for it.",
            "owner_id": self.manager.member, "due_date": day(90), "actions": [
                {"title": name, "owner_id": self.manager.member, "due_date": day(60),
                 "priority": "ACTION_PRIORITY_HIGH"} for name in actions]})

    def minutes(self):
        return self.manager.DraftMinutes(id=self.id, minutes="The chair opened the meeting. …",
                                         next_review_date=day(180))

    def sign(self, signer=None):
        etag = self.manager.GetReview(id=self.id).etag
        self.review = (signer or self.chair).SignReview(id=self.id, etag=etag)
        return self.review

    def hold(self, *decisions):
        """From PLANNED to SIGNED; decisions are (title, action title…)."""
        self.open()
        self.discuss()
        for title, *actions in decisions:
            self.decide(title, *actions)
        self.minutes()
        return self.sign()

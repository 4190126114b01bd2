"""Forms for people who are not members: a token fills one form in and can do nothing else, a flood through one leaves
members served, and who asks to be forgotten is."""

import concurrent.futures
import datetime
import uuid

import pytest
from hostile import refusal
from isms_client import Caller, Organisation, Refused, api, as_dict, new_id, stack, until
from test_credentials import METHODS, valid
from test_limits import details, limits_set, retry_delay

QUESTIONS = [
    {"key": "why", "text": "What could be better?", "type": "TYPE_TEXT"},
    {"key": "again", "text": "Would you choose us again?", "type": "TYPE_CHOICE", "choices": ["Yes", "No"]},
    {"key": "how_well", "text": "How safe is your data with us? (0: not at all, 10: entirely)", "type": "TYPE_SCALE",
     "scale_minimum": 0, "scale_maximum": 10, "required": True},
]
FORM = {"title": "Customers 2026", "introduction": "We ask every customer.", "purpose": "INTAKE_PURPOSE_SURVEY",
        "interested_party": "Customers", "channel": "web survey", "language": "en", "questions": QUESTIONS}
ANSWERS = [{"key": "how_well", "scale": 0}, {"key": "why", "text": "Faster answers,\nplease <b>now</b>"},
           {"key": "again", "choice": "Yes"}]
TOKEN_MAY = {"GetIntakeFormForSubmission", "SubmitIntake"}


@pytest.fixture(scope="module")
def organisation():
    return Organisation()


@pytest.fixture
def form(manager):
    return manager.CreateIntakeForm(form=FORM)


@pytest.fixture
def outside(manager, form):
    """Somebody with the form's token."""
    return issued(manager, form)


def issued(manager, form, **fields):
    made = manager.IssueIntakeToken(form_id=form.id, name="web site", **fields)
    return Caller(made.intake_token, member=made.token.id)


def refused(call, *arguments, **fields):
    with pytest.raises(Refused) as caught:
        call(*arguments, **fields)
    return caught.value


def submission_of(manager, form, submission_id):
    return next(found for found in manager.ListIntakeSubmissions(form_id=form.id, page_size=500).submissions
                if found.id == submission_id)


def only_token(manager, form):
    tokens = manager.ListIntakeTokens(form_id=form.id).tokens
    assert len(tokens) == 1
    return tokens[0]


# --- forms -----------------------------------------------------------------------------------------------

def test_a_form_comes_back_as_it_was_made(manager, form):
    kept = as_dict(manager.GetIntakeForm(id=form.id))
    assert {**FORM, "state": "INTAKE_FORM_STATE_OPEN", "maximum_submissions": 1000, "daily_maximum": 200}.items() \
        <= {**kept, "questions": [{**{"scale_minimum": 0}, **q} if q["key"] == "how_well" else q
                                  for q in kept["questions"]]}.items()
    assert form.id in [listed.id for listed in manager.ListIntakeForms(page_size=500).forms]


WRONG_QUESTIONS = {
    "a key twice": ([QUESTIONS[0], QUESTIONS[0]], "form.questions[1].key", "key of its own"),
    "a single choice": ([{**QUESTIONS[1], "choices": ["Yes"]}], "form.questions[0].choices", "at least two"),
    "a choice twice": ([{**QUESTIONS[1], "choices": ["Yes", "No", "Yes"]}], "form.questions[0].choices", "different"),
    "choices of a text": ([{**QUESTIONS[0], "choices": ["Yes", "No"]}], "form.questions[0].choices", "CHOICE only"),
    "a scale of one": ([{**QUESTIONS[2], "scale_maximum": 0}], "form.questions[0].scale_maximum", "above"),
    "a scale of a text": ([{**QUESTIONS[0], "scale_maximum": 5}], "form.questions[0].scale_maximum", "SCALE only"),
    "no type": ([{"key": "a", "text": "A?"}], "form.questions[0].type", "required"),
    "a key with capitals": ([{**QUESTIONS[0], "key": "Why"}], "form.questions[0].key", ""),
    "too many": ([{**QUESTIONS[0], "key": f"k{n}"} for n in range(21)], "form.questions", "20"),
    "none": ([], "form.questions", "required"),
}


@pytest.mark.parametrize("what", WRONG_QUESTIONS)
def test_a_question_that_cannot_be_asked_is_named(manager, form, what):
    questions, field, words = WRONG_QUESTIONS[what]
    for call in (lambda: manager.CreateIntakeForm(form={**FORM, "questions": questions}),
                 lambda: manager.UpdateIntakeForm(id=form.id, form={**FORM, "questions": questions},
                                                  update_mask="questions")):
        wrong = refused(call)
        assert wrong.reason == "FIELD_INVALID" and list(wrong.fields) == [field] and words in wrong.fields[field]


def test_an_end_in_the_past_and_an_unknown_party_are_named(manager):
    wrong = refused(manager.CreateIntakeForm, form={**FORM, "open_until": "2020-01-01T00:00:00Z"})
    assert (wrong.reason, wrong.fields) == ("FIELD_INVALID", {"form.open_until": "must be in the future"})
    wrong = refused(manager.CreateIntakeForm, form={**FORM, "party_id": new_id()})
    assert (wrong.reason, wrong.facts["field"]) == ("REFERENCE_INVALID", "form.party_id")


def test_a_change_of_questions_leaves_what_was_answered(manager, form, outside):
    made = outside.SubmitIntake(answers=ANSWERS)
    manager.UpdateIntakeForm(id=form.id, form={"questions": [{**QUESTIONS[0], "text": "Anything else?"}]},
                             update_mask="questions")
    assert [answer.question for answer in submission_of(manager, form, made.submission_id).answers] == [
        question["text"] for question in QUESTIONS]
    assert [question.text for question in outside.GetIntakeFormForSubmission().questions] == ["Anything else?"]


def test_a_stale_etag_changes_no_form(manager, form):
    manager.UpdateIntakeForm(id=form.id, form={"title": "New", "etag": form.etag}, update_mask="title")
    assert refused(manager.UpdateIntakeForm, id=form.id, form={"title": "Newer", "etag": form.etag},
                   update_mask="title").reason == "ETAG_MISMATCH"


# --- what the token may ---------------------------------------------------------------------------------

def test_the_page_shows_the_form_and_nothing_of_the_organisation(organisation, form, outside):
    page = as_dict(outside.GetIntakeFormForSubmission())
    assert set(page) == {"title", "introduction", "language", "questions"}
    assert page["title"] == FORM["title"] and len(page["questions"]) == 3
    assert organisation.id not in str(page) and form.id not in str(page)


def test_a_submission_becomes_an_input(manager, form, outside):
    made = outside.SubmitIntake(answers=ANSWERS, contact="ada@example.com")
    kept = submission_of(manager, form, made.submission_id)
    assert (kept.form_id, kept.token_id, kept.contact) == (form.id, outside.member, "ada@example.com")
    assert [as_dict(answer) for answer in kept.answers] == [
        {"key": "why", "question": QUESTIONS[0]["text"], "text": "Faster answers,\nplease <b>now</b>"},
        {"key": "again", "question": QUESTIONS[1]["text"], "choice": "Yes"},
        {"key": "how_well", "question": QUESTIONS[2]["text"], "scale": 0}]
    became = manager.GetInput(id=kept.input_id)
    assert (became.source, became.external_id) == ("intake", made.submission_id)
    assert became.title == "Customers 2026: Faster answers,"
    assert became.summary == ("What could be better?\nFaster answers,\nplease <b>now</b>\n\n"
                              "Would you choose us again?\nYes\n\n" + QUESTIONS[2]["text"] + "\n0")
    assert (became.feedback.interested_party, became.feedback.channel) == ("Customers", "web survey")
    assert "ada@example.com" not in str(became)
    assert manager.GetIntakeForm(id=form.id).submissions == 1


@pytest.mark.parametrize("purpose, detail", [("SUGGESTION", "improvement"), ("INCIDENT_REPORT", "incident")])
def test_a_purpose_decides_the_kind(manager, purpose, detail):
    form = manager.CreateIntakeForm(form={**FORM, "purpose": f"INTAKE_PURPOSE_{purpose}"})
    made = issued(manager, form).SubmitIntake(answers=ANSWERS)
    became = manager.GetInput(id=submission_of(manager, form, made.submission_id).input_id)
    assert became.WhichOneof("detail") == detail


def test_a_submission_can_be_worked_on_as_any_input(manager, form, outside):
    made = outside.SubmitIntake(answers=ANSWERS)
    became = manager.GetInput(id=submission_of(manager, form, made.submission_id).input_id)
    changed = manager.UpdateInput(id=became.id, input={"feedback": {"theme": "speed", "interested_party": "Customers"},
                                                       "title": "T"}, update_mask="feedback.theme")
    assert changed.feedback.theme == "speed"
    manager.DeleteInput(id=became.id)
    assert submission_of(manager, form, made.submission_id).input_id == became.id


def test_the_register_names_the_party(manager):
    party = manager.CreateParty(party={"name": f"Insurers {new_id()[:8]}"})
    form = manager.CreateIntakeForm(form={**FORM, "party_id": party.id})
    made = issued(manager, form).SubmitIntake(answers=ANSWERS)
    assert manager.GetInput(
        id=submission_of(manager, form, made.submission_id).input_id).feedback.party_id == party.id


def test_a_repeated_submission_is_one(manager, form, outside):
    request_id = new_id()
    first = outside.SubmitIntake(answers=ANSWERS, request_id=request_id)
    assert outside.SubmitIntake(answers=ANSWERS, request_id=request_id) == first
    assert refused(outside.SubmitIntake, answers=ANSWERS[:1], request_id=request_id).reason == "REQUEST_ID_REUSED"
    assert manager.GetIntakeForm(id=form.id).submissions == 1
    # Another token learns nothing by repeating what somebody else sent.
    other = issued(manager, form)
    assert refused(other.SubmitIntake, answers=ANSWERS, request_id=request_id).reason == "REQUEST_ID_REUSED"


WRONG_ANSWERS = {
    "none to a required question": ([{"key": "why", "text": "x"}], "answers"),
    "to no question": ([{"key": "how_well", "scale": 1}, {"key": "who", "text": "x"}], "answers[1].key"),
    "twice": ([{"key": "how_well", "scale": 1}] * 2, "answers[1].key"),
    "off the scale": ([{"key": "how_well", "scale": 11}], "answers[0].scale"),
    "not among the choices": ([{"key": "how_well", "scale": 1}, {"key": "again", "choice": "Si"}], "answers[1].choice"),
    "of another type": ([{"key": "how_well", "scale": 1}, {"key": "why", "choice": "Yes"}], "answers[1].text"),
    "too long": ([{"key": "how_well", "scale": 1}, {"key": "why", "text": "x" * 5001}], "answers[1].text"),
    "with an escape": ([{"key": "how_well", "scale": 1}, {"key": "why", "text": "\x1b[2J"}], "answers[1].text"),
}


@pytest.mark.parametrize("what", WRONG_ANSWERS)
def test_a_wrong_answer_is_named_and_nothing_is_kept(manager, form, outside, what):
    answers, field = WRONG_ANSWERS[what]
    wrong = refused(outside.SubmitIntake, answers=answers)
    assert wrong.reason == "FIELD_INVALID" and list(wrong.fields) == [field]
    assert manager.GetIntakeForm(id=form.id).submissions == 0


def test_a_token_may_nothing_else(outside):
    """Every method of every service, internal ones too."""
    allowed = set()
    for method in METHODS:
        try:
            outside.call(method, method.request.FromString(valid(method)))
            allowed.add(method.name)
        except Refused as found:
            if found.code.name == "PERMISSION_DENIED":
                assert found.reason == "PERMISSION_DENIED", (method, found)
            else:
                allowed.add(method.name)
    assert allowed == TOKEN_MAY


def test_no_member_or_key_submits(organisation):
    for role in ("TENANT_ADMIN", "TOP_MANAGEMENT", "ISMS_MANAGER", "CONTRIBUTOR", "ACTION_OWNER", "AUDITOR"):
        for caller in (organisation.person(role), organisation.key(role)):
            for name in TOKEN_MAY:
                method = api().by_name[name]
                assert refusal(method, valid(method), caller.credential).reason == "PERMISSION_DENIED", (role, name)


@pytest.mark.parametrize("role", ["TENANT_ADMIN", "TOP_MANAGEMENT", "CONTRIBUTOR", "AUDITOR"])
def test_who_does_not_run_the_system_issues_no_token(organisation, form, role):
    assert refused(organisation.person(role).IssueIntakeToken, form_id=form.id, name="mine").reason == \
        "PERMISSION_DENIED"


def test_nobody_is_given_the_tokens_role(organisation):
    for give in (lambda: organisation.person("INTAKE"), lambda: organisation.key("INTAKE"),
                 lambda: organisation.key("ISMS_MANAGER", "INTAKE")):
        assert refused(give).reason == "FIELD_INVALID"


def test_an_auditor_sees_neither_forms_nor_submissions(organisation, manager, form, outside):
    outside.SubmitIntake(answers=ANSWERS)
    auditor = organisation.person("AUDITOR")
    assert not auditor.ListIntakeForms().forms and not auditor.ListIntakeSubmissions(form_id=form.id).submissions
    assert refused(auditor.GetIntakeForm, id=form.id).code.name == "NOT_FOUND"


def test_a_token_of_one_form_fills_in_no_other(manager, form, outside):
    other = manager.CreateIntakeForm(form={**FORM, "title": "Another"})
    assert outside.GetIntakeFormForSubmission().title == FORM["title"]
    outside.SubmitIntake(answers=ANSWERS)
    assert (manager.GetIntakeForm(id=other.id).submissions, manager.GetIntakeForm(id=form.id).submissions) == (0, 1)


# --- the token's life -------------------------------------------------------------------------------------

def test_the_secret_is_shown_once(organisation, manager, form):
    request_id = new_id()
    made = manager.IssueIntakeToken(form_id=form.id, name="mailing", request_id=request_id)
    again = manager.IssueIntakeToken(form_id=form.id, name="mailing", request_id=request_id)
    assert made.intake_token.startswith("isms_") and again.intake_token == "" and again.token == made.token
    for text in (str(manager.ListIntakeTokens(form_id=form.id)), str(organisation.admin.ListKeys(page_size=500))):
        assert made.intake_token not in text and made.token.id in text


def test_a_revoked_token_is_out_at_once(manager, form, outside):
    outside.GetIntakeFormForSubmission()
    ended = manager.RevokeIntakeToken(form_id=form.id, token_id=outside.member)
    assert ended.state == api().message("isms.inputs.v1.IntakeToken")(state=2).state
    for call in (outside.GetIntakeFormForSubmission, lambda: outside.SubmitIntake(answers=ANSWERS)):
        assert refused(call).reason == "CREDENTIAL_INVALID"
    assert refused(manager.RevokeIntakeToken, form_id=form.id, token_id=outside.member).reason == "WRONG_STATE"


def test_whoever_administers_revokes_it_among_the_keys(organisation, manager, form, outside):
    assert any(key.id == outside.member for key in organisation.admin.ListKeys(page_size=500).keys)
    organisation.admin.RevokeKey(id=outside.member)
    assert refused(outside.GetIntakeFormForSubmission).reason == "CREDENTIAL_INVALID"


def test_a_token_is_given_no_permissions(organisation, form, outside):
    update = organisation.admin.UpdateKey
    wrong = refused(update, id=outside.member, key={"permissions": ["inputs.read"]}, update_mask="permissions")
    assert (wrong.reason, list(wrong.fields)) == ("FIELD_INVALID", ["key.permissions"])
    assert "intake token" in wrong.fields["key.permissions"]
    wrong = refused(update, id=outside.member, key={"name": "All of it", "permissions": ["intake.submit"]})
    assert list(wrong.fields) == ["key.permissions"]
    assert update(id=outside.member, key={"name": "Renamed", "permissions": []}).name == "Renamed"
    outside.GetIntakeFormForSubmission()


def test_a_closed_form_ends_its_tokens(manager, form, outside):
    second = issued(manager, form)
    outside.SubmitIntake(answers=ANSWERS)
    assert manager.CloseIntakeForm(id=form.id).state == 2
    for caller in (outside, second):
        assert refused(caller.SubmitIntake, answers=ANSWERS).reason == "CREDENTIAL_INVALID"
    assert all(token.state == 2 for token in manager.ListIntakeTokens(form_id=form.id).tokens)
    for call in (lambda: manager.CloseIntakeForm(id=form.id), lambda: issued(manager, form),
                 lambda: manager.UpdateIntakeForm(id=form.id, form={"title": "T"}, update_mask="title")):
        assert refused(call).reason == "WRONG_STATE"
    assert len(manager.ListIntakeSubmissions(form_id=form.id).submissions) == 1


def test_a_token_is_of_its_form(manager, form, outside):
    other = manager.CreateIntakeForm(form=FORM)
    for ids in ({"form_id": other.id, "token_id": outside.member}, {"form_id": form.id, "token_id": manager.member},
                {"form_id": form.id, "token_id": new_id()}):
        assert refused(manager.RevokeIntakeToken, **ids).code.name == "NOT_FOUND"
    outside.GetIntakeFormForSubmission()


def test_a_token_expires(manager, form):
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    token = issued(manager, form, expire_time=end.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def ended():
        try:
            token.GetIntakeFormForSubmission()
        except Refused as found:
            return found if found.reason != "RATE_LIMITED" else None
        return None
    assert until(ended, what="the token's end").reason == "CREDENTIAL_EXPIRED"
    wrong = refused(issued, manager, form, expire_time="2020-01-01T00:00:00Z")
    assert wrong.fields == {"expire_time": "must be in the future"}


def test_last_use_and_count_are_listed(manager, form, outside):
    assert not only_token(manager, form).HasField("last_use_time")
    outside.SubmitIntake(answers=ANSWERS)
    outside.SubmitIntake(answers=ANSWERS)
    token = only_token(manager, form)
    assert token.HasField("last_use_time") and token.submissions == 2


def test_an_organisation_has_so_many_tokens_at_once():
    organisation = Organisation()
    manager = organisation.person("ISMS_MANAGER")
    form = manager.CreateIntakeForm(form=FORM)
    tokens = [issued(manager, form) for _ in range(100)]
    wrong = refused(issued, manager, form)
    assert (wrong.reason, wrong.facts["limit"]) == ("LIMIT_REACHED", "100")
    manager.RevokeIntakeToken(form_id=form.id, token_id=tokens[7].member)
    issued(manager, form)


# --- limits -----------------------------------------------------------------------------------------------

def flood(caller, count):
    """Calls as fast as it can, on eight threads: what was refused, and how many were not."""
    def call(_):
        try:
            caller.GetIntakeFormForSubmission()
            return None
        except Refused as found:
            return found
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(call, range(count)))
    return [found for found in answers if found], answers.count(None)


def test_a_flood_through_a_token_is_refused_and_leaves_members_served(manager, form, outside):
    outside.GetIntakeFormForSubmission()
    refusals, served = flood(outside, 400)
    assert refusals and served >= 10
    assert {found.code.name for found in refusals} == {"RESOURCE_EXHAUSTED"}
    rate = next(found for found in refusals if found.reason == "RATE_LIMITED")
    assert rate.facts["limit"] == "5" and "token" in rate.text
    assert f"token:{outside.member}".encode() in details(rate)["QuotaFailure"]
    assert 0 < retry_delay(rate) <= 4
    manager.GetIntakeForm(id=form.id)
    issued(manager, form).GetIntakeFormForSubmission()


def test_a_flood_takes_nothing_of_the_members_budget():
    organisation = Organisation()
    manager = organisation.person("ISMS_MANAGER")
    outside = issued(manager, manager.CreateIntakeForm(form=FORM))
    outside.GetIntakeFormForSubmission()
    # A second is little to a test, and twenty calls are all that the organisation has.
    limits_set(organisation, {"calls_per_second": 1, "calls_burst": 20, "calls_in_flight": 100})
    try:
        manager.ListIntakeForms()
        refusals, _ = flood(outside, 200)
        assert refusals
        for _ in range(15):
            manager.ListIntakeForms()
    finally:
        limits_set(organisation, {"calls_per_second": 0, "calls_burst": 0, "calls_in_flight": 0})


def test_a_form_has_a_maximum(manager):
    form = manager.CreateIntakeForm(form={**FORM, "maximum_submissions": 2})
    outside = issued(manager, form)
    for _ in range(2):
        outside.SubmitIntake(answers=ANSWERS)
    wrong = refused(outside.SubmitIntake, answers=ANSWERS)
    assert (wrong.code.name, wrong.reason) == ("RESOURCE_EXHAUSTED", "LIMIT_REACHED")
    assert (wrong.facts["limit"], wrong.facts["value"]) == ("maximum_submissions", "2")
    manager.UpdateIntakeForm(id=form.id, form={"maximum_submissions": 3}, update_mask="maximumSubmissions")
    outside.SubmitIntake(answers=ANSWERS)


def test_a_day_has_a_maximum_and_the_next_day_is_named(manager):
    form = manager.CreateIntakeForm(form={**FORM, "daily_maximum": 1})
    outside = issued(manager, form)
    outside.SubmitIntake(answers=ANSWERS)
    try:
        outside.SubmitIntake(answers=ANSWERS)
        pytest.skip("midnight came in between")
    except Refused as found:
        wrong = found
    assert (wrong.code.name, wrong.reason, wrong.facts["limit"]) == (
        "RESOURCE_EXHAUSTED", "LIMIT_REACHED", "daily_maximum")
    now = datetime.datetime.now(datetime.timezone.utc)
    assert 0 < retry_delay(wrong) <= 86400 - (now.hour * 3600 + now.minute * 60 + now.second) + 60


def test_two_at_once_do_not_both_take_the_last_place(manager):
    form = manager.CreateIntakeForm(form={**FORM, "maximum_submissions": 1})
    callers = [issued(manager, form) for _ in range(6)]

    def submit(caller):
        try:
            return caller.SubmitIntake(answers=ANSWERS).submission_id
        except Refused as found:
            return found.reason
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(submit, callers))
    assert sorted(answer == "LIMIT_REACHED" for answer in answers) == [False] + [True] * 5
    assert manager.GetIntakeForm(id=form.id).submissions == 1


def test_a_form_that_has_ended_says_so(manager):
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    form = manager.CreateIntakeForm(form={**FORM, "open_until": end.strftime("%Y-%m-%dT%H:%M:%SZ")})
    outside = issued(manager, form)

    def ended():
        try:
            return outside.GetIntakeFormForSubmission().ended
        except Refused as found:
            assert found.reason == "RATE_LIMITED"
            return False
    until(ended, what="the form's end")
    assert refused(issued(manager, form).SubmitIntake, answers=ANSWERS).reason == "WRONG_STATE"


# --- the log, and being forgotten -------------------------------------------------------------------------

def logged(tenant, table, row):
    found = stack().sql(f"set app.tenant_id = '{tenant}'; select actor_kind, actor, content from core.change "
                        f"where tenant_id = '{tenant}' and table_name = '{table}' and row_id = '{row}' "
                        "order by revision")
    assert found.returncode == 0, found.stderr
    return found.stdout.splitlines()[1:]


def test_the_log_says_which_token_it_was_and_not_who(organisation, manager, form, outside):
    contact = f"somebody-{uuid.uuid4().hex}@example.com"
    made = outside.SubmitIntake(answers=ANSWERS, contact=contact)
    kept = submission_of(manager, form, made.submission_id)
    for table, row in (("inputs.input", kept.input_id), ("inputs.intake_submission", kept.id)):
        (line,) = logged(organisation.id, table, row)
        assert line.startswith(f"key|{outside.member}|") and contact not in line
    assert "sha256:" in logged(organisation.id, "inputs.intake_submission", kept.id)[0]


def test_a_contact_is_forgotten(organisation, manager, form, outside):
    contact, request_id = f"somebody-{uuid.uuid4().hex}@example.com", new_id()
    made = outside.SubmitIntake(answers=ANSWERS, contact=contact, request_id=request_id)
    assert manager.EraseIntakeContact(id=made.submission_id).contact == ""
    assert submission_of(manager, form, made.submission_id).contact == ""
    dump = stack().sql(f"set app.tenant_id = '{organisation.id}'; set app.scope = 'all'; "
                       f"select * from inputs.intake_submission where id = '{made.submission_id}'; "
                       f"select content from core.change where tenant_id = '{organisation.id}'")
    assert dump.returncode == 0 and made.submission_id in dump.stdout and contact not in dump.stdout
    # What was claimed cannot be tried any more, and is not done twice.
    assert refused(outside.SubmitIntake, answers=ANSWERS, contact=contact, request_id=request_id).reason == \
        "REQUEST_ID_REUSED"
    assert refused(manager.EraseIntakeContact, id=new_id()).code.name == "NOT_FOUND"


def test_an_organisation_that_ends_takes_contacts_along():
    platform, organisation = Caller(stack().platform_key()), Organisation()
    manager = organisation.person("ISMS_MANAGER")
    form = manager.CreateIntakeForm(form=FORM)
    outside = issued(manager, form)
    contact = f"somebody-{uuid.uuid4().hex}@example.com"
    made = outside.SubmitIntake(answers=ANSWERS, contact=contact)
    name = organisation.admin.GetOrganisation().name
    platform.SuspendOrganisation(id=organisation.id)
    platform.EraseOrganisation(id=organisation.id, name=name)
    dump = stack().sql(f"set app.tenant_id = '{organisation.id}'; set app.scope = 'all'; "
                       "select id, contact from inputs.intake_submission; "
                       f"select row_id from core.change where tenant_id = '{organisation.id}'")
    assert made.submission_id in dump.stdout and contact not in dump.stdout
    assert refused(outside.GetIntakeFormForSubmission).code.name in ("UNAUTHENTICATED", "PERMISSION_DENIED")


def test_an_export_has_forms_and_submissions_and_no_secret(organisation, manager, form, outside):
    contact = f"somebody-{uuid.uuid4().hex}@example.com"
    made = outside.SubmitIntake(answers=ANSWERS, contact=contact)
    text = str(organisation.admin.ExportInputs())
    assert form.id in text and made.submission_id in text and contact in text
    assert outside.credential.split("_", 3)[3] not in text


# --- isolation in the database ----------------------------------------------------------------------------

def test_a_tokens_transaction_sees_its_form_and_no_other_row(organisation, manager, form, outside):
    manager.CreateInput(input={"title": "Not for outside", "finding": {}})
    manager.CreateIntakeForm(form={**FORM, "title": "Another"})
    outside.SubmitIntake(answers=ANSWERS)
    facts = (f"set app.tenant_id = '{organisation.id}'; set app.actor = '{outside.member}'; set app.scope = 'none'; ")
    tables = stack().sql("select c.relname from pg_class c where c.relnamespace = 'inputs'::regnamespace "
                         "and c.relkind = 'r' and has_table_privilege('isms_inputs', c.oid, 'select') "
                         "order by 1").stdout.split()
    assert {"input", "intake_form", "intake_submission", "contribution"} <= set(tables)
    for table in tables:
        found = stack().sql(facts + f"select count(*) from inputs.{table}", role="isms_inputs")
        assert found.returncode == 0, found.stderr
        assert int(found.stdout.split()[-1]) == (1 if table == "intake_form" else 0), table

"""Finding inputs: filters, orders, pages, search, counts and history, compared with a model that was told the same.

The model keeps what was sent and nothing that the service computes: what it answers must be what the writes made."""

import collections
import datetime
import random
import re
import threading

import pytest
from google.protobuf import timestamp_pb2
from isms_client import ROOT, Organisation, Refused, api, new_id, stack

COUNT = 2000
WORDS = ("phishing laptop übersicht supplier access backup Straße café patch mailbox 安全管理 контроль "
         "encryption audit A.8.16 recovery visitor badge").split()
# What a kind's detail is, of what others it may name (World.named).
KINDS = {
    "NONCONFORMITY": lambda pick, named: {"nonconformity": {
        "grade": f"GRADE_{pick(['MINOR', 'MAJOR'])}", "correction": pick(WORDS),
        "action_ids": pick([[], [pick(named["action"])]])}},
    "RISK": lambda pick, named: {"risk": {"scenario": pick(WORDS) + " " + pick(WORDS)}},
    "FEEDBACK": lambda pick, named: {"feedback": {"interested_party": "Staff", "theme": pick(WORDS),
                                                  "party_id": pick(["", *named["party"]])}},
    "FINDING": lambda pick, named: {"finding": {"grade": f"GRADE_{pick(['MINOR', 'OBSERVATION'])}",
                                                "audit_id": pick(["", *named["audit"]])}},
    "POLICY": lambda pick, named: {"policy": {"type": "TYPE_POLICY"}},
    "AUDIT": lambda pick, named: {"audit": {"type": "TYPE_INTERNAL"}},
    "METRIC": lambda pick, named: {"metric": {"unit": "hours", "polarity": "POLARITY_LOWER_IS_BETTER",
                                              "frequency": "FREQUENCY_MONTHLY"}},
    "OBJECTIVE": lambda pick, named: {"objective": {"measure": pick(WORDS),
                                                    "metric_id": pick(["", *named["metric"]])}},
    "TREATMENT": lambda pick, named: {"treatment": {"control": pick(WORDS), "risk_id": pick(["", *named["risk"]])}},
}
AGENDA = {"NONCONFORMITY": "nonconformities", "RISK": "risks", "FEEDBACK": "feedback", "FINDING": "audits",
          "POLICY": "policy", "AUDIT": "audits", "METRIC": "measurements", "OBJECTIVE": "objectives",
          "TREATMENT": "risks"}
SEVERITIES = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", ""]
STATES = ["OPEN", "IN_PROGRESS", "CLOSED"]
TODAY = datetime.datetime.now(datetime.timezone.utc).date()


def everything(method, member, page_size=500, **fields):
    found, token = [], ""
    while True:
        page = method(page_token=token, page_size=page_size, **fields)
        found += getattr(page, member)
        token = page.next_page_token
        if not token:
            return found
        assert len(getattr(page, member)) == page_size, "a page before the last is full"


def a_day(rng, often=0.7):
    return (TODAY + datetime.timedelta(days=rng.randint(-700, 400))).isoformat() if rng.random() < often else ""


class World:
    def __init__(self):
        self.rng = rng = random.Random(4)
        self.organisation = Organisation("Specht")
        self.manager = self.organisation.person("ISMS_MANAGER")
        self.owners = [self.organisation.person("CONTRIBUTOR", f"Owner {n}").member for n in range(3)]
        self.inputs = []
        self.named = {"action": [new_id(), new_id()],
                      "party": [self.manager.CreateParty(party={"name": f"Party {n}"}).id for n in range(2)]}
        first = [self.row(rng, f"{kind} {n}", kind) for kind in ("AUDIT", "METRIC", "RISK") for n in range(2)]
        for item in self.upsert(first):
            self.named.setdefault(kind_of(item).lower(), []).append(item["id"])
        for start in range(0, COUNT, 400):
            self.upsert([self.row(rng, n) for n in range(start, start + 400)])
        for item in rng.sample(self.inputs, 40):
            item["time"] = self.manager.DeleteInput(id=item["id"]).update_time.ToNanoseconds()
            item["deleted"] = True

    def upsert(self, rows):
        results = self.manager.BatchUpsertInputs(inputs=rows, timeout=60).results
        assert [result.outcome for result in results] == [1] * len(rows)
        made = [dict(row, id=result.input.id, number=result.input.number, closed_date=result.input.closed_date,
                     deleted=False, made=result.input.create_time.ToNanoseconds(),
                     time=result.input.update_time.ToNanoseconds())
                for row, result in zip(rows, results)]
        self.inputs += made
        return made

    def row(self, rng, n, kind=None):
        pick, kind = rng.choice, kind or rng.choice([*KINDS, "FINDING", "FINDING"])
        row = {"title": f"{pick(WORDS)} {pick(WORDS)} {rng.randrange(97)}",
               "summary": " ".join(rng.choices(WORDS, k=5)),
               "severity": f"SEVERITY_{pick(SEVERITIES) or 'UNSPECIFIED'}", "state": f"INPUT_STATE_{pick(STATES)}",
               "source": pick(["jira", "sheet", "manual"]), "external_id": f"X-{n}", "effective_date": "",
               "due_date": a_day(rng), "labels": rng.sample(["red", "green", "blue"], rng.randint(0, 3)),
               "owner_id": pick([*self.owners, ""]), "owner_name": pick(["", "Grünwald Ökonom"]),
               **KINDS[kind](pick, self.named)}
        if row["state"] != "INPUT_STATE_CLOSED":
            row["effective_date"] = a_day(rng)
        elif rng.random() < 0.7:
            row["closed_date"] = (TODAY - datetime.timedelta(days=rng.randint(0, 700))).isoformat()
        if rng.random() < 0.2:
            row["evidence"] = [{"title": "Report", "uri": "https://example.com/1"}]
        if "risk" in self.named and rng.random() < 0.4:
            row["risk_impact"] = pick([{"disposition": "DISPOSITION_NO_IMPACT", "note": "Looked at"},
                                       {"disposition": "DISPOSITION_RISK_CHANGED", "risk_ids": self.named["risk"][:1]},
                                       {"disposition": "DISPOSITION_RISK_ADDED", "risk_ids": self.named["risk"]}])
        if "risk" in self.named and rng.random() < 0.2:
            row["related_ids"] = rng.sample(self.named["risk"] + self.named["audit"], 2)
        return row


@pytest.fixture(scope="module")
def world():
    return World()


def kind_of(item):
    return next(kind for kind in KINDS if kind.lower() in item)


def short(name):
    return name.split("_", 2 if name.startswith("INPUT_STATE") else 1)[-1].replace("UNSPECIFIED", "")


def grade_of(item):
    return short(item.get(kind_of(item).lower(), {}).get("grade", "GRADE_UNSPECIFIED"))


def is_overdue(item):
    return item["state"] != "INPUT_STATE_CLOSED" and bool(item["due_date"]) and item["due_date"] < TODAY.isoformat()


def impact_of(item):
    return short(item.get("risk_impact", {}).get("disposition", "DISPOSITION_UNSPECIFIED"))


def names(item, field, id):
    """Whether the detail has the id in this field."""
    return id in item[kind_of(item).lower()].get(field, ())


def day_bounds(key):
    def case(rng, world):
        start, end = sorted(rng.sample([(TODAY + datetime.timedelta(days=n)).isoformat() for n in range(-700, 400)], 2))
        return {"from": start, "before": end}, lambda item: bool(item[key]) and start <= item[key] < end
    return case


def time_bounds(key):
    def case(rng, world):
        start, end = sorted(rng.sample(sorted({item[key] for item in world.inputs}), 2))
        return {"from": text_of_time(start), "before": text_of_time(end)}, lambda item: start <= item[key] < end
    return case


def text_of_time(nanoseconds):
    time = timestamp_pb2.Timestamp()
    time.FromNanoseconds(nanoseconds)
    return time.ToJsonString()


def presence(key):
    def case(rng, world):
        wanted = rng.choice(["PRESENT", "ABSENT"])
        return f"PRESENCE_{wanted}", lambda item: bool(item.get(key)) == (wanted == "PRESENT")
    return case


def some_of(values, wire, of):
    """A few of the values; `of` says which of them an item has."""
    def case(rng, world):
        chosen = rng.sample(values(world), rng.randint(1, 2))
        return [wire + value for value in chosen], lambda item: of(item) in chosen
    return case


def labels(fits):
    def case(rng, world):
        chosen = rng.sample(["red", "green", "blue"], 2)
        return chosen, lambda item: fits(set(chosen), set(item["labels"]))
    return case


def one_named(sort, fits):
    def case(rng, world):
        id = rng.choice(world.named[sort])
        return id, lambda item: fits(item, id)
    return case


def somebodys(key, end, fits):
    """What one of the inputs has, up to `end`."""
    def case(rng, world):
        wanted = rng.choice(world.inputs)[key][:end]
        return wanted, lambda item: fits(item[key], wanted)
    return case


def a_deletion(rng, world):
    wanted = rng.choice(["UNSPECIFIED"] * 3 + ["INCLUDED", "ONLY"])
    return f"DELETION_{wanted}", lambda item: wanted == "INCLUDED" or item["deleted"] == (wanted == "ONLY")


def a_relation(rng, world):
    wanted = rng.choice([*world.inputs, *(item for item in world.inputs if item.get("related_ids"))])
    return wanted["id"], lambda item: (wanted["id"] in item.get("related_ids", ())
                                       or item["id"] in wanted.get("related_ids", ()))


# For each field of the filter: a value on the wire, and the condition it makes, as a function of a row of the model.
CASES = {
    "kinds": some_of(lambda world: list(KINDS), "INPUT_KIND_", lambda item: kind_of(item)),
    "agenda_items": some_of(lambda world: sorted(set(AGENDA.values())), "", lambda item: AGENDA[kind_of(item)]),
    "states": some_of(lambda world: STATES, "INPUT_STATE_", lambda item: short(item["state"])),
    "severities": some_of(lambda world: SEVERITIES[:-1], "SEVERITY_", lambda item: short(item["severity"])),
    "owner_ids": some_of(lambda world: world.owners, "", lambda item: item["owner_id"]),
    "owner": presence("owner_id"),
    "sources": some_of(lambda world: ["jira", "sheet"], "", lambda item: item["source"]),
    "external_id": somebodys("external_id", None, str.__eq__),
    "any_labels": labels(lambda chosen, has: bool(chosen & has)),
    "all_labels": labels(lambda chosen, has: chosen <= has),
    "number_prefix": somebodys("number", -1, str.startswith),
    "effective": day_bounds("effective_date"),
    "due": day_bounds("due_date"),
    "closed": day_bounds("closed_date"),
    "created": time_bounds("made"),
    "updated": time_bounds("time"),
    "overdue": lambda rng, world: (True, is_overdue),
    "evidence": presence("evidence"),
    "related_to_id": a_relation,
    "risk_impacts": some_of(lambda world: ["NOT_ASSESSED", "NO_IMPACT", "RISK_CHANGED", "RISK_ADDED"], "DISPOSITION_",
                            lambda item: impact_of(item) or "NOT_ASSESSED"),
    "deletion": a_deletion,
    "grades": some_of(lambda world: ["MINOR", "MAJOR", "OBSERVATION"], "GRADE_", lambda item: grade_of(item)),
    "party_id": one_named("party", lambda item, id: names(item, "party_id", id)),
    "audit_id": one_named("audit", lambda item, id: names(item, "audit_id", id)),
    "risk_id": one_named("risk", lambda item, id: names(item, "risk_id", id)
                         or id in item.get("risk_impact", {}).get("risk_ids", ())),
    "metric_id": one_named("metric", lambda item, id: names(item, "metric_id", id)),
    "action_id": one_named("action", lambda item, id: names(item, "action_ids", id)),
}


def a_filter(rng, world, fields=None):
    """Some conditions on the wire, and the same as a function of a row of the model."""
    fields = fields or [*rng.sample(sorted(set(CASES) - {"deletion"}), rng.randint(0, 3)), "deletion"]
    chosen = {field: CASES[field](rng, world) for field in fields}
    conditions = [fits for _, fits in chosen.values()] + [lambda item: "deletion" in fields or not item["deleted"]]
    return {field: chosen[field][0] for field in fields}, lambda item: all(fits(item) for fits in conditions)


def text_key(text):
    return text.encode()  # the order of code points, as the database under test compares text


ORDERS = {
    "number": lambda item: text_key(item["number"]),
    "due_date": lambda item: (item["due_date"] or "9999-99", text_key(item["number"])),
    "severity desc": lambda item: (SEVERITIES.index(short(item["severity"])), text_key(item["number"])),
    "effective_date": lambda item: (item["effective_date"], text_key(item["number"])),
    "title": lambda item: (text_key(item["title"]), text_key(item["number"])),
}


@pytest.mark.parametrize("order", [*ORDERS, "effective_date desc", "update_time desc"])
def test_every_page_of_every_filter_and_order_is_what_the_model_says(world, order):
    rng = random.Random(order)
    for _ in range(25):
        some, fits = a_filter(rng, world)
        wanted = [item for item in world.inputs if fits(item)]
        if order == "update_time desc":
            wanted.sort(key=lambda item: (item["time"], item["id"]), reverse=True)
        elif order == "effective_date desc":
            wanted.sort(key=ORDERS["effective_date"], reverse=True)
        else:
            wanted.sort(key=ORDERS[order])
        got = everything(world.manager.ListInputs, "inputs", filter=some, order_by=order,
                         page_size=rng.choice([7, 50, 500]) if len(wanted) < 300 else 500)
        assert [item.number for item in got] == [item["number"] for item in wanted], some


def test_each_field_of_the_filter_takes_what_the_model_says_and_leaves_the_rest(world):
    for field in api().by_name["ListInputs"].request.DESCRIPTOR.fields_by_name["filter"].message_type.fields:
        rng = random.Random(field.name)
        for _ in range(100):
            some, fits = a_filter(rng, world, [field.name])
            wanted = {item["number"] for item in world.inputs if fits(item)}
            parted = 0 < len(wanted) < sum(not item["deleted"] for item in world.inputs)
            if parted:
                got = everything(world.manager.ListInputs, "inputs", filter=some)
                assert {item.number for item in got} == wanted, some
                break
        assert parted, f"{field.name} has no case that takes some and leaves others"


def test_what_is_written_meanwhile_neither_hides_nor_doubles_what_stays(world):
    organisation = Organisation("Kleiber")
    manager = organisation.person("ISMS_MANAGER")
    manager.BatchUpsertInputs(inputs=[{"title": f"Stays {n}", "source": "s", "external_id": str(n), "policy": {}}
                                      for n in range(300)])
    stop = threading.Event()

    def disturb():
        for n in range(100000):
            if stop.is_set():
                return
            manager.BatchUpsertInputs(inputs=[{"title": f"Moves {n}", "source": "m", "external_id": str(n % 50),
                                               "policy": {}, "due_date": a_day(random.Random(n))}])

    writer = threading.Thread(target=disturb)
    writer.start()
    try:
        for order in ("number", "due_date", "title", "severity desc"):
            titles = [item.title for item in everything(manager.ListInputs, "inputs", order_by=order, page_size=20)]
            stays = [title for title in titles if title.startswith("Stays")]
            assert len(stays) == len(set(stays)) == 300, order
    finally:
        stop.set()
        writer.join()


def model_words(item):
    texts = [item["number"], item["title"], item["external_id"], item["owner_name"], *item["labels"], item["summary"]]
    texts += [value for value in item[kind_of(item).lower()].values() if isinstance(value, str)]
    return " ".join(texts)


@pytest.mark.parametrize("query, found", [
    ("phishing", "phishing"), ("PHISH", "phishing"), ("ubersicht", "übersicht"), ("Übersicht", "übersicht"),
    ("strass", None), ("Straße", "Straße"), ("cafe", "café"), ("管理", "安全管理"), ("全管", "安全管理"),
    ("管全", None), ("контр", "контроль"), ("A.8.16", "A.8.16"), ("8.16", "A.8.16"), ("okonom", "Ökonom"),
    ("hishing", None)])
def test_words_are_found_in_any_language_by_their_beginnings(world, query, found):
    got = everything(world.manager.SearchInputs, "inputs", query=query, page_size=333)
    wanted = {item["number"] for item in world.inputs if found and found in model_words(item) and not item["deleted"]}
    assert len(got) == len({item.number for item in got})
    assert {item.number for item in got} == wanted


def test_a_search_wants_all_words_and_obeys_the_filter_and_the_order(world):
    got = everything(world.manager.SearchInputs, "inputs", query="phishing laptop", order_by="update_time desc",
                     filter={"kinds": ["INPUT_KIND_RISK"]}, page_size=10)
    wanted = [item for item in world.inputs if kind_of(item) == "RISK" and not item["deleted"]
              and "phishing" in model_words(item) and "laptop" in model_words(item)]
    wanted.sort(key=lambda item: (item["time"], item["id"]), reverse=True)
    assert wanted and [item.number for item in got] == [item["number"] for item in wanted]


def test_what_is_in_the_title_comes_before_what_is_in_the_summary(world):
    got = everything(world.manager.SearchInputs, "inputs", query="mailbox", page_size=100)
    in_title = ["mailbox" in item.title for item in got]
    assert any(in_title) and not all(in_title)
    assert in_title[:20] == [True] * 20 and not any(in_title[-20:])


def test_a_changed_text_is_found_by_its_new_words_only():
    manager = Organisation("Zaunkönig").person("ISMS_MANAGER")
    made = manager.CreateInput(input={"title": "Wolkenbruch", "policy": {}})
    manager.UpdateInput(id=made.id, input={"title": "Sonnenschein"}, update_mask="title")
    assert not manager.SearchInputs(query="Wolken").inputs
    assert [item.id for item in manager.SearchInputs(query="sonnen").inputs] == [made.id]
    manager.DeleteInput(id=made.id)
    assert not manager.SearchInputs(query="sonnen").inputs
    assert manager.SearchInputs(query="sonnen", filter={"deletion": "DELETION_ONLY"}).inputs


def dimension_values(item, dimension):
    day = {"E": item["effective_date"], "D": item["due_date"], "C": item["closed_date"]}.get(dimension[0], "")
    return {
        "KIND": [kind_of(item)], "AGENDA_ITEM": [AGENDA[kind_of(item)]], "STATE": [short(item["state"])],
        "SEVERITY": [short(item["severity"])], "OWNER": [item["owner_id"]], "SOURCE": [item["source"]],
        "LABEL": item["labels"] or [""], "GRADE": [grade_of(item)],
        "RISK_IMPACT": [impact_of(item)],
        "OVERDUE": ["OVERDUE" if is_overdue(item) else "NOT_OVERDUE"],
        "DUE_MONTH": [day[:7]], "EFFECTIVE_YEAR": [day[:4]],
        "CLOSED_QUARTER": [day and f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}"],
    }[dimension]


DIMENSIONS = ("KIND AGENDA_ITEM STATE SEVERITY OWNER SOURCE LABEL GRADE RISK_IMPACT OVERDUE DUE_MONTH EFFECTIVE_YEAR "
              "CLOSED_QUARTER").split()


def test_counts_by_any_two_dimensions_are_what_the_model_counts(world):
    rng = random.Random(7)
    for rows in DIMENSIONS:
        columns = rng.choice(DIMENSIONS)
        some, fits = a_filter(rng, world)
        wanted = [item for item in world.inputs if fits(item)]
        cells, row_sums, column_sums = collections.Counter(), collections.Counter(), collections.Counter()
        for item in wanted:
            row_sums.update(dimension_values(item, rows))
            column_sums.update(dimension_values(item, columns))
            cells.update((r, c) for r in dimension_values(item, rows) for c in dimension_values(item, columns))
        got = world.manager.CountInputs(filter=some, rows=f"COUNT_DIMENSION_{rows}",
                                        columns=f"COUNT_DIMENSION_{columns}", limit=200)
        assert got.total == len(wanted)
        assert {value.value: value.count for value in got.rows} == row_sums
        assert {value.value: value.count for value in got.columns} == column_sums
        assert {(got.rows[cell.row].value, got.columns[cell.column].value): cell.count for cell in got.cells} == cells


def test_values_beyond_the_limit_are_counted_as_the_remainder(world):
    whole = world.manager.CountInputs(rows="COUNT_DIMENSION_DUE_MONTH", columns="COUNT_DIMENSION_STATE", limit=200)
    some = world.manager.CountInputs(rows="COUNT_DIMENSION_DUE_MONTH", columns="COUNT_DIMENSION_STATE", limit=5)
    assert len(some.rows) == 6 and [value.remainder for value in some.rows] == [0] * 5 + [len(whole.rows) - 5]
    assert some.total == whole.total == sum(value.count for value in some.rows) == sum(c.count for c in some.cells)
    assert {value.value for value in some.rows[:5]} <= {value.value for value in whole.rows}
    assert min(value.count for value in some.rows[:5]) >= sorted(v.count for v in whole.rows)[-5]
    assert [value.value for value in some.rows[:5]] == sorted(v.value or "~" for v in some.rows[:5]) or \
        some.rows[4].value == ""


def test_counts_name_the_owners(world):
    got = world.manager.CountInputs(rows="COUNT_DIMENSION_OWNER")
    assert {value.name for value in got.rows} == {"Owner 0", "Owner 1", "Owner 2", ""}
    assert not got.columns and not got.cells


def test_several_are_got_at_once_in_order_and_what_is_not_there_is_named(world):
    ids = [world.inputs[n]["id"] for n in (5, 3, 5, 700)]
    lost = [new_id(), new_id()]
    got = world.manager.BatchGetInputs(ids=[ids[0].upper(), lost[0], *ids[1:], lost[1]])
    assert [item.id for item in got.inputs] == ids and list(got.missing_ids) == lost


def test_every_revision_comes_back_as_it_was_answered_and_the_history_says_what_changed():
    organisation = Organisation("Dohle")
    manager = organisation.person("ISMS_MANAGER", "Mara Manager")
    other = organisation.person("CONTRIBUTOR", "Otto Other")
    answers = [manager.CreateInput(input={"title": "One", "labels": ["a", "c"], "risk": {
        "current": {"likelihood": 2, "impact": 3}}})]
    id = answers[0].id
    answers.append(other.UpdateInput(id=id, input={"title": "Two", "labels": ["a", "b", "c"]},
                                     update_mask="title,labels"))
    answers.append(manager.UpdateInput(id=id, input={"risk": {"current": {"likelihood": 5, "impact": 3}}},
                                       update_mask="risk.current"))
    answers.append(manager.DeleteInput(id=id))
    answers.append(manager.UndeleteInput(id=id))
    answers.append(manager.UpdateInput(id=id, input={"state": "INPUT_STATE_CLOSED", "closed_date": "2026-01-02"},
                                       update_mask="state,closedDate,ownerId"))
    for answer in answers:
        assert manager.GetInput(id=id, revision=answer.revision) == answer
    with pytest.raises(Refused) as refused:
        manager.GetInput(id=id, revision=99)
    assert refused.value.reason == "NOT_FOUND"

    changes = everything(manager.ListInputChanges, "changes", id=id, page_size=2)
    assert [change.revision for change in changes] == [6, 5, 4, 3, 2, 1]
    told = [{field.path: (getattr(field, "from"), field.to) for field in change.fields} for change in changes]
    assert told[0] == {"state": ("OPEN", "CLOSED"), "closed_date": ("", "2026-01-02")}
    assert told[1] == told[2] == {}
    assert told[3].items() >= {"risk.current.likelihood": ("2", "5"), "risk.current.level": ("6", "15")}.items()
    assert all(path.startswith("risk.") for path in told[3])
    assert told[4] == {"title": ("One", "Two"), "labels[1]": ("", "b")}
    assert told[5].items() >= {"title": ("", "One"), "labels[1]": ("", "c"), "kind": ("", "RISK")}.items()
    assert [change.operation for change in changes] == [2, 4, 3, 2, 2, 1]
    assert [change.actor_name for change in changes] == ["Mara Manager"] * 4 + ["Otto Other", "Mara Manager"]
    assert changes[4].actor_id == other.member and changes[4].method == "UpdateInput"
    assert changes[0].change_time == answers[5].update_time


def upserts(caller, rows, **fields):
    return caller.BatchUpsertInputs(inputs=rows, **fields).results


def test_a_wrong_input_of_a_partial_batch_stops_no_other():
    organisation = Organisation("Elster")
    manager = organisation.person("ISMS_MANAGER")
    old = {"title": "Old", "source": "s", "external_id": "old", "policy": {}}
    upserts(manager, [old, {"title": "Same", "source": "s", "external_id": "same", "policy": {}}])
    rows = [
        {"title": "New", "source": "s", "external_id": "new", "finding": {}},
        {"source": "s", "external_id": "untitled", "due_date": "tomorrow", "policy": {}},
        dict(old, title="Newer"),
        {"title": "No audit", "source": "s", "external_id": "lost", "finding": {"audit_id": new_id()}},
        {"title": "Same", "source": "s", "external_id": "same", "policy": {}},
        {"title": "Twice", "source": "s", "external_id": "twice", "policy": {}},
        {"title": "Twice", "source": "s", "external_id": "twice", "policy": {}},
        {"title": "Kind", "source": "s", "external_id": "kind", "risk": {}},
        {"title": "No kind", "source": "s", "external_id": "nothing"},
    ]
    request = new_id()
    with pytest.raises(Refused) as refused:
        upserts(manager, rows)
    assert refused.value.reason == "FIELD_INVALID"
    assert {"inputs[1].title", "inputs[1].due_date", "inputs[8].detail"} <= set(refused.value.fields)
    assert not manager.SearchInputs(query="New").inputs, "nothing of a batch that is refused as a whole"

    results = upserts(manager, rows, partial=True, request_id=request)
    assert [result.outcome for result in results] == [1, 4, 2, 4, 3, 4, 4, 1, 4]
    assert [result.input.title for result in results] == ["New", "", "Newer", "", "Same", "", "", "Kind", ""]
    assert [bool(result.reason) for result in results] == [result.outcome == 4 for result in results]
    assert results[3].reason == "REFERENCE_INVALID"
    assert [violation.field for violation in results[1].violations] == ["title", "due_date"]
    assert results[3].violations[0].field == "finding.audit_id"
    assert results[5].violations[0].field == results[6].violations[0].field == "external_id"
    assert all(violation.description for result in results for violation in result.violations)
    assert upserts(manager, rows, partial=True, request_id=request) == results, "a repeat is answered as the first"
    again = upserts(manager, rows, partial=True)
    assert [result.outcome for result in again] == [3, 4, 3, 4, 3, 4, 4, 3, 4]
    assert [result.input.revision for result in again] == [result.input.revision for result in results]


@pytest.mark.parametrize("method, request_fields, field", [
    ("ListInputs", {"filter": {"due": {"from": "2026-02-01", "before": "2026-02-01"}}}, "filter.due.before"),
    ("ListInputs", {"filter": {"updated": {"from": "2026-02-01T00:00:00Z", "before": "2026-01-01T00:00:00Z"}}},
     "filter.updated.before"),
    ("ListInputs", {"filter": {"agenda_items": ["risk"]}}, "filter.agenda_items[0]"),
    ("ListInputs", {"filter": {"owner_ids": ["me"]}}, "filter.owner_ids[0]"),
    ("CountInputs", {"filter": {"closed": {"from": "2026-13-01"}}, "rows": "COUNT_DIMENSION_KIND"},
     "filter.closed.from"),
    ("CountInputs", {}, "rows"),
    ("SearchInputs", {"query": "?!"}, "query"),
    ("SearchInputs", {"query": " ".join("abcdefghijklmnopqrstuvw")}, "query"),
    ("BatchGetInputs", {}, "ids"),
    ("GetInput", {"id": new_id(), "revision": -1}, "revision"),
])
def test_a_bad_request_names_its_field_and_what_to_do(world, method, request_fields, field):
    with pytest.raises(Refused) as refused:
        getattr(world.manager, method)(**request_fields)
    assert refused.value.reason == "FIELD_INVALID"
    assert list(refused.value.fields) == [field] and refused.value.fields[field]


def test_an_unknown_order_and_a_token_of_another_filter_are_refused(world):
    with pytest.raises(Refused) as refused:
        world.manager.ListInputs(order_by="colour")
    assert refused.value.reason == "ORDER_UNSUPPORTED"
    token = world.manager.ListInputs(page_size=3, filter={"sources": ["jira"]}).next_page_token
    with pytest.raises(Refused) as refused:
        world.manager.ListInputs(page_size=3, filter={"sources": ["sheet"]}, page_token=token)
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


@pytest.mark.parametrize("role", ["AUDITOR", "ACTION_OWNER"])
def test_who_sees_only_their_own_finds_counts_and_reads_nothing_else(world, role):
    caller, item = world.organisation.person(role), world.inputs[0]
    attempts = [
        lambda: len(caller.ListInputs().inputs), lambda: len(caller.SearchInputs(query="phishing").inputs),
        lambda: caller.CountInputs(rows="COUNT_DIMENSION_KIND").total,
        lambda: len(caller.BatchGetInputs(ids=[item["id"]]).inputs),
        lambda: bool(caller.GetInput(id=item["id"], revision=1)),
        lambda: len(caller.ListInputChanges(id=item["id"]).changes),
    ]
    for attempt in attempts:
        try:
            assert attempt() == 0
        except Refused as refused:
            assert refused.reason in ("NOT_FOUND", "PERMISSION_DENIED")


def prepared(name, order, conditions=()):
    """A SQL file's text for one order, as `prepare` takes it, and its parameters in their order; `conditions` are the
    fields that are set. Directives as in docs/sql-files.md."""
    folder, stack_of, lines = ROOT / "services/inputs/sql", [], []

    def read(file):
        for line in (folder / f"{file}.sql").read_text().split("\n"):
            directive = line.split()
            if line.startswith("--@include"):
                read(directive[1])
            elif line.startswith("--@if"):
                stack_of.append(("if", directive[1] in conditions))
            elif line.startswith("--@else"):
                stack_of[-1] = ("if", not stack_of[-1][1])
            elif line.startswith("--@order"):
                if stack_of and stack_of[-1][0] == "order":
                    stack_of.pop()
                stack_of.append(("order", line.split('"')[1] == order))
            elif line.startswith("--@end"):
                stack_of.pop()
            elif not line.startswith("--") and all(taken for _, taken in stack_of):
                lines.append(line)

    read(name)
    names = []

    def number(match):
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    return re.sub(r"(?<![:\w]):([a-z_]\w*(?:\.\w+)*)", number, "\n".join(lines)), names


@pytest.mark.parametrize("kinds", [(), ("filter.kinds",)], ids=["all kinds", "some kinds"])
@pytest.mark.parametrize("order", [*ORDERS, "effective_date desc", "update_time desc"])
def test_a_page_is_read_off_an_index_of_the_organisation_from_where_it_begins(world, order, kinds):
    statement, names = prepared("ListInputs", order, kinds)
    values = ", ".join({"tenant": f"'{world.organisation.id}'", "now": "now()", "filter.overdue": "false"}
                       .get(name, "null") for name in names)
    plan = stack().sql(
        f"select set_config('app.tenant_id', '{world.organisation.id}', false), set_config('app.scope', 'all', false);"
        "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_sort = off;"
        "set enable_bitmapscan = off;"
        f"prepare page as {statement}; explain (costs off) execute page({values})", role="isms_inputs")
    assert plan.returncode == 0, plan.stderr
    read = [line for line in plan.stdout.split("\n") if "Index Cond: ((tenant_id = $" in line
            and (" ROW(" in line or "(ROW(" in line or "number >" in line)]
    assert read, plan.stdout

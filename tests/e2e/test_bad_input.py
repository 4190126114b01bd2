"""Bytes that no honest client sends. Each is answered with a precise status and its details, and the process that got
them is the same one afterwards."""

import gzip
import os
import random
import socket
import struct

import grpc
import pytest
import story
from google.protobuf import json_format
from hostile import packed, peak_memory, processes, refusal, send, tagged, varint
from isms_client import SERVICES, Organisation, Refused, api, new_id, stack
from test_isolation import filled

MESSAGE_SIZE_MAX = 4 << 20
PRECISE = {"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "ABORTED", "ALREADY_EXISTS", "PERMISSION_DENIED"}


@pytest.fixture(scope="module")
def people():
    organisation = Organisation()
    return organisation.person("ISMS_MANAGER"), organisation.person("TOP_MANAGEMENT"), organisation


@pytest.fixture(scope="module")
def manager(people):
    return people[0]


@pytest.fixture(scope="module")
def action(manager):
    return manager.CreateAction(action={"title": "Exists", "owner_id": manager.member, "due_date": story.day(30)})


@pytest.fixture(autouse=True)
def no_process_ends():
    before = processes()
    yield
    assert processes() == before


def method(name):
    return api().by_name[name]


def an_input(**more):
    return {"title": "A finding", "finding": {"grade": "GRADE_MINOR", "reference": "A.8.13"}, **more}


# --- the wire form ---------------------------------------------------------------------------------------

TITLE, FINDING, STATE, OWNER, INPUT, REQUEST_ID = 4, 35, 11, 6, 1, 2


def within_input(data):
    """CreateInputRequest with these bytes within `input`, and a good request_id."""
    return tagged(INPUT, 2, data) + tagged(REQUEST_ID, 2, new_id().encode())


MALFORMED = {
    "garbage": lambda: bytes.fromhex("deadbeef" * 20),
    "all ones": lambda: b"\xff" * 64,
    "field number 0": lambda: b"\x00\x01",
    "length beyond the end": lambda: within_input(b"")[:2] + varint(TITLE << 3 | 2) + varint(1 << 20) + b"abc",
    "length of 4 GiB": lambda: varint(INPUT << 3 | 2) + b"\xff\xff\xff\xff\x0f",
    "length over 5 bytes": lambda: varint(INPUT << 3 | 2) + b"\x83\x80\x80\x80\x80\x00abc",
    "tag that never ends": lambda: b"\x8a" * 12,
    "value that never ends": lambda: within_input(tagged(STATE, 0, b"\x80" * 11)),
    "value of 71 bits": lambda: within_input(tagged(STATE, 0, b"\xff" * 9 + b"\x7f")),
    "text not UTF-8": lambda: within_input(tagged(TITLE, 2, b"Pr\xfcfung")),
    "text with a lone surrogate": lambda: within_input(tagged(TITLE, 2, b"\xed\xa0\x80")),
    "text with an overlong form": lambda: within_input(tagged(TITLE, 2, b"\xc0\xaf")),
    "text cut in a character": lambda: within_input(tagged(TITLE, 2, "Ü".encode()[:1])),
    "NUL in a text": lambda: within_input(tagged(TITLE, 2, b"Visible\0hidden")),
    "NUL in an id": lambda: within_input(tagged(TITLE, 2, b"T") + tagged(OWNER, 2, new_id().encode() + b"\0")),
    "number where a text belongs": lambda: within_input(tagged(TITLE, 0, b"\x05")),
    "text where a number belongs": lambda: within_input(tagged(STATE, 2, b"OPEN")),
    "fixed32 where a message belongs": lambda: within_input(tagged(FINDING, 5, b"\0\0\0\0")),
    "wire type 6": lambda: within_input(varint(TITLE << 3 | 6)),
    "wire type 7": lambda: within_input(varint(TITLE << 3 | 7)),
    "a group": lambda: within_input(varint(99 << 3 | 3) + varint(99 << 3 | 4)),
    "100,000 groups, one in the other": lambda: within_input(varint(99 << 3 | 3) * 100_000
                                                             + varint(99 << 3 | 4) * 100_000),
    "an end without a beginning": lambda: within_input(varint(99 << 3 | 4)),
    "unknown enum number": lambda: within_input(tagged(TITLE, 2, b"T") + tagged(STATE, 0, varint(99))),
    "negative enum number": lambda: within_input(tagged(TITLE, 2, b"T") + tagged(STATE, 0, b"\xff" * 9 + b"\x01")),
    "a oneof with two members": lambda: within_input(tagged(TITLE, 2, b"T") + tagged(FINDING, 2) + tagged(39, 2)),
    "a oneof member twice": lambda: within_input(tagged(TITLE, 2, b"T") + tagged(FINDING, 2) * 2),
    "200,000 empty messages": lambda: within_input(tagged(16, 2) * 200_000),
    "200,000 unknown fields": lambda: within_input(tagged(99, 0, b"\0") * 200_000),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_messages_are_called_so(manager, what):
    refused = refusal(method("CreateInput"), MALFORMED[what](), manager.credential)
    assert (refused.code.name, refused.reason) == ("INVALID_ARGUMENT", "MESSAGE_MALFORMED")
    assert refused.facts.get("trace_id")


def test_the_place_of_a_malformed_text_is_named(manager):
    refused = refusal(method("CreateInput"), MALFORMED["text not UTF-8"](), manager.credential)
    assert refused.facts["field"] == "input.title"


def test_a_message_within_a_message_a_thousand_deep_is_only_unknown_bytes(manager):
    deep = b""
    while len(deep) < 50_000:
        deep = tagged(99, 2, deep)
    good = packed("CreateInput", input=an_input())
    assert send(method("CreateInput"), good + deep, manager.credential)
    refused = refusal(method("CreateInput"), good + tagged(INPUT, 2, deep), manager.credential)
    assert refused.reason == "MESSAGE_MALFORMED"


def test_a_message_cut_anywhere_is_refused(manager):
    whole = packed("CreateInput", input=an_input(summary="Übersicht", labels=["a", "b"],
                                                  evidence=[{"title": "E", "uri": "https://e.x/1"}]))
    for cut in range(len(whole)):
        refused = refusal(method("CreateInput"), whole[:cut], manager.credential)
        assert refused.code.name == "INVALID_ARGUMENT" and refused.reason in ("MESSAGE_MALFORMED", "FIELD_INVALID"), cut


def test_whatever_the_bytes_no_method_is_at_a_loss(people):
    """Every method, as somebody who may call it, with one valid request changed at random: never INTERNAL or worse."""
    chance = random.Random(93)
    manager, chair, organisation = people
    for target in sorted(api().methods.values(), key=repr):
        if target.rules.internal:
            continue
        permission = target.rules.permission
        caller = organisation.admin if "manage" in permission and "review" not in permission else manager
        request = json_format.ParseDict(filled(target.request.DESCRIPTOR), target.request())
        for _ in range(25):
            if target.rules.write:
                request.request_id = new_id()
            data = bytearray(request.SerializeToString())
            for _ in range(chance.randint(1, 4)):
                what, place = chance.randrange(4), chance.randrange(len(data) + 1)
                if what == 0 and place < len(data):
                    data[place] ^= 1 << chance.randrange(8)
                elif what == 1:
                    data[place:place] = chance.randbytes(chance.randint(1, 8))
                elif what == 2:
                    del data[place:place + chance.randint(1, 8)]
                else:
                    data[place:place] = data[chance.randrange(len(data) + 1):place]
            try:
                send(target, bytes(data), caller.credential)
            except Refused as refused:
                assert refused.code.name in PRECISE and refused.reason, (target, data.hex(), refused)
                assert refused.reason != "INTERNAL"


# --- what the fields' rules say --------------------------------------------------------------------------

def test_every_missing_field_is_listed(manager):
    refused = refusal(method("CreateAction"), b"", manager.credential)
    assert (refused.code.name, refused.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert set(refused.fields) == {"action", "request_id"}
    refused = refusal(method("CreateAction"), tagged(1, 2), manager.credential)
    assert set(refused.fields) == {"action.title", "action.owner_id", "action.due_date", "request_id"}
    assert "BadRequest" in refused.types


LONG = "é" * 501
WRONG_FIELDS = {
    "text too long": ("CreateInput", {"input": an_input(title=LONG)}, "input.title"),
    "text empty": ("CreateInput", {"input": an_input(title="")}, "input.title"),
    "no kind": ("CreateInput", {"input": {"title": "T"}}, "input.detail"),
    "too many items": ("CreateInput", {"input": an_input(labels=["x"] * 51)}, "input.labels"),
    "an item too long": ("CreateInput", {"input": an_input(labels=["good", "x" * 101])}, "input.labels[1]"),
    "no items": ("AddMeasurements", {"measurements": []}, "measurements"),
    "a day that is none": ("CreateInput", {"input": an_input(due_date="2026-02-30")}, "input.due_date"),
    "a day without zeros": ("CreateInput", {"input": an_input(due_date="2026-2-3")}, "input.due_date"),
    "a day with blanks": ("CreateInput", {"input": an_input(due_date=" 2026-02-03")}, "input.due_date"),
    "a day in year 0": ("CreateInput", {"input": an_input(due_date="0000-01-01")}, "input.due_date"),
    "a day beyond 9999": ("CreateInput", {"input": an_input(due_date="10000-01-01")}, "input.due_date"),
    "a day in other digits": ("CreateInput", {"input": an_input(due_date="٢٠٢٦-٠١-٠١")}, "input.due_date"),
    "a uuid of letters": ("GetInput", {"id": "not-a-uuid"}, "id"),
    "a uuid without dashes": ("GetInput", {"id": "0" * 32}, "id"),
    "a uuid in braces": ("GetInput", {"id": "{" + new_id() + "}"}, "id"),
    "a uuid and more": ("GetInput", {"id": new_id() + "0"}, "id"),
    "a uuid in a list": ("CreateInput", {"input": an_input(related_ids=[new_id(), "x"])}, "input.related_ids[1]"),
    "SQL for a uuid": ("GetInput", {"id": "' or 1=1 --"}, "id"),
    "page size too large": ("ListActions", {"page_size": 501}, "page_size"),
    "page size negative": ("ListActions", {"page_size": -1}, "page_size"),
    "number beyond its range": ("CreateInput", {"input": {"title": "T", "risk": {"current": {"level": 1001}}}},
                                "input.risk.current.level"),
    "not a number": ("AddMeasurements",
                     {"measurements": [{"metric_id": new_id(), "observed_time": "2026-01-01T00:00:00Z",
                                        "value": "NaN"}]},
                     "measurements[0].value"),
    "infinite": ("AddMeasurements",
                 {"measurements": [{"metric_id": new_id(), "observed_time": "2026-01-01T00:00:00Z",
                                    "value": "Infinity"}]},
                 "measurements[0].value"),
    "an address that is none": ("CreateInput", {"input": an_input(evidence=[{"title": "E", "uri": "javascript"}])},
                                "input.evidence[0].uri"),
    "a hash that is none": ("CreateInput", {"input": an_input(evidence=[{"title": "E", "sha256": "ABC"}])},
                            "input.evidence[0].sha256"),
    "an e-mail address that is none": ("CreateMember",
                                       {"member": {"name": "N", "roles": ["ROLE_AUDITOR"], "email": "a b"}},
                                       "member.email"),
    "a time zone that is none": ("UpdateOrganisation", {"organisation": {"name": "N", "time_zone": "Mars/Olympus"}},
                                 "organisation.time_zone"),
    "a request_id that is none": ("CreateInput", {"input": an_input(), "request_id": "again"}, "request_id"),
}


@pytest.mark.parametrize("what", WRONG_FIELDS)
def test_a_wrong_field_is_named(people, what):
    name, fields, path = WRONG_FIELDS[what]
    caller = people[2].admin if name in ("CreateMember", "UpdateOrganisation") else people[0]
    refused = refusal(method(name), packed(name, **fields), caller.credential)
    assert (refused.code.name, refused.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert list(refused.fields) == [path]
    assert refused.fields[path]


def test_a_timestamp_out_of_range_is_named(manager):
    for seconds, nanos in ((1 << 62, 0), (-(1 << 62), 0), (0, 2_000_000_000), (0, -1), (253402300800, 0)):
        request = method("AddMeasurements").request(request_id=new_id())
        item = request.measurements.add(metric_id=new_id(), value=1)
        item.observed_time.seconds, item.observed_time.nanos = seconds, nanos
        refused = refusal(method("AddMeasurements"), request.SerializeToString(), manager.credential)
        assert list(refused.fields) == ["measurements[0].observed_time"], (seconds, nanos)


def test_the_longest_text_fits(manager):
    assert manager.CreateInput(input=an_input(title=LONG[1:])).title == LONG[1:]


def test_what_the_service_sets_is_ignored_from_a_client(manager):
    made = manager.CreateAction(action={
        "id": new_id(), "number": "AC-1", "state": "ACTION_STATE_VERIFIED_EFFECTIVE", "review_id": new_id(),
        "percent_complete": 100,
        "title": "T", "owner_id": manager.member, "due_date": story.day(1), "revision": 7})
    assert (made.state, made.review_id, made.percent_complete, made.revision) == (1, "", 0, 1)
    assert made.number.startswith("AC-20")


# --- masks, etags, orders, page tokens -------------------------------------------------------------------

@pytest.mark.parametrize("mask", ["nothing", "title.more", "id", "state", "due_date", "revision", "title,number", "",
                                  " title", "title..",
                                  "TITLE", "*.title", "evidence.title", "x" * 5000])
def test_masks_name_changeable_fields_only(manager, action, mask):
    request = method("UpdateAction").request(id=action.id, request_id=new_id())
    request.action.title = "Changed"
    request.action.owner_id, request.action.due_date = manager.member, action.due_date
    request.update_mask.paths.extend(mask.split(","))
    refused = refusal(method("UpdateAction"), request.SerializeToString(), manager.credential)
    assert (refused.code.name, refused.reason) == ("INVALID_ARGUMENT", "MASK_INVALID")
    assert manager.GetAction(id=action.id).title == "Exists"


@pytest.mark.parametrize("path", ["nothing", "labels.x", "title.more", "risk.current.levels", "number", "source",
                                  "risk.above_appetite"])
def test_the_paths_of_an_upsert_name_changeable_fields_only(manager, path):
    given = {"source": "paths", "external_id": path, "labels": ["a"], "risk": {"scenario": "Before"}}
    id = manager.BatchUpsertInputs(inputs=[{"title": "Before", **given}]).results[0].input.id
    changed = {**given, "title": "After", "labels": ["b"], "risk": {"scenario": "After"}}
    with pytest.raises(Refused) as refused:
        manager.BatchUpsertInputs(inputs=[changed], update_paths=["title", path])
    assert (refused.value.code.name, refused.value.reason) == ("INVALID_ARGUMENT", "MASK_INVALID")
    assert list(refused.value.fields) == ["update_paths"] and f"'{path}'" in refused.value.fields["update_paths"]
    assert manager.GetInput(id=id).title == "Before"
    taken = manager.BatchUpsertInputs(inputs=[changed], update_paths=["title", "risk.scenario"]).results[0].input
    assert (taken.title, taken.risk.scenario, list(taken.labels)) == ("After", "After", ["a"])


@pytest.mark.parametrize("etag", ["2", "0", "-1", "01", "x", "1 ", "99999999999999999999999"])
def test_another_etag_changes_nothing(manager, action, etag):
    with pytest.raises(Refused) as refused:
        manager.UpdateAction(id=action.id, action={"title": "Changed", "owner_id": manager.member,
                                                   "due_date": action.due_date, "etag": etag},
                             update_mask="title")
    assert (refused.value.code.name, refused.value.reason) == ("ABORTED", "ETAG_MISMATCH")
    assert manager.GetAction(id=action.id).title == "Exists"


@pytest.mark.parametrize("order", ["title", "number desc", "due_date; drop table actions.action", "DUE_DATE",
                                   "due_date,number", "'"])
def test_orders_that_there_are_not(manager, order):
    with pytest.raises(Refused) as refused:
        manager.ListActions(order_by=order)
    assert (refused.value.code.name, refused.value.reason) == ("INVALID_ARGUMENT", "ORDER_UNSUPPORTED")


def test_a_page_token_changed_in_any_byte_or_used_elsewhere_is_refused(people, manager):
    for _ in range(3):
        manager.CreateAction(action={"title": "Paged", "owner_id": manager.member, "due_date": story.day(5)})
    token = manager.ListActions(page_size=1).next_page_token
    assert len(manager.ListActions(page_size=1, page_token=token).actions) == 1
    wrong = [token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1:] for n in range(len(token))]
    wrong += [token[:n] for n in range(1, len(token))] + [token + "A", token + "=", token * 2, "A", "%%%", "ä"]
    for text in wrong:
        with pytest.raises(Refused) as refused:
            manager.ListActions(page_size=1, page_token=text)
        assert (refused.value.code.name, refused.value.reason) == ("INVALID_ARGUMENT", "PAGE_TOKEN_INVALID"), text
    for elsewhere in ({"order_by": "number"}, {"state": "ACTION_STATE_OPEN"}, {"unfinished": True},
                      {"owner_id": manager.member}):
        with pytest.raises(Refused) as refused:
            manager.ListActions(page_size=1, page_token=token, **elsewhere)
        assert refused.value.reason == "PAGE_TOKEN_INVALID", elsewhere
    with pytest.raises(Refused) as refused:
        people[2].admin.ListMembers(page_size=1, page_token=token)
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


# --- sizes and encodings ---------------------------------------------------------------------------------

def test_a_message_larger_than_the_limit_is_refused(manager):
    data = packed("CreateInput", input=an_input()) + tagged(99, 2, b"x" * MESSAGE_SIZE_MAX)
    refused = refusal(method("CreateInput"), data, manager.credential)
    assert (refused.code.name, refused.reason) == ("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE")
    assert refused.facts["limit_bytes"] == str(MESSAGE_SIZE_MAX)


def test_a_list_of_choices_names_each(people):
    """UNSPECIFIED is what a field says that is not set: a member whose role it was could be read, and not judged."""
    with pytest.raises(Refused) as refused:
        people[2].admin.CreateMember(member={"name": "Nobody", "roles": ["ROLE_AUDITOR", "ROLE_UNSPECIFIED"]})
    assert refused.value.reason == "FIELD_INVALID" and refused.value.fields == {"member.roles[1]": "names no value"}


def test_a_message_far_larger_is_dropped_while_it_comes(manager):
    """gRPC reads a message whole before it looks at a limit. Either the quota ends the call, or its connection is ended
    for keeping the service from everybody else's calls."""
    before = peak_memory("inputs")
    refused = refusal(method("CreateInput"), bytes(600 << 20), manager.credential, timeout=30)
    assert refused.code.name in ("RESOURCE_EXHAUSTED", "UNAVAILABLE")
    assert peak_memory("inputs") - before < 300 << 20


def test_a_message_of_nobody_is_not_waited_for():
    before = peak_memory("inputs")
    assert refusal(method("CreateInput"), bytes(600 << 20), timeout=30).reason == "CREDENTIAL_MISSING"
    assert peak_memory("inputs") - before < 300 << 20


def test_a_message_of_exactly_the_limit_is_taken(manager):
    data = packed("CreateInput", input=an_input())
    data += tagged(99, 2, b"x" * (MESSAGE_SIZE_MAX - len(data) - 6))
    assert len(data) == MESSAGE_SIZE_MAX
    assert send(method("CreateInput"), data, manager.credential)


def test_gzip_works(manager):
    made = method("CreateInput").response.FromString(
        send(method("CreateInput"), packed("CreateInput", input=an_input(summary="z" * 10000)), manager.credential,
             compression=grpc.Compression.Gzip))
    assert manager.GetInput(id=made.id).summary == "z" * 10000


def test_deflate_is_refused_by_name(manager):
    refused = refusal(method("CreateInput"), packed("CreateInput", input=an_input(summary="z" * 10000)),
                      manager.credential,
                      compression=grpc.Compression.Deflate)
    assert refused.code.name == "UNIMPLEMENTED" and "deflate" in refused.text, "gRPC's own answer"


def test_a_gzip_bomb_is_refused_and_never_unpacked(manager):
    before = peak_memory("inputs")
    bomb = tagged(99, 2, bytes(150 << 20))
    refused = refusal(method("CreateInput"), bomb, manager.credential, compression=grpc.Compression.Gzip, timeout=30)
    assert (refused.code.name, refused.reason) == ("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE")
    assert peak_memory("inputs") - before < 64 << 20


@pytest.mark.parametrize("spoil", ["flipped", "cut", "more", "no gzip"])
def test_broken_gzip_is_malformed(manager, spoil):
    """Frames made by hand: no library sends these."""
    whole = gzip.compress(packed("GetInput", id=new_id()))
    data = {"flipped": whole[:12] + bytes([whole[12] ^ 0xFF]) + whole[13:], "cut": whole[:-3], "more": whole + b"more",
            "no gzip": b"plain bytes"}[spoil]
    trailers = http2_call(method("GetInput").path, data, manager.credential, compressed=True)
    assert b"grpc-status" in trailers
    assert http2_status(trailers) == 3


# --- what is not a call of ours at all -------------------------------------------------------------------

@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("path", ["/isms.actions.v1.ActionService/Nothing", "/nothing.v1.Nothing/Nothing", "/Nothing",
                                  "//", "/a/b/c",
                                  "/isms.actions.v1.ActionService/getaction", "/" + "x" * 4000 + "/y", "/ü/ü"],
                         ids=lambda path: path[:40])
def test_an_unknown_method_is_answered_at_once(service, path):
    refused = refusal(path, b"anything", service=service, timeout=20)
    assert (refused.code.name, refused.reason) == ("UNIMPLEMENTED", "METHOD_UNKNOWN")


def test_a_method_of_another_service_is_unknown():
    refused = refusal(method("GetAction"), b"", service="inputs")
    assert refused.reason == "METHOD_UNKNOWN"


def connect(service="actions"):
    host, port = stack().address(service).split(":")
    return socket.create_connection((host, int(port)), timeout=10)


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def header(name, value):
    """A literal header without indexing (RFC 7541, 6.2.2), lengths below 127 or with one continuation."""
    def text(data):
        return bytes([len(data)]) + data if len(data) < 127 else b"\x7f" + varint(len(data) - 127) + data
    return b"\0" + text(name) + text(value)


def http2_call(path, body, credential, compressed=False):
    """One call in frames of our own; answers all that came back until the stream's end."""
    headers = (header(b":method", b"POST") + header(b":scheme", b"http") + header(b":path", path.encode())
               + header(b":authority", b"x")
               + header(b"te", b"trailers") + header(b"content-type", b"application/grpc")
               + header(b"authorization", b"Bearer " + credential.encode()))
    if compressed:
        headers += header(b"grpc-encoding", b"gzip")
    message = bytes([compressed]) + struct.pack(">I", len(body)) + body
    with connect("inputs") as line:
        line.sendall(PREFACE + frame(4, 0, 0) + frame(1, 4, 1, headers) + frame(0, 1, 1, message))
        data = b""
        while True:
            piece = line.recv(65536)
            data += piece
            kinds = list(frames(data))
            if not piece or any(kind in (1, 3) and flags & 1 or kind in (3, 7) for kind, flags, _ in kinds):
                return b"".join(payload for kind, _, payload in kinds if kind in (1, 3, 7))


def frames(data):
    while len(data) >= 9:
        size = int.from_bytes(data[:3], "big")
        if len(data) < 9 + size:
            return
        yield data[3], data[4], data[9:9 + size]
        data = data[9 + size:]


def http2_status(trailers):
    """grpc-status, which C core sends as a literal."""
    at = trailers.index(b"grpc-status") + len(b"grpc-status")
    return int(trailers[at + 1:at + 1 + trailers[at]])


JUNK = {
    "nothing": b"", "random bytes": os.urandom(4096), "HTTP/1.1": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500),
    "half a preface": PREFACE[:10], "preface and junk": PREFACE + os.urandom(4096),
    "a frame of 16 MiB": PREFACE + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + bytes(100000),
    "headers without end": (PREFACE + frame(4, 0, 0) + frame(1, 0, 1, b"\x82" * 100)
                            + frame(9, 0, 1, b"\x82" * 10000) * 20),
    "data without headers": PREFACE + frame(4, 0, 0) + frame(0, 1, 1, b"x" * 100),
    "10,000 pings": PREFACE + frame(4, 0, 0) + frame(6, 0, 0, b"12345678") * 10000,
    "10,000 streams reset at once": PREFACE + frame(4, 0, 0) + b"".join(
        frame(1, 5, 2 * n + 1, b"\x83\x86" + header(b":path", b"/a/b") + header(b":authority", b"x"))
        + frame(3, 0, 2 * n + 1, bytes(4))
        for n in range(10000)),
}


@pytest.mark.parametrize("what", JUNK)
def test_junk_on_the_port_disturbs_nobody(manager, action, what):
    with connect() as line:
        try:
            line.sendall(JUNK[what])
        except OSError:
            pass  # it hung up on us, which is an answer
        assert manager.GetAction(id=action.id).title == "Exists"
    assert manager.GetAction(id=action.id).title == "Exists"


@pytest.mark.parametrize("metadata", [
    ("traceparent", "00-zz-zz-zz"), ("traceparent", "x" * 3000), ("grpc-trace-bin", b"\xff" * 100),
    ("x-anything", "y" * 5000),
    ("grpc-accept-encoding", "nonsense"), ("x-isms-assertion", "")], ids=lambda item: f"{item[0]} {len(item[1])}")
def test_strange_metadata_is_no_trouble(manager, action, metadata):
    try:
        assert send(method("GetAction"), packed("GetAction", id=action.id), manager.credential, metadata=[metadata])
    except Refused as refused:
        assert metadata[0] == "x-isms-assertion" and refused.reason == "CREDENTIAL_INVALID"

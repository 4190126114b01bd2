"""Every rpc of every service, as every role of two organisations, with requests made from the descriptors.

    FUZZ_SECONDS=3600 FUZZ_SEED=1 tests/run.sh fuzz

Each organisation has a marker in every text it ever wrote. Requests are mostly valid, with ids, etags and page tokens
that answers brought, and partly not: ids of the other organisation, boundaries, hostile texts, flipped bytes.
After each call, and in logs, metrics and Redis from time to time, nothing of the other organisation may be found, and
no status may say that the service did not know what to do. One seed gives one sequence of requests, as far as the
answers (ids, times) allow.
"""

import collections
import contextlib
import datetime
import random
import socket
import uuid

import csv_import
import evidence
import grpc
import story
from google.protobuf import timestamp_pb2
from hostile import processes
from isms_client import SERVICES, Caller, Organisation, Refused, api, channel, new_id, stack

ROLES = ("TENANT_ADMIN", "TOP_MANAGEMENT", "ISMS_MANAGER", "CONTRIBUTOR", "ACTION_OWNER", "AUDITOR")
UUID, DATE, EMAIL, TIME_ZONE, URI, SHA256 = range(1, 7)  # isms.options.v1.Format
AT_A_LOSS = {"INTERNAL", "UNKNOWN", "DATA_LOSS"}
HOSTILE = ("'; drop table action; --", "%s%n%x", "../../etc/passwd", "<script>alert(1)</script>", "\u202egnp.exe",
           "a\u0301" * 40, "\ufeff", "\x7f\x1b[31m", "${jndi:x}", "{{7*7}}", "=1+1", "\\", '"', "$1", ":tenant",
           "\U0001f0a1" * 20, "null", "-1", "\t")
# What acts on members and keys that call here would end the fuzz; those made in its course take their place.
GUARDED = ("Member", "Key", "Intake")
CHECK_EVERY = 500


class Failure(AssertionError):
    pass


def rules_of(field):
    options = api().message("google.protobuf.FieldOptions").FromString(field.GetOptions().SerializeToString())
    return options.Extensions[api().pool.FindExtensionByName("isms.options.v1.field")]


class Memory:
    """What answers have brought: ids by the kind of thing, etags, page tokens."""

    def __init__(self):
        self.ids = collections.defaultdict(list)
        self.etags, self.tokens, self.requests = {}, collections.defaultdict(list), []

    def learn(self, message, method=None):
        name = message.DESCRIPTOR.name
        fields = {field.name: value for field, value in message.ListFields()}
        if isinstance(fields.get("id"), str):
            kept = self.ids[name]
            if fields["id"] not in kept:
                kept.append(fields["id"])
                del kept[:-200]
            if fields.get("etag"):
                self.etags[fields["id"]] = fields["etag"]
        if method and fields.get("next_page_token"):
            self.tokens[method.name].append(fields["next_page_token"])
        for field, value in message.ListFields():
            if field.message_type is None or field.message_type.GetOptions().map_entry:
                continue
            for inner in value if field.label == field.LABEL_REPEATED else [value]:
                self.learn(inner)
        if name == "Input" and "metric" in fields and fields["id"] not in self.ids["Metric"]:
            self.ids["Metric"].append(fields["id"])

    def everything(self):
        return [one for kept in self.ids.values() for one in kept]


class Marked(Caller):
    """A member of an organisation, whose texts all hold its marker."""

    def call(self, method, request, timeout=30, metadata=()):
        mark(request, self.tenancy.marker)
        response = super().call(method, request, timeout, metadata)
        self.tenancy.memory.learn(response, method)
        self.tenancy.reached[method.name] += 1
        return response


def mark(message, marker):
    """Puts the marker into every text that may hold it."""
    for field, value in list(message.ListFields()):
        if field.message_type is not None:
            if field.message_type.GetOptions().map_entry or field.message_type.full_name.startswith("google."):
                continue
            for inner in value if field.label == field.LABEL_REPEATED else [value]:
                mark(inner, marker)
        elif field.type == field.TYPE_STRING and is_free(field):
            most = rules_of(field).max_length or 1000
            if field.label == field.LABEL_REPEATED:
                value[:] = [marked(text, marker, most) for text in value]
            else:
                setattr(message, field.name, marked(value, marker, most))


def is_free(field):
    """Text whose content is the writer's own; not what names something."""
    rules = rules_of(field)
    return not rules.format and not rules.pattern and not rules.output_only and (rules.max_length or 1000) >= 40 and \
        not field.name.endswith(("_id", "_ids", "_key", "token", "etag", "issuer", "subject", "order_by")) and \
        field.name not in ("id", "value_of", "field", "rule", "agenda_key", "language")


def marked(text, marker, most):
    return text if marker in text else f"{text} {marker}"[-most:]


class Tenancy:
    """An organisation that lives: a review signed, one open, actions, inputs, an import; and all who may call."""

    def __init__(self, marker, reached):
        self.marker, self.memory, self.reached = marker, Memory(), reached
        self.organisation = Organisation(f"Organisation {marker}")
        self.id = self.organisation.id
        self.organisation.admin = self.taken(self.organisation.admin)
        self.callers = {role: self.taken(self.organisation.person(role, f"{role.title()} {marker}")) for role in ROLES}
        for role in ("TENANT_ADMIN", "ISMS_MANAGER", "AUDITOR"):
            self.callers[f"{role} key"] = self.taken(self.organisation.key(role))
        self.guarded = {caller.member for caller in self.callers.values()} | {self.organisation.admin.member}
        self.live()

    def taken(self, caller):
        caller.__class__, caller.tenancy = Marked, self
        return caller

    def live(self):
        manager, chair = self.callers["ISMS_MANAGER"], self.callers["TOP_MANAGEMENT"]
        metric = story.record_inputs(manager)["metric"]
        story.measure(manager, metric, [9, 7, 5])
        manager.ListMeasurements(metric_id=metric.id)
        csv_import.imported(manager, f"Title,Id\n{self.marker},1\n".encode(),
                            columns=csv_import.columns({"Title": "title", "Id": "external_id"}))
        first = story.Review(manager, chair, title="First")
        first.hold(("Decided", "To be done", "To be done as well"))
        self.second = story.Review(manager, chair, programme=first.programme, title="Second")
        self.second.open()
        self.second.discuss()
        self.second.decide("Open", "Perhaps")
        for n in range(3):
            manager.CreateAction(action={"title": f"Action {n}", "owner_id": manager.member, "due_date": story.day(30)})
        form = manager.CreateIntakeForm(form={
            "title": f"Form {self.marker}", "purpose": "INTAKE_PURPOSE_SURVEY", "interested_party": "Customers",
            "questions": [{"key": "why", "text": f"Why, {self.marker}?", "type": "TYPE_TEXT"}]})
        made = manager.IssueIntakeToken(form_id=form.id, name="web site")
        self.callers["INTAKE token"] = self.taken(Caller(made.intake_token, self.id, made.token.id))
        self.guarded |= {form.id, made.token.id}
        manager.CreateContributions(contributions=[
            {"agenda_item": "risks", "assignee_id": manager.member, "due_date": story.day(30)}])


class Fuzz:
    def __init__(self, seed):
        self.seed, self.random = seed, random.Random(seed)
        self.before = processes()
        self.logs = {service: self.log_path(service).stat().st_size for service in SERVICES}
        self.reached = collections.Counter()
        suffix = uuid.uuid4().hex[:8]
        self.tenancies = [Tenancy(f"Mark{name}{suffix}", self.reached) for name in ("Amsel", "Zebrafink")]
        self.spare_name = f"Spare {suffix}"
        self.spare = Organisation(self.spare_name)
        self.platform = Caller(stack().platform_key())
        self.nobody = [Caller(None), Caller("isms_" + "0" * 32 + "_" + "0" * 32 + "_" + "A" * 43), Caller("a.b.c")]
        self.methods = sorted(api().methods.values(), key=repr)
        self.streams = {f"/{file.package}.{service.name}/{method.name}" for file in api().files.file
                        for service in file.service for method in service.method if method.server_streaming}
        self.calls, self.answers, self.denied, self.wild = 0, collections.Counter(), set(), False

    # --- values -------------------------------------------------------------------------------------------

    def identifier(self, own, other, kind):
        """Mostly of something of one's own that fits."""
        chance = self.random.random() if self.wild else 0
        of_kind = own.memory.ids.get(kind) or own.memory.everything()
        if chance < 0.82:
            return self.random.choice(of_kind)
        if chance < 0.88:
            return self.random.choice(own.memory.everything())
        if chance < 0.97:
            return self.random.choice(other.memory.ids.get(kind) or other.memory.everything())
        unknown = str(uuid.UUID(int=self.random.getrandbits(128)))
        return self.random.choice([unknown, "", "x", "0" * 36, of_kind[0].upper()])

    def kind_of(self, method, path, name):
        """Which thing's id a field holds, by the field's or the service's name."""
        known = {"owner_id": "Member", "chair_id": "Member", "member_id": "Member", "preparer_id": "Member",
                 "metric_id": "Metric", "input_ids": "Input"}
        if name in known:
            return known[name]
        if name == "id":
            for kind in ("Decision", "Measurement"):
                if kind in method.name:
                    return kind
            if "Profile" in method.name:
                return "ImportProfile"
            if "IntakeContact" in method.name:
                return "IntakeSubmission"
            noun = method.path.split(".")[-1].split("/")[0].removesuffix("Service")
            return {"Evidence": "EvidenceFile", "Intake": "IntakeForm"}.get(noun, noun)
        return name.removesuffix("s").removesuffix("_id").title().replace("_", "")

    def text(self, own, other, method, path, field, rules):
        roll = self.random.random() if self.wild else self.random.uniform(0.15, 0.9)
        name = field.name
        if rules.format == UUID or name == "id" or name.endswith(("_id", "_ids")):
            if name == "request_id":
                if roll < 0.9 or not own.memory.requests:
                    own.memory.requests.append(str(uuid.UUID(int=self.random.getrandbits(128))))
                    return own.memory.requests[-1]
                return self.random.choice(own.memory.requests + other.memory.requests[-5:])
            if name == "external_id":
                return self.random.choice(["", "1", f"X-{self.random.randrange(50)}"])
            return self.identifier(own, other, self.kind_of(method, path, name))
        if roll < 0.05:
            return self.random.choice(HOSTILE)
        if name == "etag":
            known = own.memory.etags.values() if roll < 0.9 else other.memory.etags.values()
            return self.random.choice(list(known) or ["1"]) if roll > 0.7 else ""
        if name == "page_token":
            tokens = (own if roll < 0.9 else other).memory.tokens[method.name]
            return self.random.choice(tokens) if tokens and roll > 0.5 else ""
        if rules.format == DATE:
            day = datetime.date(2026, 1, 1) + datetime.timedelta(days=self.random.randrange(-800, 800))
            return day.isoformat() if roll < 0.95 else self.random.choice(["2026-02-30", "9999-12-31", "0001-01-01"])
        made = {EMAIL: f"{own.marker}@example.com", TIME_ZONE: self.random.choice(["UTC", "Asia/Kathmandu"]),
                URI: f"https://example.com/{own.marker}", SHA256: "0" * 64}.get(rules.format)
        if made:
            return made
        if name in ("order_by", "agenda_key", "agenda_item", "source", "language", "key"):
            return self.random.choice({"agenda_key": story.AGENDA, "agenda_item": ("risks", "audits"), "key": ("why",),
                                       "source": ("fuzz", "jira")}.get(name, ("",)))
        if roll < 0.1:
            return ""
        most = rules.max_length or 200
        length = most if roll < 0.12 else most + 1 if roll < 0.13 else self.random.randrange(1, min(most, 60) + 1)
        return (f"{own.marker} " + "ö text " * (length // 7 + 1))[:length]

    def number(self, field, rules):
        low, high = (rules.range.min, rules.range.max) if rules.HasField("range") else (0, 100)
        whole = field.cpp_type not in (field.CPPTYPE_DOUBLE, field.CPPTYPE_FLOAT)
        value = self.random.choice([low, high, self.random.uniform(low, high)])
        if self.wild and self.random.random() < 0.1:
            value = self.random.choice([low - 1, high + 1, -1e300, 1e300] + ([] if whole else [float("nan")]))
        if not whole:
            return value
        bits = 31 if field.cpp_type in (field.CPPTYPE_INT32, field.CPPTYPE_UINT32) else 63
        least = 0 if field.cpp_type in (field.CPPTYPE_UINT32, field.CPPTYPE_UINT64) else -(1 << bits)
        return max(least, min(int(value), (1 << bits) - 1))

    def scalar(self, own, other, method, path, field, rules):
        if field.enum_type is not None:
            values = [value.number for value in field.enum_type.values]
            odd = self.wild and self.random.random() < 0.1
            return self.random.choice([0, 99] if odd else values[1:] or values)
        if field.type == field.TYPE_STRING:
            return self.text(own, other, method, path, field, rules)
        if field.type == field.TYPE_BYTES:
            return self.random.choice([b"", f"Title,Id\r\n{own.marker},1\r\n".encode(), self.random.randbytes(20)])
        if field.type == field.TYPE_BOOL:
            return self.random.random() < 0.5
        return self.number(field, rules)

    def fill(self, message, own, other, method, path=()):
        oneofs = {oneof: self.random.choice(oneof.fields) for oneof in message.DESCRIPTOR.oneofs}
        for field in message.DESCRIPTOR.fields:
            rules = rules_of(field)
            if field.containing_oneof and oneofs[field.containing_oneof] is not field:
                continue
            optional, needed = (0.3, 0.97) if self.wild else (0.15, 1)
            likely = needed if rules.required or field.containing_oneof else 0.04 if rules.output_only else optional
            if field.name == "id" or (field.name.endswith("_id") and len(path) == 0):
                likely = max(likely, 0.5)
            if self.random.random() > likely or len(path) > 5:
                continue
            repeated = field.label == field.LABEL_REPEATED
            if field.message_type is not None:
                self.fill_message(message, own, other, method, path, field, repeated)
            elif repeated:
                getattr(message, field.name).extend(self.scalar(own, other, method, path, field, rules)
                                                    for _ in range(self.random.choice([1, 1, 2, 3])))
            else:
                setattr(message, field.name, self.scalar(own, other, method, path, field, rules))

    def fill_message(self, message, own, other, method, path, field, repeated):
        kind = field.message_type
        if kind.GetOptions().map_entry:
            if kind.fields_by_name["value"].type == field.TYPE_STRING:
                getattr(message, field.name)[self.random.choice(("team", "ISO"))] = own.marker
            return
        for _ in range(self.random.choice([1, 1, 2]) if repeated else 1):
            inner = getattr(message, field.name).add() if repeated else getattr(message, field.name)
            if kind.full_name == timestamp_pb2.Timestamp.DESCRIPTOR.full_name:
                inner.seconds = 1767225600 + self.random.randrange(1 << 24)
                if self.wild and self.random.random() < 0.2:
                    inner.seconds = self.random.choice([0, -1, 1 << 40, -1 << 62])
            elif kind.full_name == "google.protobuf.FieldMask":
                sibling = next((one.message_type for one in message.DESCRIPTOR.fields
                                if one.message_type is not None and one is not field), kind)
                inner.paths.append(self.random.choice([
                    one.name for one in sibling.fields
                    if self.wild or not (rules_of(one).output_only or rules_of(one).immutable)] or ["*"]))
            elif kind.full_name.startswith("google."):
                inner.SetInParent()
            else:
                inner.SetInParent()
                self.fill(inner, own, other, method, path + (field,))

    def flipped(self, data):
        data = bytearray(data)
        for _ in range(self.random.choice([1, 2, 8])):
            action = self.random.randrange(3)
            at = self.random.randrange(len(data) + 1)
            if action == 0 and at < len(data):
                data[at] ^= 1 << self.random.randrange(8)
            elif action == 1:
                data[at:at] = self.random.randbytes(self.random.randrange(1, 9))
            else:
                del data[at:at + self.random.randrange(1, 9)]
        return bytes(data)

    # --- calls --------------------------------------------------------------------------------------------

    def guard(self, method, request, own):
        """Not oneself, nor those who call here; nor, for the platform, the two organisations."""
        noun = method.path.split(".")[-1].split("/")[0].removesuffix("Service")
        if own is None and hasattr(request, "id"):
            request.id = self.spare.id
        guarded = self.tenancies[0].guarded | self.tenancies[1].guarded
        for holder in (request, *(value for _, value in request.ListFields() if hasattr(value, "DESCRIPTOR"))):
            if noun in GUARDED and not method.name.startswith(("Get", "List")) and \
                    getattr(holder, "id", None) in guarded:
                others = [one for one in own.memory.ids[noun] if one not in guarded] if own else []
                holder.id = self.random.choice(others or [new_id()])

    def caller_of(self, method, tenancy):
        """(name, whose, caller, metadata): one that this method has not refused so far, mostly."""
        others = {"platform": (None, self.platform, ()),
                  "platform for it": (None, self.platform, (("x-isms-organisation", tenancy.id),)),
                  "nobody": (None, self.random.choice(self.nobody), ())}
        names = [*sorted(tenancy.callers), *others]
        for _ in range(6):
            name = self.random.choice(names)
            if (method.name, name) not in self.denied or self.random.random() < 0.15:
                break
        return (name, *(others[name] if name in others else (tenancy, tenancy.callers[name], ())))

    def send(self, method, data, caller, metadata):
        """(status name, all bytes that came back, response or None)."""
        headers = [*metadata, *((("authorization", f"Bearer {caller.credential}"),) if caller.credential else ())]
        try:
            if method.path in self.streams:
                call = channel(method.service).unary_stream(method.path)(data, timeout=20, metadata=headers)
                came = []
                for part in call:
                    came.append(part)
                    if len(came) == 20:
                        call.cancel()
                        break
                return "OK", b"".join(came), None
            answer, call = channel(method.service).unary_unary(method.path).with_call(
                data, timeout=20, metadata=headers)
            return "OK", answer + repr(call.trailing_metadata()).encode(), method.response.FromString(answer)
        except grpc.RpcError as error:
            refused = Refused(error)
            extra = repr(error.trailing_metadata()) + repr(error.initial_metadata())
            return refused.code.name, refused.text.encode() + refused.raw + extra.encode() + repr(error).encode(), None

    def step(self, methods=None):
        method = self.random.choice(methods or self.methods)
        own, other = self.random.sample(self.tenancies, 2)
        name, tenancy, caller, metadata = self.caller_of(method, own)
        self.wild = self.random.random() < 0.5
        request = method.request()
        self.fill(request, own, other, method)
        self.guard(method, request, tenancy)
        data = request.SerializeToString()
        if self.wild and self.random.random() < 0.15:
            data = self.flipped(data)
        self.calls += 1
        status, came, response = self.send(method, data, caller, metadata)
        self.answers[status] += 1
        told = (f"seed {self.seed}, call {self.calls}, {method.path} as {name}\n{request}\nbytes {data.hex()}\n"
                f"answer {came!r}")
        if status in AT_A_LOSS:
            raise Failure(f"answered {status}: {told}")
        if name != "platform" and other.marker.encode() in came:
            raise Failure(f"the other organisation's marker came back: {told}")
        if status == "UNAVAILABLE" and processes() != self.before:
            raise Failure(f"a process has ended: {told}")
        if status in ("PERMISSION_DENIED", "UNAUTHENTICATED"):
            self.denied.add((method.name, name))
        if status == "OK":
            self.reached[method.name] += 1
            if response is not None and tenancy is not None:
                tenancy.memory.learn(response, method)
        if self.calls % CHECK_EVERY == 0:
            self.look_around()

    def reach_the_rest(self, calls):
        """What chance alone did not bring about: the steps of a story, then only the methods that are left."""
        tenancy = self.tenancies[0]
        manager, chair = tenancy.callers["ISMS_MANAGER"], tenancy.callers["TOP_MANAGEMENT"]
        third = story.Review(manager, chair, title="Third")
        manager.UpdateReview(id=third.id, review={"title": "Third, renamed"}, update_mask="title")
        third.open()
        decision = third.decide("Decided late")
        chair.UpdateDecision(id=decision.id, decision={"title": "Decided again"}, update_mask="title")
        chair.WaiveGap(id=third.id, rule="CONCLUSION_MISSING", subject="ADEQUACY", reason="Not looked at today.")
        with contextlib.suppress(Refused):  # it is already
            self.platform.SuspendOrganisation(id=self.spare.id)
        self.platform.EraseOrganisation(id=self.spare.id, name=self.spare_name)
        self.reached["EraseOrganisation"] += 1
        self.files_and_forms(manager)
        self.contributions(manager, tenancy.callers["CONTRIBUTOR"])
        for _ in range(calls):
            left = [method for method in self.methods if method.name in self.unreached()]
            if not left:
                break
            self.step(left)

    @staticmethod
    def files_and_forms(manager):
        """What takes several steps that fit each other: files, forms, mappings."""
        for _ in range(2):
            file = evidence.stored(manager, b"what was seen")
        manager.GetEvidenceFile(id=file.id)
        manager.ReadEvidenceFile(id=file.id, offset=0, size=10)
        manager.DeleteEvidenceFile(id=file.id)
        form = manager.CreateIntakeForm(form={
            "title": "Form", "purpose": "INTAKE_PURPOSE_SURVEY", "interested_party": "All",
            "questions": [{"key": "a", "text": "Well?", "type": "TYPE_TEXT"}]})
        token = manager.IssueIntakeToken(form_id=form.id, name="Token")
        submission = Caller(token.intake_token).SubmitIntake(
            answers=[{"key": "a", "text": manager.tenancy.marker}], contact=manager.tenancy.marker)
        manager.EraseIntakeContact(id=submission.submission_id)
        manager.UpdateIntakeForm(id=form.id, form={"title": "Form, renamed"}, update_mask="title")
        manager.RevokeIntakeToken(form_id=form.id, token_id=token.token.id)
        manager.CloseIntakeForm(id=form.id)
        columns = [{"column": "Title", "field": "title"}, {"column": "Id", "field": "external_id"}]
        fields = {"kind": "INPUT_KIND_FINDING", "source": "fuzz", "columns": columns}
        profile = manager.CreateImportProfile(profile={"name": "Profile", **fields})
        manager.GetImportProfile(id=profile.id)
        manager.UpdateImportProfile(id=profile.id, profile={"name": "Profile, renamed", **fields})
        manager.DeleteImportProfile(id=profile.id)
        given_up = manager.CreateImport(file_name="a.csv", source="fuzz", kind="INPUT_KIND_FINDING", columns=columns)
        manager.CancelImport(id=given_up.id)
        party = manager.CreateParty(party={"name": "Party"})
        manager.DeleteParty(id=party.id)
        manager.UndeleteParty(id=party.id)

    @staticmethod
    def contributions(manager, contributor):
        """What is asked of whoever may still deliver it: chance suspends members and takes their roles."""
        asked = manager.CreateContributions(contributions=[
            {"kind": "INPUT_KIND_RISK", "assignee_id": contributor.member, "due_date": story.day(30)}]).contributions[0]
        manager.UpdateContribution(id=asked.id, contribution={"note": "By Friday"}, update_mask="note")
        contributor.DeliverContribution(id=asked.id)
        manager.ReturnContribution(id=asked.id, reason="Half of it")
        manager.HandOver(from_member_id=contributor.member, to_member_id=manager.member)
        manager.WithdrawContribution(id=asked.id)

    # --- around ---------------------------------------------------------------------------------------------

    @staticmethod
    def log_path(service):
        return stack().folder / "log" / f"{service}.log"

    def look_around(self):
        """Processes, logs, metrics, Redis."""
        if processes() != self.before:
            raise Failure(f"a process has ended: seed {self.seed}, call {self.calls}")
        markers = [tenancy.marker.encode() for tenancy in self.tenancies]
        for service in SERVICES:
            with self.log_path(service).open("rb") as log:
                log.seek(self.logs[service])
                text = log.read()
                self.logs[service] += len(text)
            for place, content in (("log", text), ("metrics", stack().admin(service, "/metrics").encode())):
                for marker in markers:
                    if marker in content:
                        at = content.index(marker)
                        raise Failure(f"the {place} of {service} names data: {content[max(0, at - 300):at + 100]!r}, "
                                      f"seed {self.seed}, call {self.calls}")
        for key, value in redis_everything():
            for tenancy in self.tenancies:
                forms = (tenancy.id.encode(), tenancy.id.replace("-", "").encode(), uuid.UUID(tenancy.id).bytes)
                if tenancy.marker.encode() in key or (tenancy.marker.encode() in value and
                                                      not any(form in key for form in forms)):
                    raise Failure(f"Redis holds a text of {tenancy.id} under {key!r}, seed {self.seed}")

    def unreached(self):
        """Methods for callers from outside that never answered OK."""
        return sorted(method.name for method in self.methods
                      if not method.rules.internal and not self.reached[method.name])


def redis_everything():
    """Every key of the stack's Redis with its value as bytes."""
    password = (stack().folder / "password").read_text().strip()
    with socket.create_connection(("127.0.0.1", stack().port("redis")), timeout=10) as connection, \
            connection.makefile("rb") as answers:

        def reply():
            line = answers.readline()
            kind, rest = line[:1], line[1:-2]
            if kind == b"*":
                return [reply() for _ in range(int(rest))]
            if kind == b"$":
                return answers.read(int(rest) + 2)[:-2] if int(rest) >= 0 else b""
            return rest

        def ask(*words):
            words = [word if isinstance(word, bytes) else word.encode() for word in words]
            connection.sendall(b"*%d\r\n" % len(words) +
                               b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
            return reply()

        ask("AUTH", password)
        cursor = b"0"
        while True:
            cursor, keys = ask("SCAN", cursor, "COUNT", "1000")
            for key in keys:
                reads = {b"string": "GET", b"hash": "HGETALL", b"set": "SMEMBERS"}
                read = reads.get(ask("TYPE", key))
                value = ask(read, key) if read else b""
                yield key, b"\0".join(value) if isinstance(value, list) else value
            if cursor == b"0":
                return

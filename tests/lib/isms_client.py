"""A client of the services that is not ours: Debian's grpcio and protobuf, and nothing generated.

Messages and methods come from the proto files by protoc's descriptor set, so whatever the tests do here a
frontend team can do with its own tools. Needs the stack that tests/run.sh starts.
"""

import base64
import functools
import itertools
import json
import os
import pathlib
import subprocess
import tempfile
import time
import urllib.request
import uuid

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ("inputs", "actions", "reviews", "reporting")
# What a program of ours is given beside its own settings: where others are, and what tests/run.sh tells a sanitizer.
BARE_ENVIRONMENT = {name: value for name, value in os.environ.items() if name == "PATH" or name.endswith("SAN_OPTIONS")}


class Api:
    """Every message and method of proto/, by name."""

    def __init__(self):
        files = sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto").rglob("*.proto"))
        with tempfile.NamedTemporaryFile() as out:
            subprocess.run(
                ["protoc", f"-I{ROOT / 'proto'}", "-I/usr/include", "--include_imports",
                 f"--descriptor_set_out={out.name}", *files], check=True)
            self.files = descriptor_pb2.FileDescriptorSet.FromString(out.read())
        self.pool = descriptor_pool.DescriptorPool()
        for file in self.files.file:
            self.pool.Add(file)
        factory = message_factory.MessageFactory(self.pool)
        self.message = functools.lru_cache(None)(
            lambda name: factory.GetPrototype(self.pool.FindMessageTypeByName(name)))
        self.methods = {}
        rules_extension = self.pool.FindExtensionByName("isms.options.v1.method")
        options_class = factory.GetPrototype(self.pool.FindMessageTypeByName("google.protobuf.MethodOptions"))
        for file in self.files.file:
            for service in file.service:
                for method in service.method:
                    if not file.package.startswith("isms."):
                        continue
                    options = options_class.FromString(method.options.SerializeToString())
                    self.methods[f"/{file.package}.{service.name}/{method.name}"] = Method(
                        service=file.package.split(".")[1], name=method.name,
                        path=f"/{file.package}.{service.name}/{method.name}",
                        request=self.message(method.input_type[1:]), response=self.message(method.output_type[1:]),
                        rules=options.Extensions[rules_extension], streams=method.server_streaming)
        self.by_name = {method.name: method for method in self.methods.values()}


class Method:
    def __init__(self, service, name, path, request, response, rules, streams):
        self.service, self.name, self.path = service, name, path
        self.request, self.response, self.rules = request, response, rules
        self.streams = streams

    def __repr__(self):
        return self.path


@functools.lru_cache(None)
def api():
    return Api()


class Stack:
    """The installation under test."""

    def __init__(self):
        self.folder = pathlib.Path(os.environ["ISMS_TEST_STACK"])
        self.bin = pathlib.Path(os.environ["ISMS_TEST_STACK_BIN"])
        self.primary = "postgres"  # until its standby takes over

    def port(self, name):
        return int((self.folder / "ports" / name).read_text())

    def address(self, service):
        """The service, or what a test has put in front of it (fault_proxy.py)."""
        between = self.folder / "via" / f"clients.{service}"
        return between.read_text() if between.exists() else f"127.0.0.1:{self.port(service)}"

    def control(self, *arguments):
        """deploy/lib/stack.sh for one step: restart, start, stop."""
        environment = dict(os.environ, STACK_BIN=str(self.bin))
        done = subprocess.run(["bash", str(ROOT / "deploy/lib/stack.sh"), str(self.folder), *arguments],
                              env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def token(self, subject, tenant, lifetime=3600):
        return self.control("token", subject, tenant, str(lifetime))

    def sql(self, statement, role="postgres", database="isms"):
        """Runs SQL directly, as an attacker with a service's password would."""
        environment = dict(os.environ, PGPASSWORD=(self.folder / "password").read_text().strip())
        return subprocess.run(
            ["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port(self.primary)),
             "-U", role, "-d", database, "-c", statement], env=environment, capture_output=True, text=True)

    def pid(self, service):
        return int((self.folder / "pids" / service).read_text().split()[0])

    def platform_key(self):
        kept = self.folder / "platform.key"
        if not kept.exists():
            kept.write_text(self.platform_key_made())
        return kept.read_text()

    def platform_key_made(self, *roles):
        """A new key of the platform's, as the owner of the database makes them."""
        password = (self.folder / "password").read_text().strip()
        url = f"postgresql://isms_owner:{password}@127.0.0.1:{self.port('postgres')}/isms"
        return subprocess.run(
            [str(self.bin / "isms-migrate"), f"--database-url={url}", "platform-key", "tests", *roles],
            capture_output=True, text=True, check=True).stdout.strip()

    def admin(self, service, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port(service + '-admin')}{path}", timeout=5) as answer:
            return answer.read().decode()


@functools.lru_cache(None)
def stack():
    return Stack()


@functools.lru_cache(None)
def channel(service):
    return grpc.insecure_channel(stack().address(service), options=[
        ("grpc.max_receive_message_length", 64 << 20), ("grpc.enable_retries", 0),
        ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.min_reconnect_backoff_ms", 1000),
        ("grpc.max_reconnect_backoff_ms", 1000)])


class Refused(Exception):
    """A call that was answered with a status, its details taken apart."""

    def __init__(self, error):
        self.code = error.code()
        self.text = error.details() or ""
        self.raw = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
        self.reason, self.facts, self.fields, self.types = status_details(self.raw)
        super().__init__(f"{self.code.name} {self.reason}: {self.text} {self.facts} {self.fields}")


def wire_fields(data):
    """The fields of a protobuf message without its descriptor: (number, value)."""
    position = 0

    def varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(data):
        key = varint()
        if key & 7 == 2:
            size = varint()
            yield key >> 3, data[position:position + size]
            position += size
        elif key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 5:
            position += 4
        elif key & 7 == 1:
            position += 8


def status_details(raw):
    """reason, facts and wrong fields out of google.rpc.Status bytes."""
    reason, facts, fields, types = "", {}, {}, []
    for number, value in wire_fields(raw):
        if number != 3:
            continue
        detail = dict(wire_fields(value))
        name = detail[1].decode().rsplit(".", 1)[-1]
        types.append(name)
        body = detail.get(2, b"")
        if name == "ErrorInfo":
            for inner, content in wire_fields(body):
                if inner == 1:
                    reason = content.decode()
                elif inner == 3:
                    pair = dict(wire_fields(content))
                    facts[pair[1].decode()] = pair.get(2, b"").decode()
        elif name == "BadRequest":
            for _, violation in wire_fields(body):
                pair = dict(wire_fields(violation))
                fields[pair.get(1, b"").decode()] = pair.get(2, b"").decode()
    return reason, facts, fields, types


def new_id():
    return str(uuid.uuid4())


class Caller:
    """Somebody with a credential: caller.GetAction(id=…) calls the method of that name."""

    def __init__(self, credential, tenant=None, member=None):
        self.credential, self.tenant, self.member = credential, tenant, member

    def call(self, method, request, timeout=30, metadata=()):
        if method.streams:
            return list(self.stream(method, request, timeout, metadata))
        call = channel(method.service).unary_unary(
            method.path, request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=method.response.FromString)
        try:
            return call(request, timeout=timeout, metadata=self.headers(metadata))
        except grpc.RpcError as error:
            raise Refused(error) from None

    def stream(self, method, request, timeout=30, metadata=()):
        """The messages of a streaming method, as they come."""
        call = channel(method.service).unary_stream(
            method.path, request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=method.response.FromString)
        try:
            yield from call(request, timeout=timeout, metadata=self.headers(metadata))
        except grpc.RpcError as error:
            raise Refused(error) from None

    def headers(self, metadata):
        return [*metadata, *([("authorization", f"Bearer {self.credential}")] if self.credential else [])]

    def __getattr__(self, name):
        method = api().by_name.get(name)
        if method is None:
            raise AttributeError(name)

        def run(timeout=30, **fields):
            if method.rules.write and "request_id" not in fields:
                fields["request_id"] = new_id()
            return self.call(method, json_format.ParseDict(fields, method.request()), timeout)

        return run


def as_dict(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def until(condition, seconds=15, what="the condition", pause=0.05):
    """Waits for an event, never for a time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise AssertionError(f"{what} did not come about within {seconds} s")


class Organisation:
    """An organisation of its own for a test, with a member and a credential for each role."""

    _counter = itertools.count(1)

    def __init__(self, name=None):
        name = name or f"Test organisation {next(self._counter)} {uuid.uuid4().hex[:6]}"
        platform = Caller(stack().platform_key())
        made = platform.CreateOrganisation(
            organisation={"name": name, "time_zone": "Europe/Berlin"},
            administrator={"name": "Adele Admin", "email": "adele@example.com", "roles": ["ROLE_TENANT_ADMIN"]})
        self.id = made.organisation.id
        self.admin = Caller(made.api_key, self.id, made.administrator.id)
        self.people = {}

    def person(self, role, name=None):
        """A member who holds the role, signed in: one a role and name."""
        name = name or f"{role.title().replace('_', ' ')} Person"
        if (role, name) not in self.people:
            subject = f"{role.lower()}-{uuid.uuid4().hex[:8]}"
            member = self.admin.CreateMember(member={
                "name": name, "roles": [f"ROLE_{role}"], "issuer": "https://id.demo.example", "subject": subject,
                "email": f"{subject}@example.com"})
            self.people[role, name] = Caller(stack().token(subject, self.id), self.id, member.id)
        return self.people[role, name]

    def key(self, *roles):
        made = self.admin.CreateKey(key={"name": "test", "roles": [f"ROLE_{role}" for role in roles]})
        return Caller(made.api_key, self.id, made.key.id)


def unverified_claims(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))

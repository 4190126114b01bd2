"""What a client that means no good needs beside isms_client: bytes that no serializer made, and a look at the process
that got them."""

import os
import pathlib
import re
import subprocess

import grpc
import pytest
from google.protobuf import json_format
from isms_client import SERVICES, Refused, api, channel, new_id, stack


def send(method, data, credential=None, metadata=(), timeout=10, service=None, **options):
    """Sends these bytes to a method (a Method or a path) and answers the response's bytes; Refused otherwise."""
    path = method if isinstance(method, str) else method.path
    headers = list(metadata)
    if credential:
        headers.append(("authorization", f"Bearer {credential}"))
    to = channel(service or method.service)
    try:
        if getattr(method, "streams", False):
            return b"".join(to.unary_stream(path)(data, timeout=timeout, metadata=headers, **options))
        return to.unary_unary(path)(data, timeout=timeout, metadata=headers, **options)
    except grpc.RpcError as error:
        raise Refused(error) from None


def refusal(method, data, credential=None, **options):
    """The status that answers these bytes; that there is none fails the test."""
    with pytest.raises(Refused) as refused:
        send(method, data, credential, **options)
    return refused.value


def packed(name, **fields):
    """The bytes of a method's request with these fields."""
    method = api().by_name[name]
    if method.rules.write:
        fields.setdefault("request_id", new_id())
    return json_format.ParseDict(fields, method.request()).SerializeToString()


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tagged(number, wire_type, payload=b""):
    """One field on the wire; of type 2 with its length."""
    return varint(number << 3 | wire_type) + (varint(len(payload)) + payload if wire_type == 2 else payload)


def processes():
    """{service: (pid, start time)}: the same before and after means that no process died in between."""
    found = {}
    for service in SERVICES:
        pid = stack().pid(service)
        found[service] = (pid, pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    return found


def peak_memory(service):
    """The most memory that the service's process ever had, in bytes; without ThreadSanitizer's notes on it, which are
    about three times as large."""
    status = pathlib.Path(f"/proc/{stack().pid(service)}/status").read_text()
    watched = b"__tsan_init" in (stack().bin / f"isms-{service}").read_bytes()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024 // (4 if watched else 1)


def sql_each(statements, role, before=""):
    """Runs each statement in a transaction of its own, with its context before it; answers what psql said to each.
    A statement that fails does not end the others."""
    password = (stack().folder / "password").read_text().strip()
    mark = "=====next====="
    script = "".join(f"begin;\n{before}\n\\echo {mark}\n{statement};\n\\echo {mark}\ncommit;\n"
                     for statement in statements)
    done = subprocess.run(
        ["psql", "-X", "-At", "-h", "127.0.0.1", "-p", str(stack().port("postgres")), "-U", role, "-d", "isms",
         "-f", "-"],
        input=script, env=dict(os.environ, PGPASSWORD=password), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)
    answers = done.stdout.split(mark)[1::2]
    assert len(answers) == len(statements), done.stdout
    return [answer.strip() for answer in answers]

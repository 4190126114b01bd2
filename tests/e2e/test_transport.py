"""What a caller meets below the methods: compression, limits, streams that stall, health that is watched, the end.

Against isms-interop, which has our runtime and no database.
"""

import json
import signal
import socket
import threading
import time
import zlib

import grpc
import h2.events
import h2.exceptions
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from isms_client import until
from transport import ROOT, RawConnection, Server

UNARY = "/grpc.testing.TestService/UnaryCall"
OUTPUT = "/grpc.testing.TestService/StreamingOutputCall"
EMPTY = "/grpc.testing.TestService/EmptyCall"
CHECK = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"
SERVING, NOT_SERVING, SERVICE_UNKNOWN = b"\x08\x01", b"\x08\x02", b"\x08\x03"


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def simple_request(size):
    """SimpleRequest.response_size."""
    return b"\x10" + varint(size)


def output_request(*sizes, interval_us=0):
    """StreamingOutputCallRequest.response_parameters: size, interval_us."""
    out = b""
    for size in sizes:
        parameters = b"\x08" + varint(size) + b"\x10" + varint(interval_us)
        out += b"\x12" + varint(len(parameters)) + parameters
    return out


@pytest.fixture(scope="module")
def server():
    with Server() as started:
        yield started


def stream(channel, path, request, timeout=30):
    return channel.unary_stream(path)(request, timeout=timeout)


def message(frames):
    return frames[5:5 + int.from_bytes(frames[1:5], "big")]


# --- compression ---------------------------------------------------------------------------------------------------


def test_large_answers_are_compressed_for_who_takes_gzip(server):
    headers, frames, trailers = server.raw_call(UNARY, simple_request(40000), {"grpc-accept-encoding": "gzip"})
    assert (trailers["grpc-status"], headers["grpc-encoding"], frames[0]) == ("0", "gzip", 1)
    assert len(zlib.decompress(message(frames), 31)) > 40000


@pytest.mark.parametrize("accepts", [{}, {"grpc-accept-encoding": "identity"}, {"grpc-accept-encoding": "br,zstd"}])
def test_who_does_not_take_gzip_gets_the_answer_as_it_is(server, accepts):
    headers, frames, trailers = server.raw_call(UNARY, simple_request(40000), accepts)
    assert (trailers["grpc-status"], headers.get("grpc-encoding", "identity"), frames[0]) == ("0", "identity", 0)
    assert len(message(frames)) > 40000


def test_small_answers_are_not_compressed(server):
    _, frames, trailers = server.raw_call(UNARY, simple_request(20000), {"grpc-accept-encoding": "gzip"})
    assert (trailers["grpc-status"], frames[0]) == ("0", 0)


def test_a_gzip_request_is_answered_right(server):
    with grpc.insecure_channel(server.address) as channel:
        call = channel.unary_unary(UNARY)
        answer = call(simple_request(100) + b"\x1a\x05\x12\x03abc", timeout=10, compression=grpc.Compression.Gzip)
        assert len(answer) > 100


def raw_compressed(server, encoding, data):
    with RawConnection(server.port) as raw:
        raw.call(UNARY, data, {"grpc-encoding": encoding}, flag=1)
        return raw.answer()


def test_deflate_is_refused_and_gzip_is_offered(server):
    headers, _, trailers = raw_compressed(server, "deflate", zlib.compress(simple_request(1)))
    assert trailers["grpc-status"] == "12"
    offered = (trailers.get("grpc-accept-encoding") or headers.get("grpc-accept-encoding")
               or server.raw_call(UNARY, simple_request(1))[0]["grpc-accept-encoding"])
    assert sorted(part.strip() for part in offered.split(",")) == ["gzip", "identity"]


def test_what_is_not_gzip_is_refused(server):
    assert raw_compressed(server, "gzip", b"nonsense")[2]["grpc-status"] == "3"


def test_a_bomb_is_not_inflated(server):
    """Invariant 12: 60 kB of gzip that would become 60 MB."""
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = press.compress(bytes(60 << 20)) + press.flush()
    before = memory_kib(server)
    assert raw_compressed(server, "gzip", bomb)[2]["grpc-status"] == "8"
    assert memory_kib(server) - before < 16 * 1024


def memory_kib(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


# --- limits of a connection ----------------------------------------------------------------------------------------


def test_headers_beyond_the_limit_are_refused():
    with Server(header_size_max=8192) as server, grpc.insecure_channel(server.address) as channel:
        call = channel.unary_unary(EMPTY)
        assert call(b"", metadata=(("x-large", "a" * 4000),), timeout=10) == b""
        with pytest.raises(grpc.RpcError) as refused:
            call(b"", metadata=(("x-large", "a" * 9000),), timeout=10)
        assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        until(lambda: answers(call), what="an answer")  # core may end the connection that brought them


def answers(call):
    try:
        return call(b"", timeout=10) == b""
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAVAILABLE
        return False


def test_a_connection_has_so_many_calls_at_once():
    with Server(connection_streams_max=3) as server, RawConnection(server.port) as raw:
        for event in raw.events():
            if isinstance(event, h2.events.RemoteSettingsChanged):
                break
        assert raw.h2.remote_settings.max_concurrent_streams == 3


def test_an_old_connection_is_replaced_and_no_call_notices():
    with Server(connection_age="1s", connection_age_grace="20s") as server:
        with grpc.insecure_channel(server.address) as channel:
            long = stream(channel, OUTPUT, output_request(*[1] * 30, interval_us=100000))
            end = time.monotonic() + 3
            while time.monotonic() < end:
                assert channel.unary_unary(EMPTY)(b"", timeout=10) == b""
            assert len(list(long)) == 30


# --- streams -------------------------------------------------------------------------------------------------------


def test_a_stream_arrives_in_order_and_whole(server):
    sizes = list(range(1, 2000, 7)) + [3 << 20, 40000, 1]
    with grpc.insecure_channel(server.address, options=[("grpc.max_receive_message_length", -1)]) as channel:
        lengths = [len(answer) for answer in stream(channel, OUTPUT, output_request(*sizes))]
    assert lengths == sorted(lengths[:-3]) + lengths[-3:] and len(lengths) == len(sizes)


def test_a_stream_ends_when_its_caller_goes(server):
    before = threads(server)
    with grpc.insecure_channel(server.address) as channel:
        open_streams = [stream(channel, OUTPUT, output_request(10, interval_us=10_000_000)) for _ in range(20)]
        until(lambda: threads(server) >= before + 20, what="a thread for each stream")
        for one in open_streams:
            one.cancel()
        until(lambda: threads(server) <= before + 4, what="the streams' threads' end")


def threads(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("Threads"))


def test_more_streams_than_allowed_are_refused_with_a_time_to_retry():
    with Server(streams_max=2) as server, grpc.insecure_channel(server.address) as channel:
        channel.unary_unary(EMPTY)(b"", timeout=10)  # connected: what is opened now arrives in this order
        open_streams = [stream(channel, OUTPUT, output_request(1, 1, interval_us=5_000_000)) for _ in range(2)]
        until(lambda: refusal(channel) is not None, what="a refusal")
        error = refusal(channel)
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert dict(error.trailing_metadata())["grpc-retry-pushback-ms"] == "1000"
        for one in open_streams:
            one.cancel()
        until(lambda: refusal(channel) is None, what="room for a stream")


def refusal(channel):
    answers = stream(channel, OUTPUT, output_request(1))
    try:
        list(answers)
    except grpc.RpcError as error:
        return error
    return None


def test_a_caller_that_does_not_read_is_cut_off():
    """Invariant 12, and with bounded memory: 400 MB are asked for, no window is given."""
    with Server(stream_stall_timeout="1s") as server, RawConnection(server.port) as raw:
        before = memory_kib(server)
        raw.call(OUTPUT, output_request(*[1 << 20] * 400))
        status, received = None, 0
        for event in raw.events():
            if isinstance(event, h2.events.DataReceived):
                received += len(event.data)  # and the window stays as it was
            if isinstance(event, h2.events.TrailersReceived):
                status = dict(event.headers)
            if isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                break
        assert status["grpc-status"] == "8" and "did not read" in status["grpc-message"]
        assert received <= 65535
        assert memory_kib(server) - before < 32 * 1024
        with grpc.insecure_channel(server.address) as channel:
            assert channel.unary_unary(EMPTY)(b"", timeout=10) == b""


# --- health --------------------------------------------------------------------------------------------------------


def test_watch_tells_each_change(server):
    with grpc.insecure_channel(server.address) as channel:
        watch = stream(channel, WATCH, b"", timeout=None)
        unknown = stream(channel, WATCH, b"\x0a\x04some", timeout=None)
        assert (next(watch), next(unknown)) == (SERVING, SERVICE_UNKNOWN)
        server.health_turn()
        assert next(watch) == NOT_SERVING
        assert channel.unary_unary(CHECK)(b"", timeout=10) == NOT_SERVING
        server.health_turn()
        assert next(watch) == SERVING
        watch.cancel()
        unknown.cancel()


def test_many_watch_without_a_thread_each(server):
    before = threads(server)
    channels = [grpc.insecure_channel(server.address, options=[("grpc.use_local_subchannel_pool", 1)])
                for _ in range(6)]
    watches = [stream(channel, WATCH, b"", timeout=None) for channel in channels for _ in range(90)]
    assert {next(watch) for watch in watches} == {SERVING}
    assert threads(server) - before < 20
    server.health_turn()
    assert {next(watch) for watch in watches} == {NOT_SERVING}
    server.health_turn()
    assert {next(watch) for watch in watches} == {SERVING}
    for channel in channels:
        channel.close()
    with grpc.insecure_channel(server.address) as channel:
        assert next(stream(channel, WATCH, b"", timeout=10)) == SERVING


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def documented_config():
    return (ROOT / "docs/service-config.json").read_text()


def replica_at(port, drain_delay):
    return Server(listen=f"127.0.0.1:{port}", drain_timeout="10s", drain_delay=drain_delay).__enter__()


def balanced(*servers, config=None):
    """A channel over some servers, as docs/clients.md has it."""
    return grpc.insecure_channel("ipv4:" + ",".join(server.address for server in servers),
                                 options=[("grpc.service_config", config or documented_config())])


def test_a_client_leaves_a_replica_that_is_not_well():
    """By the documented service config: round_robin and healthCheckConfig."""
    with Server() as sick, Server() as well, balanced(sick, well) as channel:
        call = channel.unary_unary(UNARY)
        until(lambda: {peer_of(call) for _ in range(10)} == {sick.port, well.port}, what="calls to both")
        sick.health_turn()
        until(lambda: {peer_of(call) for _ in range(10)} == {well.port}, what="calls to one alone")
        sick.health_turn()
        until(lambda: {peer_of(call) for _ in range(10)} == {sick.port, well.port}, what="calls to both again")


WHO = b"\x48\x01"  # SimpleRequest.fill_server_id


def peer_of(call):
    """Who answered: SimpleResponse.server_id is the server's port."""
    answer = call(WHO, timeout=10)
    return int(answer[answer.index(b"\x22\x05") + 2:])


# --- the end -------------------------------------------------------------------------------------------------------


def test_at_the_end_streams_that_wait_are_told_and_others_finish():
    with Server(drain_timeout="20s") as server:
        with grpc.insecure_channel(server.address) as channel:
            waiting = stream(channel, OUTPUT, output_request(1, 1, interval_us=60_000_000), timeout=100)
            watching = stream(channel, WATCH, b"", timeout=None)
            assert next(watching) == SERVING
            busy = stream(channel, OUTPUT, output_request(*[100_000] * 200), timeout=100)
            assert len(next(busy)) > 100_000
            server.process.send_signal(signal.SIGTERM)
            assert next(watching) == NOT_SERVING
            for told in (waiting, watching):
                with pytest.raises(grpc.RpcError) as error:
                    next(told)
                assert error.value.code() == grpc.StatusCode.UNAVAILABLE
                assert "grpc-retry-pushback-ms" in dict(error.value.trailing_metadata())
            assert len(list(busy)) == 199
    assert server.process.returncode == 0


def test_what_does_not_end_in_time_is_ended_by_its_own_error():
    with Server(drain_timeout="200ms", stream_stall_timeout="1h") as server, RawConnection(server.port) as raw:
        raw.call(OUTPUT, output_request(*[1 << 20] * 10))
        next(event for event in raw.events() if isinstance(event, h2.events.DataReceived))  # and reads no more
        with grpc.insecure_channel(server.address) as channel:
            busy = stream(channel, OUTPUT, output_request(*[100000] * 30000), timeout=100)  # 3 GB
            next(busy)
            server.process.send_signal(signal.SIGTERM)
            with pytest.raises(grpc.RpcError) as error:
                list(busy)
        assert (error.value.code(), error.value.details()) == (grpc.StatusCode.UNAVAILABLE,
                                                               "The service is shutting down.")
    assert server.process.returncode == 0


@pytest.mark.parametrize("drain_delay, retried", [("1s", "UNAVAILABLE"), ("0s", "CANCELLED")])
def test_a_replaced_replica_fails_no_call(drain_delay, retried):
    """Two replicas, each replaced in turn under load, behind the documented service config.

    With time between NOT_SERVING and GOAWAY, clients have left by then: nothing is cut, whatever they would retry.
    Without, gRPC core cancels what crosses the GOAWAY, and the documented retries make up for it.
    """
    config = json.loads(documented_config())
    codes = config["methodConfig"][0]["retryPolicy"]["retryableStatusCodes"]
    assert retried in codes
    if retried == "UNAVAILABLE":
        codes.remove("CANCELLED")
    ports = [free_port(), free_port()]
    failures, calls, stop = [], [0], threading.Event()
    replicas = [replica_at(port, drain_delay) for port in ports]
    try:
        with balanced(*replicas, config=json.dumps(config)) as channel:
            call = channel.unary_unary(UNARY)

            def load():
                while not stop.is_set():
                    try:
                        call(WHO, timeout=10)
                        calls[0] += 1
                    except grpc.RpcError as error:
                        failures.append((error.code(), error.details()))

            loaders = [threading.Thread(target=load) for _ in range(8)]
            for loader in loaders:
                loader.start()
            for turn in range(6):
                done = calls[0]
                until(lambda: calls[0] > done + 100, what="calls")
                replica = replicas[turn % 2]
                replica.__exit__()
                replicas[turn % 2] = replica_at(ports[turn % 2], drain_delay)
                until(lambda: {peer_of(call) for _ in range(10)} == set(ports), what="calls to both")
            stop.set()
            for loader in loaders:
                loader.join()
    finally:
        stop.set()
        for replica in replicas:
            replica.__exit__()
    assert calls[0] > 500
    assert failures == []


# --- the documented service config ---------------------------------------------------------------------------------


class RefusesOnce(grpc.GenericRpcHandler):
    """A replica that answers UNAVAILABLE the first time and is well then."""

    def __init__(self):
        self.calls = []

    def service(self, details):
        def answer(request, context):
            self.calls.append(details.method)
            if self.calls.count(details.method) == 1:
                context.set_trailing_metadata((("grpc-retry-pushback-ms", "10"),))
                context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
            return request

        if details.method == WATCH:
            return None  # as an older server: clients then do without
        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.mark.parametrize("path", ["/isms.reviews.v1.ReviewService/OpenReview",
                                  "/isms.actions.v1.ActionService/GetAction"])
def test_the_documented_service_config_makes_a_client_retry(path):
    from concurrent import futures
    refuses = RefusesOnce()
    replica = grpc.server(futures.ThreadPoolExecutor(4), handlers=(refuses,))
    port = replica.add_insecure_port("127.0.0.1:0")
    replica.start()
    options = [("grpc.service_config", documented_config())]
    try:
        with grpc.insecure_channel(f"ipv4:127.0.0.1:{port}", options=options) as channel:
            assert channel.unary_unary(path)(b"once", timeout=10) == b"once"
        assert refuses.calls == [path, path]
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, pytest.raises(grpc.RpcError):
            channel.unary_unary(path + "Plain")(b"once", timeout=10)
    finally:
        replica.stop(0)


def test_each_service_of_the_product_is_in_the_service_configs():
    services = {path.parent.parent.name for path in (ROOT / "proto/isms").glob("*/v1/*.proto")
                if "service " in path.read_text()}
    for name in ("service-config.json", "service-config-hedging.json"):
        config = json.loads((ROOT / "docs" / name).read_text())
        named = {entry["service"].split(".")[1] for method in config["methodConfig"] for entry in method["name"]
                 if entry.get("service")}
        everything = any(entry == {} for method in config["methodConfig"] for entry in method["name"])
        assert everything or services <= named

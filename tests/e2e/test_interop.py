"""gRPC's interop cases against isms-interop: our runtime below, none of our protos.

https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md; each test is a case by its name there.
docs/testing.md lists the cases that are left out. Go's own client runs the same cases where Go is installed.
"""

import os
import shutil
import subprocess
import threading

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from transport import Server, ROOT

SERVICE = "/grpc.testing.TestService/"
GO_CLIENT = "google.golang.org/grpc/interop/client@v1.64.0"
LARGE_REQUEST, LARGE_RESPONSE = 271828, 314159


@pytest.fixture(scope="module")
def server():
    with Server() as started:
        yield started


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(server.address) as made:
        yield made


@pytest.fixture(scope="module")
def messages(tmp_path_factory):
    """grpc.testing's message classes, by name."""
    out = tmp_path_factory.mktemp("interop") / "set"
    subprocess.run(["protoc", "-I/usr/share/grpc-proto", "--include_imports", f"--descriptor_set_out={out}",
                    "grpc/testing/test.proto"], check=True)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)

    class Messages:
        def __getattr__(self, name):
            return factory.GetPrototype(pool.FindMessageTypeByName(f"grpc.testing.{name}"))

    return Messages()


def stub(channel, kind, name, response, service=SERVICE):
    return getattr(channel, kind)(service + name, request_serializer=lambda message: message.SerializeToString(),
                                  response_deserializer=response.FromString)


def unary(channel, messages):
    return stub(channel, "unary_unary", "UnaryCall", messages.SimpleResponse)


def full_duplex(channel, messages):
    return stub(channel, "stream_stream", "FullDuplexCall", messages.StreamingOutputCallResponse)


def outputs(messages, *sizes, payload=0, **others):
    return messages.StreamingOutputCallRequest(
        response_parameters=[messages.ResponseParameters(size=size) for size in sizes],
        payload=messages.Payload(body=bytes(payload)), **others)


class Turns:
    """Requests of a stream, one at a time as the test says."""

    def __init__(self):
        self.ready, self.items, self.closed = threading.Condition(), [], False

    def __iter__(self):
        return self

    def __next__(self):
        with self.ready:
            while not self.items and not self.closed:
                self.ready.wait()
            if self.items:
                return self.items.pop(0)
            raise StopIteration

    def send(self, item):
        with self.ready:
            self.items.append(item)
            self.ready.notify()

    def close(self):
        with self.ready:
            self.closed = True
            self.ready.notify()


def test_empty_unary(channel, messages):
    empty = stub(channel, "unary_unary", "EmptyCall", messages.Empty)
    assert empty(messages.Empty(), timeout=10) == messages.Empty()


def test_large_unary(channel, messages):
    answer = unary(channel, messages)(messages.SimpleRequest(
        response_size=LARGE_RESPONSE, payload=messages.Payload(body=bytes(LARGE_REQUEST))), timeout=10)
    assert answer.payload.body == bytes(LARGE_RESPONSE)


@pytest.mark.parametrize("asked", [True, False])
def test_server_compressed_unary(server, messages, asked):
    """What goes over the wire is looked at beside gRPC: it hides it from its users."""
    request = messages.SimpleRequest(response_size=LARGE_RESPONSE,
                                     response_compressed=messages.BoolValue(value=asked))
    headers, frames, trailers = server.raw_call(SERVICE + "UnaryCall", request.SerializeToString(),
                                                {"grpc-accept-encoding": "identity,gzip"})
    assert trailers["grpc-status"] == "0"
    assert frames[0] == (1 if asked else 0)
    assert headers.get("grpc-encoding", "identity") == ("gzip" if asked else "identity")
    assert (len(frames) < LARGE_RESPONSE / 10) == asked


def test_client_compressed_unary(server, messages):
    request = messages.SimpleRequest(expect_compressed=messages.BoolValue(value=True),
                                     response_size=LARGE_RESPONSE,
                                     payload=messages.Payload(body=bytes(LARGE_REQUEST)))
    with grpc.insecure_channel(server.address) as channel:
        with pytest.raises(grpc.RpcError) as refused:
            unary(channel, messages)(request, timeout=10)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        answer = unary(channel, messages)(request, timeout=10, compression=grpc.Compression.Gzip)
        assert len(answer.payload.body) == LARGE_RESPONSE
        request.expect_compressed.value = False
        assert len(unary(channel, messages)(request, timeout=10).payload.body) == LARGE_RESPONSE


def test_client_streaming(channel, messages):
    sizes = (27182, 8, 1828, 45904)
    call = stub(channel, "stream_unary", "StreamingInputCall", messages.StreamingInputCallResponse)
    answer = call((messages.StreamingInputCallRequest(payload=messages.Payload(body=bytes(size))) for size in sizes),
                  timeout=10)
    assert answer.aggregated_payload_size == sum(sizes)


def test_server_streaming(channel, messages):
    sizes = (31415, 9, 2653, 58979)
    call = stub(channel, "unary_stream", "StreamingOutputCall", messages.StreamingOutputCallResponse)
    assert [len(answer.payload.body) for answer in call(outputs(messages, *sizes), timeout=10)] == list(sizes)


def test_ping_pong(channel, messages):
    turns = Turns()
    answers = full_duplex(channel, messages)(turns, timeout=10)
    for request, response in ((27182, 31415), (8, 9), (1828, 2653), (45904, 58979)):
        turns.send(outputs(messages, response, payload=request))
        assert len(next(answers).payload.body) == response
    turns.close()
    assert list(answers) == []


def test_empty_stream(channel, messages):
    assert list(full_duplex(channel, messages)(iter(()), timeout=10)) == []


def test_custom_metadata(channel, messages):
    sent = (("x-grpc-test-echo-initial", "test_initial_metadata_value"),
            ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab"))

    def assert_echoed(call):
        assert dict(call.initial_metadata())[sent[0][0]] == sent[0][1]
        assert dict(call.trailing_metadata())[sent[1][0]] == sent[1][1]

    request = messages.SimpleRequest(response_size=1)
    assert_echoed(unary(channel, messages).with_call(request, metadata=sent, timeout=10)[1])
    both = full_duplex(channel, messages)(iter([outputs(messages, 1)]), metadata=sent, timeout=10)
    assert len(list(both)) == 1
    assert_echoed(both)
    one_way = stub(channel, "unary_stream", "StreamingOutputCall", messages.StreamingOutputCallResponse)(
        outputs(messages, 1), metadata=sent, timeout=10)
    assert len(list(one_way)) == 1
    assert_echoed(one_way)


def refused(call):
    with pytest.raises(grpc.RpcError) as error:
        answer = call()
        if hasattr(answer, "__next__"):
            list(answer)
    return error.value


def test_status_code_and_message(channel, messages):
    status = messages.EchoStatus(code=2, message="test status message")
    for error in (refused(lambda: unary(channel, messages)(messages.SimpleRequest(response_status=status), timeout=10)),
                  refused(lambda: full_duplex(channel, messages)(iter([outputs(messages, response_status=status)]),
                                                                 timeout=10))):
        assert (error.code(), error.details()) == (grpc.StatusCode.UNKNOWN, "test status message")


def test_special_status_message(channel, messages):
    text = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
    status = messages.EchoStatus(code=2, message=text)
    error = refused(lambda: unary(channel, messages)(messages.SimpleRequest(response_status=status), timeout=10))
    assert (error.code(), error.details()) == (grpc.StatusCode.UNKNOWN, text)


def test_unimplemented_method(channel, messages):
    call = stub(channel, "unary_unary", "UnimplementedCall", messages.Empty)
    assert refused(lambda: call(messages.Empty(), timeout=10)).code() == grpc.StatusCode.UNIMPLEMENTED


def test_unimplemented_service(channel, messages):
    call = stub(channel, "unary_unary", "UnimplementedCall", messages.Empty, "/grpc.testing.UnimplementedService/")
    assert refused(lambda: call(messages.Empty(), timeout=10)).code() == grpc.StatusCode.UNIMPLEMENTED


def test_cancel_after_begin(channel, messages):
    call = stub(channel, "stream_unary", "StreamingInputCall", messages.StreamingInputCallResponse)
    turns = Turns()
    future = call.future(turns)
    future.cancel()
    turns.close()
    assert future.code() == grpc.StatusCode.CANCELLED


def test_cancel_after_first_response(channel, messages):
    turns = Turns()
    answers = full_duplex(channel, messages)(turns, timeout=10)
    turns.send(outputs(messages, 31415, payload=27182))
    assert len(next(answers).payload.body) == 31415
    answers.cancel()
    turns.close()
    assert answers.code() == grpc.StatusCode.CANCELLED


def test_timeout_on_sleeping_server(channel, messages):
    turns = Turns()
    turns.send(outputs(messages, payload=27182))
    error = refused(lambda: full_duplex(channel, messages)(turns, timeout=0.001))
    turns.close()
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED


GO_CASES = ("empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
            "timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response",
            "status_code_and_message", "special_status_message", "custom_metadata", "unimplemented_method",
            "unimplemented_service")


@pytest.fixture(scope="module")
def go_client(tmp_path_factory):
    if not shutil.which("go"):
        pytest.skip("Go is not installed")
    folder = tmp_path_factory.mktemp("go")
    environment = dict(os.environ, GOBIN=str(folder), GOFLAGS="-mod=mod", CGO_ENABLED="0")
    done = subprocess.run(["go", "install", GO_CLIENT], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"{GO_CLIENT} cannot be had: {done.stderr.strip().splitlines()[-1:]}")
    return folder / "client"


@pytest.mark.parametrize("case", GO_CASES)
def test_of_grpc_go(server, go_client, case):
    done = subprocess.run([str(go_client), "--server_host=127.0.0.1", f"--server_port={server.port}",
                           f"--test_case={case}"], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr

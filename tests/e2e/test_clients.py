"""Clients as other people have them: health probes, server reflection, and the command-line clients where they are
installed. Nothing here knows our proto files but what the server tells."""

import functools
import json
import os
import shutil
import subprocess
import tempfile

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from isms_client import SERVICES, Organisation, api, channel, stack

GRPC_PROTO = "/usr/share/grpc-proto"
VERSIONS = {"v1": "grpc.reflection.v1", "v1alpha": "grpc.reflection.v1alpha"}


@functools.lru_cache(None)
def standard():
    """The messages of grpc-proto by full name."""
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["protoc", f"-I{GRPC_PROTO}", f"--descriptor_set_out={out.name}", "--include_imports",
                        "grpc/health/v1/health.proto", "grpc/reflection/v1/reflection.proto",
                        "grpc/reflection/v1alpha/reflection.proto"],
                       check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return lambda name: factory.GetPrototype(pool.FindMessageTypeByName(name))


# --- health ----------------------------------------------------------------------------------------------

def health(service, name):
    request = standard()("grpc.health.v1.HealthCheckRequest")(service=name)
    response = standard()("grpc.health.v1.HealthCheckResponse")
    call = channel(service).unary_unary("/grpc.health.v1.Health/Check", response_deserializer=response.FromString)
    return call(request.SerializeToString(), timeout=10)


@pytest.mark.parametrize("service", SERVICES)
def test_health_answers_without_a_credential(service):
    assert health(service, "").status == 1
    served = {method.path.split("/")[1] for method in api().methods.values() if method.service == service}
    assert served and all(health(service, name).status == 1 for name in served)


def test_health_of_what_is_not_served_is_not_found():
    for name in ("isms.actions.v1.NoService", "isms.actions.v1.ActionService"):
        with pytest.raises(grpc.RpcError) as refused:
            health("inputs", name)
        assert refused.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("service", SERVICES)
def test_the_admin_port_serves_probes_and_metrics(service):
    assert stack().admin(service, "/livez") and stack().admin(service, "/readyz")
    metrics = stack().admin(service, "/metrics")
    assert "# TYPE grpc_server_handled_total counter" in metrics and "grpc_server_handling_seconds_bucket" in metrics


# --- reflection ------------------------------------------------------------------------------------------

def reflect(service, version, *questions):
    """One stream with these questions; a question is the field of the request that is set."""
    package = VERSIONS[version]
    request = standard()(f"{package}.ServerReflectionRequest")
    response = standard()(f"{package}.ServerReflectionResponse")
    stream = channel(service).stream_stream(f"/{package}.ServerReflection/ServerReflectionInfo",
                                            response_deserializer=response.FromString)
    return list(stream(iter([request(**question).SerializeToString() for question in questions]), timeout=10))


def files_of(answer):
    return {file.name: file for file in (descriptor_pb2.FileDescriptorProto.FromString(data)
                                         for data in answer.file_descriptor_response.file_descriptor_proto)}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("service", SERVICES)
def test_reflection_lists_what_is_served(service, version):
    listed = {item.name for item in reflect(service, version, {"list_services": ""})[0].list_services_response.service}
    ours = {method.path.split("/")[1] for method in api().methods.values() if method.service == service}
    assert {name for name in listed if name.startswith("isms.")} == ours
    assert {"grpc.health.v1.Health", *(f"{package}.ServerReflection" for package in VERSIONS.values())} <= listed


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_that_knows_nothing_calls_a_method_by_reflection(version):
    """From a service's name to an answer, with the server's own descriptors."""
    organisation = Organisation()
    answer = reflect("reviews", version, {"file_containing_symbol": "isms.reviews.v1.MemberService"})[0]
    pool, files = descriptor_pool.DescriptorPool(), files_of(answer)

    def add(name):
        if name not in files:
            files.update(files_of(reflect("reviews", version, {"file_by_filename": name})[0]))
        file = files[name]
        for dependency in file.dependency:
            add(dependency)
        try:
            pool.FindFileByName(name)
        except KeyError:
            pool.Add(file)

    for name in list(files):
        add(name)
    method = pool.FindServiceByName("isms.reviews.v1.MemberService").FindMethodByName("GetSelf")
    factory = message_factory.MessageFactory(pool)
    call = channel("reviews").unary_unary("/isms.reviews.v1.MemberService/GetSelf",
                                          response_deserializer=factory.GetPrototype(method.output_type).FromString)
    told = call(factory.GetPrototype(method.input_type)().SerializeToString(), timeout=10,
                metadata=[("authorization", f"Bearer {organisation.admin.credential}")])
    assert told.organisation_id == organisation.id


@pytest.mark.parametrize("version", VERSIONS)
def test_reflection_answers_every_kind_of_question_on_one_stream(version):
    answers = reflect("actions", version,
                      {"file_by_filename": "isms/actions/v1/actions.proto"},
                      {"file_containing_symbol": "isms.actions.v1.Action.title"},
                      {"file_containing_symbol": "isms.actions.v1.ActionService.GetAction"},
                      {"file_containing_extension": {"containing_type": "google.protobuf.MethodOptions",
                                                     "extension_number": 50301}},
                      {"all_extension_numbers_of_type": "google.protobuf.FieldOptions"},
                      {"file_by_filename": "isms/nothing.proto"}, {"file_containing_symbol": "isms.Nothing"}, {})
    assert len(answers) == 8
    for answer in answers[:3]:
        assert "isms/actions/v1/actions.proto" in files_of(answer)
    assert "isms/options/v1/options.proto" in files_of(answers[3])
    assert 50301 in answers[4].all_extension_numbers_response.extension_number
    assert [answer.error_response.error_code for answer in answers[5:7]] == [grpc.StatusCode.NOT_FOUND.value[0]] * 2
    assert answers[7].error_response.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert answers[0].original_request.file_by_filename == "isms/actions/v1/actions.proto"


def test_a_broken_question_ends_the_stream_with_a_status():
    stream = channel("actions").stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
    with pytest.raises(grpc.RpcError) as refused:
        list(stream(iter([b"\xff\xff\xff"]), timeout=10))
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


# --- command-line clients --------------------------------------------------------------------------------

def installed(name):
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_grpcurl_calls_by_reflection():
    organisation = Organisation()
    told = run(installed("grpcurl"), "-plaintext", "-H", f"authorization: Bearer {organisation.admin.credential}",
               "-d", "{}", stack().address("reviews"), "isms.reviews.v1.MemberService/GetSelf")
    assert told["organisationId"] == organisation.id


def test_buf_curl_calls_by_reflection():
    organisation = Organisation()
    told = run(installed("buf"), "curl", "--protocol", "grpc", "--http2-prior-knowledge", "-H",
               f"authorization: Bearer {organisation.admin.credential}", "-d", "{}",
               f"http://{stack().address('reviews')}/isms.reviews.v1.MemberService/GetSelf")
    assert told["organisationId"] == organisation.id


def test_our_own_command_line_calls_any_method():
    organisation = Organisation()
    told = subprocess.run(
        [str(stack().bin / "ismsctl"), "call", "GetSelf", "{}", "--json", "--address", stack().address("reviews")],
        env=dict(os.environ, ISMS_CREDENTIAL=organisation.admin.credential), capture_output=True, text=True, timeout=30)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["organisation_id"] == organisation.id

"""TLS: who may connect, whose assertions count, and certificates that are replaced while everything runs.

One part against isms-interop; the other against a second set of the four services, on the stack's own database, that
speak mutual TLS among themselves.
"""

import os
import shutil
import socket
import ssl
import subprocess
import threading

import grpc
import pytest
import story

import isms_client
from isms_client import Organisation, api, stack, until
from tokens import assertion
from transport import ROOT, Authority, Server, place, server_certificate

EMPTY = "/grpc.testing.TestService/EmptyCall"
SERVICES = ("inputs", "actions", "reviews", "reporting")


def identity(service):
    return f"spiffe://demo.example/isms/{service}"


def secure(address, ca, pair=None):
    certificate, key = pair or (None, None)
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(ca, key, certificate),
                               [("grpc.use_local_subchannel_pool", 1)])


def connects(port, ca, pair=None):
    """Whether a call goes through; a fresh connection."""
    with secure(f"127.0.0.1:{port}", ca, pair) as channel:
        try:
            return channel.unary_unary(EMPTY)(b"", timeout=10) == b""
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE
            return False


# --- one server ----------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def server(authority):
    certificate, key = authority.write("server", identity("inputs"))
    ca = authority.write_ca()
    with Server(tls_certificate_file=certificate, tls_key_file=key, tls_client_ca_file=ca,
                peer_identities=f"inputs={identity('inputs')}") as started:
        yield started


def test_clients_need_no_certificate_but_the_right_ca(server, authority, tmp_path):
    assert connects(server.port, authority.pem)
    assert not connects(server.port, Authority(tmp_path, "Another CA").pem)


def test_a_client_certificate_must_be_of_the_ca(server, authority, tmp_path):
    assert connects(server.port, authority.pem, authority.issue("somebody"))
    assert not connects(server.port, authority.pem, Authority(tmp_path, "Another CA").issue("somebody"))
    assert not connects(server.port, authority.pem, authority.issue("somebody", days=-0.5))


def test_nobody_gets_through_without_tls(server):
    with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(EMPTY)(b"", timeout=10)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("version, good", [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True),
                                           (ssl.TLSVersion.TLSv1_3, True)])
def test_tls_1_2_is_the_oldest(server, authority, version, good):
    context = ssl.create_default_context(cadata=authority.pem.decode())
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.set_alpn_protocols(["h2"])
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        if not good:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(plain, server_hostname="127.0.0.1")
            return
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped:
            assert wrapped.selected_alpn_protocol() == "h2"
            assert "GCM" in wrapped.cipher()[0] or "CHACHA20" in wrapped.cipher()[0]


def test_a_new_certificate_is_shown_without_a_restart_and_a_broken_one_is_not(server, authority):
    first = server_certificate(server.port)
    with secure(server.address, authority.pem) as channel:
        call = channel.unary_unary(EMPTY)
        assert call(b"", timeout=10) == b""
        certificate, _ = authority.issue("server")  # its key is still to come: half of a rotation
        place(authority.folder / "server.pem", certificate)
        for broken in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA"):
            place(authority.folder / "server.pem", broken)
            assert connects(server.port, authority.pem)
            assert server_certificate(server.port) == first
        authority.write("server", identity("inputs"))
        until(lambda: server_certificate(server.port) != first, what="the new certificate")
        assert call(b"", timeout=10) == b""  # over the old connection


def test_new_client_cas_count_without_a_restart(server, authority, tmp_path):
    newer = Authority(tmp_path, "Newer CA")
    pair = newer.issue("somebody")
    assert not connects(server.port, authority.pem, pair)
    place(tmp_path / "ca.pem", authority.pem + newer.pem)
    until(lambda: connects(server.port, authority.pem, pair), what="trust in the new CA")
    place(tmp_path / "ca.pem", newer.pem)
    until(lambda: not connects(server.port, authority.pem, authority.issue("somebody")), what="the old CA's end")


def test_settings_that_do_not_fit_together_are_refused(authority, tmp_path):
    certificate, key = authority.write("server")
    other = authority.write("other")[1]
    program = os.path.join(os.environ["ISMS_TEST_STACK_BIN"], "isms-interop")
    for options, why in (([f"--tls-certificate-file={certificate}"], "only one of them"),
                         ([f"--tls-certificate-file={certificate}", f"--tls-key-file={other}"], "another certificate"),
                         ([f"--tls-certificate-file={key}", f"--tls-key-file={key}"], "is not a chain"),
                         (["--peer-identities=inputs=somebody"], "neither spiffe"),
                         (["--peer-identities=stranger=dns:a.example"], "does not name a service"),
                         ([f"--tls-client-ca-file={certificate}"], "needs tls_certificate_file")):
        done = subprocess.run([program, "--listen=127.0.0.1:0", *options], capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and why in done.stderr, (options, done.stderr)


# --- the four services ---------------------------------------------------------------------------------------------


class SecureStack:
    """The four services once more, with STACK_TLS, on the stack's PostgreSQL and Redis."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("ports", "pids", "log", "tls"):
            (folder / name).mkdir()
        for name in ("postgres", "redis"):
            shutil.copy(stack().folder / "ports" / name, folder / "ports" / name)
        shutil.copy(stack().folder / "password", folder / "password")
        shutil.copytree(stack().folder / "keys", folder / "keys")
        self.authority = Authority(folder / "tls")
        self.authority.write_ca()
        for service in SERVICES:
            self.authority.write(service, identity(service))
        subprocess.run(["chmod", "-R", "a+rwX", str(folder)], check=True)
        try:
            self.run("for name in $STACK_SERVICES; do stack_service_start $name || exit 1; done;"
                     "for name in $STACK_SERVICES; do stack_service_wait $name || exit 1; done")
        except subprocess.CalledProcessError:
            self.stop()
            raise

    def run(self, script):
        environment = dict(os.environ, STACK=str(self.folder), STACK_BIN=str(stack().bin), STACK_TLS="1")
        subprocess.run(["bash", "-c", f". {ROOT}/deploy/lib/stack.sh; {script}"], env=environment, check=True,
                       timeout=120)

    def address(self, service):
        return f"127.0.0.1:{(self.folder / 'ports' / service).read_text().strip()}"

    def admin(self, service, path):
        port = (self.folder / "ports" / f"{service}-admin").read_text().strip()
        with isms_client.urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.read().decode()

    def stop(self):
        self.run("for name in $STACK_SERVICES; do stack_stop_one $name; done")


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls-stack")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)  # the services run as a user of their own
    made = SecureStack(folder)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def organisation(secured):
    """Made over TLS: what isms_client calls in this module goes to the secured services."""
    trusted = secured.authority.pem
    channels = {service: secure(secured.address(service), trusted) for service in SERVICES}
    plain, isms_client.channel = isms_client.channel, channels.__getitem__
    yield Organisation("Wasseramsel")
    isms_client.channel = plain
    for channel in channels.values():
        channel.close()


def brought(secured, method, organisation, manager, service, pair):
    """The refusal's reason and cause of an assertion of `service`, rightly signed, over a connection with `pair`."""
    headers = [("x-isms-assertion", assertion(method, organisation.id, manager.member, service=service))]
    with secure(secured.address(method.service), secured.authority.pem, pair) as channel:
        call = channel.unary_unary(method.path, request_serializer=lambda message: message.SerializeToString(),
                                   response_deserializer=method.response.FromString)
        try:
            call(method.request(), metadata=headers, timeout=20)
        except grpc.RpcError as error:
            refused = isms_client.Refused(error)
            return refused.reason, refused.facts.get("cause")
    return "OK", None


def test_an_assertion_counts_only_over_its_services_connection(secured, organisation):
    """A stolen signing key is of no use without the certificate, nor one service's certificate with another's key."""
    manager, method = organisation.person("ISMS_MANAGER"), api().by_name["GetInputFigures"]
    refused = ("CREDENTIAL_INVALID", "PEER_IDENTITY")

    def outcome(service, pair):
        return brought(secured, method, organisation, manager, service, pair)

    issue = secured.authority.issue
    assert outcome("reporting", issue("right", identity("reporting"))) == ("OK", None)
    assert outcome("reporting", None) == refused
    assert outcome("reporting", issue("no identity")) == refused
    assert outcome("reporting", issue("another's", identity("inputs"))) == refused
    assert outcome("reporting", issue("by its name", "reporting")) == refused
    assert outcome("reporting", issue("two", identity("inputs"), identity("reporting"))) == refused
    assert outcome("inputs", issue("inputs", identity("inputs")))[0] == "PERMISSION_DENIED"


def test_users_come_with_credentials_and_no_certificate(organisation):
    assert organisation.person("ISMS_MANAGER").ListInputs() is not None


def test_a_review_is_opened_through_peers_over_mutual_tls(secured, organisation):
    manager, chair = organisation.person("ISMS_MANAGER"), organisation.person("TOP_MANAGEMENT")
    story.record_inputs(manager)
    review = story.Review(manager, chair)
    manager.PrepareReview(id=review.id)
    opened = manager.OpenReview(id=review.id)
    assert opened.input_snapshot_sha256 and opened.action_snapshot_sha256
    assert "isms_tls_certificate_expiry_seconds" in secured.admin("reviews", "/metrics")


def test_the_command_line_speaks_tls(secured, organisation):
    manager = organisation.person("ISMS_MANAGER")
    environment = dict(os.environ, ISMS_CREDENTIAL=manager.credential)
    command = [str(stack().bin / "ismsctl"), f"--address={secured.address('inputs')}", "call", "ListInputs", "{}"]
    trusting = subprocess.run([*command, f"--ca={secured.folder / 'tls/ca.pem'}"], env=environment, timeout=60,
                              capture_output=True, text=True)
    assert trusting.returncode == 0, trusting.stderr
    stranger = Authority(secured.folder, "Another CA").write_ca("stranger")
    assert subprocess.run([*command, f"--ca={stranger}", "--timeout=2"], env=environment, timeout=60,
                          capture_output=True).returncode != 0


def test_certificates_and_cas_are_replaced_under_load(secured, organisation):
    """New CA beside the old, new certificates by it, the old CA away: no call fails, not those between services."""
    manager = organisation.person("ISMS_MANAGER")
    folder, old = secured.folder / "tls", secured.authority
    new = Authority(folder, "Next CA")
    failures, calls, stop = [], [0], threading.Event()

    def load(fresh):
        method = api().by_name["GetDashboard"]
        headers = [("authorization", f"Bearer {manager.credential}")]
        while not stop.is_set():
            channel = (secure(secured.address("reporting"), old.pem + new.pem) if fresh
                       else isms_client.channel("reporting"))
            try:
                channel.unary_unary(method.path)(b"", timeout=20, metadata=headers)
                calls[0] += 1
            except grpc.RpcError as error:
                failures.append((error.code(), error.details()))
            if fresh:
                channel.close()

    def settled(what):
        """Every process has looked at its files, and calls have gone on."""
        for service in SERVICES:
            until(lambda: reloads(secured, service) >= what, what="the certificates' reading")
        done = calls[0]
        until(lambda: calls[0] > done + 10, what="calls")

    loaders = [threading.Thread(target=load, args=(fresh,)) for fresh in (False, False, True)]
    for loader in loaders:
        loader.start()
    try:
        before = min(reloads(secured, service) for service in SERVICES)
        place(folder / "ca.pem", old.pem + new.pem)
        settled(before + 2)  # each has two uses: server and peers
        for service in SERVICES:
            certificate, key = new.issue(service, identity(service))
            place(folder / f"{service}.key", key)
            place(folder / f"{service}.pem", certificate)
        settled(before + 4)
        place(folder / "ca.pem", new.pem)
        settled(before + 6)
    finally:
        stop.set()
        for loader in loaders:
            loader.join()
    assert failures == []
    method = api().by_name["GetInputFigures"]
    secured.authority = new
    assert brought(secured, method, organisation, manager, "reporting",
                   new.issue("new", identity("reporting"))) == ("OK", None)
    with secure(secured.address("reporting"), old.pem) as channel, pytest.raises(grpc.RpcError):
        channel.unary_unary(api().by_name["GetDashboard"].path)(b"", timeout=5)


def reloads(secured, service):
    """How often changed certificates were taken, server's and peers' together."""
    return sum(int(line.rsplit(" ", 1)[1]) for line in secured.admin(service, "/metrics").splitlines()
               if line.startswith("isms_tls_reloads_total{") and 'result="good"' in line)


def certificate_put(secured, service, *identities, days=30):
    """Gives a service another certificate; answers what it had."""
    folder = secured.folder / "tls"
    kept = [(folder / f"{service}.{end}").read_bytes() for end in ("pem", "key")]
    certificate, key = secured.authority.issue(service, *identities, days=days)
    place(folder / f"{service}.key", key)
    place(folder / f"{service}.pem", certificate)
    return kept


def test_a_server_with_anothers_certificate_is_not_called(secured, organisation):
    manager, chair = organisation.person("ISMS_MANAGER"), organisation.person("TOP_MANAGEMENT")
    review = story.Review(manager, chair)
    manager.PrepareReview(id=review.id)
    restart = "stack_stop_one inputs; stack_service_start inputs && stack_service_wait inputs"
    certificate, key = certificate_put(secured, "inputs", identity("actions"))
    secured.run(restart)
    with pytest.raises(isms_client.Refused) as refused:
        manager.OpenReview(id=review.id)
    assert (refused.value.reason, refused.value.facts["service"]) == ("PEER_UNAVAILABLE", "inputs")
    place(secured.folder / "tls/inputs.key", key)
    place(secured.folder / "tls/inputs.pem", certificate)
    secured.run(restart)

    def opened():
        try:
            return manager.OpenReview(id=review.id)
        except isms_client.Refused as error:
            assert error.reason == "PEER_UNAVAILABLE"
            return None

    until(opened, what="the opening")


def test_readiness_tells_of_certificates_that_are_about_to_end(secured):
    folder = secured.folder / "tls"
    certificate, key = certificate_put(secured, "inputs", identity("inputs"), days=0.01)
    until(lambda: "the certificate ends in" in secured.admin("inputs", "/readyz"), what="the notice")
    place(folder / "inputs.pem", b"broken")
    until(lambda: "no good certificates" in secured.admin("inputs", "/readyz"), what="the notice")
    place(folder / "inputs.key", key)
    place(folder / "inputs.pem", certificate)
    until(lambda: "ertificate" not in secured.admin("inputs", "/readyz").replace('"certificates"', ""), what="quiet")

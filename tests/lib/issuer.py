"""Issuers of access tokens for tests, and a service that takes their tokens.

`Provider` is npm's oidc-provider, a real issuer over HTTPS. `Strange` is one of our own, for what a real one cannot be
made to do. `Service` is one more isms-reviews on the stack's database, with issuers of its own and a clock that can be
moved.
"""

import base64
import datetime
import http.server
import ipaddress
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID
from isms_client import Refused, api, stack, until
from tokens import base64url, signed

HERE = pathlib.Path(__file__).parent
AUDIENCE = "isms-review"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


class Authority:
    """A certificate authority of the test's own, and a certificate of it for 127.0.0.1."""

    def __init__(self, folder):
        self.file, self.certificate, self.key = folder / "ca.pem", folder / "issuer.pem", folder / "issuer.key"
        now = datetime.datetime.utcnow()

        def certificate(name, subject_key, issuer, signer, extensions):
            builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(
                subject_key.public_key()).serial_number(x509.random_serial_number()).not_valid_before(
                now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=30))
            for extension, critical in extensions:
                builder = builder.add_extension(extension, critical)
            return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

        authority_key, issuer_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")])
        loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        self.file.write_bytes(certificate(authority, authority_key, authority, authority_key,
                                          [(x509.BasicConstraints(True, None), True)]))
        self.certificate.write_bytes(certificate(issuer, issuer_key, authority, authority_key, [(loopback, False)]))
        self.key.write_bytes(pem(issuer_key))
        for file in (self.file, self.certificate, self.key):
            file.chmod(0o644)

    def client(self):
        return ssl.create_default_context(cafile=str(self.file))

    def server(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def provider_folder(folder):
    """npm's oidc-provider, installed as the lock file says; None where it cannot be had."""
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    new_enough = subprocess.run(["node", "-e", "process.exit(globalThis.crypto && URL.parse ? 0 : 1)"])  # 20.20 is
    if new_enough.returncode != 0:
        return None
    shutil.copytree(HERE / "oidc-provider", folder)
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True,
                          timeout=300)
    return folder if done.returncode == 0 else None


class Provider:
    """oidc-provider; clients: {client id: claims that its tokens carry}."""

    def __init__(self, folder, authority, clients):
        self.port, self.authority = free_port(), authority
        config = {"port": self.port, "certificate": str(authority.certificate), "key": str(authority.key),
                  "audience": AUDIENCE, "clients": clients}
        (folder / "config.json").write_text(json.dumps(config))
        self.process = subprocess.Popen(["node", "issuer.mjs", "config.json"], cwd=folder, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def order(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer
        self.issuer = answer["issuer"]

    def publish(self, *keys):
        """Each "ALGORITHM:kid"; nothing else is published, and tokens are signed by the first of an algorithm."""
        self.order(keys=[dict(zip(("alg", "kid"), key.split(":"))) for key in keys])

    def listen(self, there):
        self.order(listen=there)

    def token(self, client, algorithm):
        form = {"grant_type": "client_credentials", "resource": f"https://api.test/{algorithm}", "scope": "api"}
        basic = base64.b64encode(f"{client}:secret".encode()).decode()
        request = urllib.request.Request(f"{self.issuer}/token", urllib.parse.urlencode(form).encode(),
                                         {"authorization": f"Basic {basic}"})
        with self.opener().open(request, timeout=10) as answer:
            return json.load(answer)["access_token"]

    def opener(self):
        return urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                           urllib.request.HTTPSHandler(context=self.authority.client()))

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Strange:
    """An issuer that answers what it is told to: {path: (status, headers, bytes)}, or a function of the handler."""

    def __init__(self, authority=None):
        self.key, self.answers = ed25519.Ed25519PrivateKey.generate(), {}

        class Handler(http.server.BaseHTTPRequestHandler):
            stopping = threading.Event()

            def do_GET(handler):
                answer = self.answers.get(handler.path, (404, {}, b""))
                if callable(answer):
                    return answer(handler)
                status, headers, body = answer
                handler.send_response(status)
                for name, value in {"content-length": str(len(body)), **headers}.items():
                    handler.send_header(name, value)
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(handler, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *arguments: None  # who has hung up
        if authority:
            self.server.socket = authority.server().wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if authority else ''}://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def issuer(self, name):
        return f"{self.url}/{name}"

    def discovery(self, name, **changes):
        document = {"issuer": self.issuer(name), "jwks_uri": self.issuer(name) + "/jwks", **changes}
        self.answers[f"/{name}/.well-known/openid-configuration"] = (200, {}, json.dumps(document).encode())

    def jwks(self, name, *kids):
        raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        keys = [{"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": base64url(raw)} for kid in kids]
        self.answers[f"/{name}/jwks"] = (200, {}, json.dumps({"keys": keys}).encode())

    def token(self, issuer, now, kid="1", **claims):
        body = {"iss": self.issuer(issuer), "aud": AUDIENCE, "sub": "nobody", "iat": now, "exp": now + 3600, **claims}
        return signed({"alg": "EdDSA", "kid": kid, "typ": "at+jwt"}, body, self.key)

    def stop(self):
        self.server.RequestHandlerClass.stopping.set()
        self.server.shutdown()
        self.server.server_close()


class Service:
    """One more isms-reviews."""

    def __init__(self, folder, issuers, authority, **settings):
        self.log, self.offset, self.list = folder / "service.log", folder / "offset", folder / "issuers.json"
        self.clock(0)
        self.list.write_text(json.dumps(issuers))
        password = (stack().folder / "password").read_text().strip()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ISMS_")}
        environment |= {
            # A sanitizer's library would be first, which is of no matter to what is loaded here.
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
            "LD_PRELOAD": str(clock_library(folder)), "CLOCK_OFFSET_FILE": str(self.offset), "no_proxy": "127.0.0.1",
            "ISMS_LISTEN": "127.0.0.1:0", "ISMS_ADMIN_LISTEN": "127.0.0.1:0",
            "ISMS_DATABASE_URL":
                f"postgresql://isms_reviews:{password}@127.0.0.1:{stack().port('postgres')}/isms",
            "ISMS_SERVICE_KEY_FILE": str(stack().folder / "keys/reviews.pem"),
            "ISMS_SERVICE_JWKS_FILE": str(stack().folder / "keys/services.jwks"),
            "ISMS_INSTALLATION_KEY_FILE": str(stack().folder / "keys/installation.pem"),
            "ISMS_OIDC_ISSUERS_FILE": str(self.list), "ISMS_OIDC_CA_FILE": str(authority.file),
            "ISMS_INPUTS_ADDRESS": stack().address("inputs"), "ISMS_ACTIONS_ADDRESS": stack().address("actions"),
            **{f"ISMS_{name.upper()}": value for name, value in settings.items()}}
        with self.log.open("w") as log:
            self.process = subprocess.Popen([str(stack().bin / "isms-reviews")], env=environment, stderr=log,
                                            stdout=log)
        self.port, self.admin_port = until(self.ports, 30, "the service's start")
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", options=[("grpc.enable_retries", 0)])
        until(lambda: self.ready()["status"] != "not ready", 30, "readiness")

    def ports(self):
        assert self.process.poll() is None, self.log.read_text()
        for line in self.log.read_text().splitlines():
            if '"listening"' in line:
                found = json.loads(line)
                return found["port"], found["admin_port"]

    def clock(self, seconds):
        """Moves the service's wall clock so far from the true one."""
        fresh = self.offset.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.rename(self.offset)

    def get(self, path):
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                    f"http://127.0.0.1:{self.admin_port}{path}", timeout=5) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def ready(self):
        return json.loads(self.get("/readyz"))

    def issuers(self):
        """(state, detail) of the readiness check."""
        return next((check["state"], check.get("detail", "")) for check in self.ready()["checks"]
                    if check["name"] == "issuers")

    def metric(self, name):
        return sum(float(line.split()[-1]) for line in self.get("/metrics").splitlines()
                   if line.startswith((name + "{", name + " ")))

    def call(self, token, method="GetSelf", timeout=10, metadata=(), **fields):
        method = api().by_name[method]
        call = self.channel.unary_unary(method.path, lambda message: message.SerializeToString(),
                                        method.response.FromString)
        try:
            return call(method.request(**fields), timeout=timeout,
                        metadata=[("authorization", f"Bearer {token}"), *metadata])
        except grpc.RpcError as error:
            raise Refused(error) from None

    def verdict(self, token, **options):
        """"OK", or the reason it was refused for."""
        try:
            self.call(token, **options)
            return "OK"
        except Refused as refused:
            return refused.reason or str(refused)

    def stop(self):
        self.channel.close()
        self.process.terminate()
        assert self.process.wait(30) == 0, self.log.read_text()[-2000:]


def clock_library(folder):
    library = folder / "clock_offset.so"
    if not library.exists():
        subprocess.run(["gcc", "-O1", "-Wall", "-shared", "-fPIC", "-o", str(library), str(HERE / "clock_offset.c")],
                       check=True)
    return library

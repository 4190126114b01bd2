"""The transport as it is: isms-interop as a process, raw HTTP/2 beside gRPC, certificates to try with."""

import datetime
import ipaddress
import os
import pathlib
import re
import signal
import socket
import ssl
import struct
import subprocess

import h2.config
import h2.connection
import h2.events
import hyperframe.frame
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

FRAME_MAX = 16384
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Server:
    """isms-interop with some settings: Server(connection_streams_max=3). In a `with` it runs."""

    def __init__(self, listen="127.0.0.1:0", **settings):
        self.listen, self.settings, self.process, self.port = listen, settings, None, None

    def __enter__(self):
        program = pathlib.Path(os.environ["ISMS_TEST_STACK_BIN"]) / "isms-interop"
        options = [f"--{name.replace('_', '-')}={value}" for name, value in self.settings.items()]
        self.process = subprocess.Popen([str(program), f"--listen={self.listen}", *options],
                                        stdout=subprocess.PIPE, text=True)
        match = re.match(r"listening on port (\d+)", self.process.stdout.readline())
        assert match, "isms-interop did not start"
        self.port = int(match[1])
        return self

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.process.stdout.close()

    def health_turn(self):
        """Serving becomes not serving, and back."""
        self.process.send_signal(signal.SIGHUP)

    def raw_call(self, path, message, headers=()):
        """A unary call by hand: its response headers, the bytes of its frames, its trailers."""
        with RawConnection(self.port) as raw:
            raw.call(path, message, dict(headers))
            return raw.answer()


class RawConnection:
    """HTTP/2 where the test decides what is sent."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        # h2 takes GOAWAY for the end of the connection; it is the end of new streams.
        self.h2._frame_dispatch_table[hyperframe.frame.GoAwayFrame] = lambda frame: ([], [])
        self.h2.initiate_connection()
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def call(self, path, message, headers=None, flag=0):
        stream = self.h2.get_next_available_stream_id()
        fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "test", "te": "trailers",
                  "content-type": "application/grpc", **(headers or {})}
        self.h2.send_headers(stream, list(fields.items()))
        data = struct.pack(">BI", flag, len(message)) + message
        for start in range(0, len(data), FRAME_MAX):
            self.h2.send_data(stream, data[start:start + FRAME_MAX], end_stream=start + FRAME_MAX >= len(data))
        self.flush()
        return stream

    def events(self):
        while True:
            data = self.socket.recv(65536)
            if not data:
                return
            yield from self.h2.receive_data(data)
            self.flush()

    def answer(self):
        headers, body, trailers = {}, b"", {}
        for event in self.events():
            if isinstance(event, h2.events.ResponseReceived):
                headers = dict(event.headers)
                trailers = headers  # an answer of a status alone has both in one
            elif isinstance(event, h2.events.TrailersReceived):
                trailers = dict(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                body += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                self.flush()
            elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                return headers, body, trailers
        return headers, body, trailers


class Authority:
    """A certificate authority of a test's own, and what it issues."""

    def __init__(self, folder, name="Test CA"):
        self.folder = pathlib.Path(folder)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self.name, self.key.public_key(), [x509.BasicConstraints(True, None)])
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)

    def _sign(self, subject, public_key, extensions, days=30):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(public_key)
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=days)))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, name, *identities, days=30):
        """(certificate, key) in PEM for 127.0.0.1 and the identities, "spiffe://..." or a DNS name."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        names += [x509.UniformResourceIdentifier(identity) if "://" in identity else x509.DNSName(identity)
                  for identity in identities]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key.public_key(), [
            x509.BasicConstraints(False, None), x509.SubjectAlternativeName(names)], days)
        return (certificate.public_bytes(serialization.Encoding.PEM),
                key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption()))

    def write(self, stem, *identities, days=30):
        """The same into STEM.pem and STEM.key; their paths."""
        certificate, key = self.issue(stem, *identities, days=days)
        return place(self.folder / f"{stem}.pem", certificate), place(self.folder / f"{stem}.key", key)

    def write_ca(self, stem="ca"):
        return place(self.folder / f"{stem}.pem", self.pem)


def place(path, data):
    """Puts a file in place in one step, as a careful operator does."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(data)
    beside.chmod(0o644)
    beside.rename(path)
    return path


def server_certificate(port):
    """The certificate that the server shows now, in PEM."""
    return ssl.get_server_certificate(("127.0.0.1", port)).encode()

"""Evidence files as a client sees them, and a second isms-inputs beside the stack's own that keeps them elsewhere."""

import base64
import contextlib
import hashlib
import pathlib
import shutil
import subprocess
import tempfile

import grpc
from isms_client import BARE_ENVIRONMENT, Caller, Refused, new_id, stack, until

MIB = 1 << 20
UPLOADING, STORED, DELETED, REMOVED = 1, 2, 3, 4


def content(size, seed=0):
    """Bytes that repeat nowhere near a block's size."""
    return b"".join(hashlib.sha256(b"%d %d" % (seed, n)).digest() for n in range(size // 32 + 1))[:size]


def announcement(data, name="restore-test.pdf", **more):
    return {"name": name, "media_type": "application/pdf", "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(), **more}


def sent(caller, file, data, start=0, chunk=MIB):
    """Uploads what is missing; the file as the last chunk's answer has it."""
    for offset in range(start, len(data), chunk):
        file = caller.UploadEvidenceFile(id=file.id, offset=offset,
                                         data=base64.b64encode(data[offset:offset + chunk]).decode())
    return file


def stored(caller, data=None, **more):
    """A finished file."""
    data = content(1000) if data is None else data
    file = caller.CreateEvidenceFile(file=announcement(data, **more))
    sent(caller, file, data)
    return caller.FinishEvidenceFile(id=file.id)


def downloaded(caller, file_id, offset=0):
    parts = caller.DownloadEvidenceFile(id=file_id, offset=offset)
    for part in parts:
        assert part.offset == offset
        offset += len(part.data)
    return b"".join(part.data for part in parts)


def read(caller, file_id, size=MIB):
    """The whole by unary calls."""
    data = b""
    while True:
        part = caller.ReadEvidenceFile(id=file_id, offset=len(data), size=size)
        assert part.offset == len(data)
        if not part.data:
            return data
        data += part.data


def lease_freed(job):
    """Ends the connections that hold the lease of a job of isms-inputs: whoever asks most often has it next."""
    ended = stack().sql("select pg_terminate_backend(pid) from pg_stat_activity "
                        f"where application_name = 'isms-inputs.{job}'")
    assert ended.returncode == 0, ended.stderr


class Elsewhere(Caller):
    """A caller whose calls of inputs go to another process than the stack's own."""

    def __init__(self, caller, channel):
        super().__init__(caller.credential, caller.tenant, caller.member)
        self.channel = channel

    def call(self, method, request, timeout=30, metadata=()):
        if method.service != "inputs":
            return super().call(method, request, timeout, metadata)
        if method.streams:
            return list(self.stream(method, request, timeout, metadata))
        call = self.channel.unary_unary(method.path, request_serializer=lambda message: message.SerializeToString(),
                                        response_deserializer=method.response.FromString)
        try:
            return call(request, timeout=timeout, metadata=self.headers(metadata))
        except grpc.RpcError as error:
            raise Refused(error) from None

    def stream(self, method, request, timeout=30, metadata=()):
        call = self.channel.unary_stream(method.path, request_serializer=lambda message: message.SerializeToString(),
                                         response_deserializer=method.response.FromString)
        try:
            yield from call(request, timeout=timeout, metadata=self.headers(metadata))
        except grpc.RpcError as error:
            raise Refused(error) from None


class Inputs:
    """An isms-inputs of its own, on the stack's database."""

    def __init__(self, **settings):
        self.settings = settings
        self.log = stack().folder / "log" / f"inputs-{new_id()[:8]}.log"

    def start(self, pause=0.05):
        """Ready; asked for every `pause` seconds."""
        folder = stack().folder
        password = (folder / "password").read_text().strip()
        database = f"@127.0.0.1:{stack().port('postgres')}/isms"
        environment = {
            **BARE_ENVIRONMENT, "ISMS_LISTEN": f"127.0.0.1:{stack().control('port', 'inputs-9')}",
            "ISMS_ADMIN_LISTEN": f"127.0.0.1:{stack().control('port', 'inputs-9-admin')}",
            "ISMS_DATABASE_URL": f"postgresql://isms_inputs:{password}{database}",
            "ISMS_JOB_DATABASE_URL": f"postgresql://isms_jobs:{password}{database}",
            "ISMS_DRAIN_DELAY": "0s", "ISMS_SERVICE_KEY_FILE": f"{folder}/keys/inputs.pem",
            "ISMS_SERVICE_JWKS_FILE": f"{folder}/keys/services.jwks",
            "ISMS_OIDC_JWKS_FILE": f"{folder}/keys/oidc.jwks", "ISMS_OIDC_ISSUER": "https://id.demo.example",
            "ISMS_OIDC_AUDIENCE": "isms-review",
            **{f"ISMS_{name.upper()}": value for name, value in self.settings.items()}}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([str(stack().bin / "isms-inputs")], env=environment, stdout=log, stderr=log)
        self.channel = grpc.insecure_channel(environment["ISMS_LISTEN"], options=[("grpc.enable_retries", 0)])
        try:
            until(self.ready, 30, f"isms-inputs ({self.log})", pause)
        except AssertionError:
            self.kill()
            raise
        return self

    def ready(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            return bool(stack().admin("inputs-9", "/readyz"))
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.channel.close()

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.channel.close()

    def caller(self, caller):
        return Elsewhere(caller, self.channel)


@contextlib.contextmanager
def directory():
    """A folder for evidence files."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="isms-evidence.", dir="/var/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)

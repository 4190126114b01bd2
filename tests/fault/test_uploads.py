"""What of an evidence file was acknowledged is there after a crash, in either storage; and what a crash left half done
is finished by whoever comes back."""

import threading

import pytest
from evidence import MIB, STORED, Inputs, announcement, content, directory, downloaded, sent, stored
from isms_client import Organisation, Refused, stack, until

CHUNK = 64 << 10


@pytest.fixture(scope="module")
def organisation():
    return Organisation()


@pytest.fixture(params=["postgresql", "filesystem"])
def replica(request):
    with directory() as folder:
        made = Inputs(evidence_storage=request.param, evidence_directory=str(folder)).start()
        made.folder = folder
        yield made
        made.stop()


class Upload(threading.Thread):
    """Sends chunk after chunk until something is in the way; knows what was acknowledged."""

    def __init__(self, caller, file, data, start):
        super().__init__()
        self.caller, self.file, self.data, self.acknowledged = caller, file, data, start

    def run(self):
        try:
            for offset in range(self.acknowledged, len(self.data), CHUNK):
                self.acknowledged = sent(self.caller, self.file, self.data[:offset + CHUNK], offset).received_bytes
        except (Refused, ValueError):  # the process, or the channel, has gone
            pass


def test_acknowledged_chunks_survive_the_process(organisation, replica):
    manager = organisation.person("ISMS_MANAGER")
    data = content(3 * MIB + 5)
    file = replica.caller(manager).CreateEvidenceFile(file=announcement(data))
    received = 0
    for _ in range(4):
        upload = Upload(replica.caller(manager), file, data, received)
        upload.start()
        goal = min(received + 8 * CHUNK, len(data))
        until(lambda: upload.acknowledged >= goal, 30, "some chunks")
        replica.kill()
        upload.join()
        replica.start()
        received = replica.caller(manager).GetEvidenceFile(id=file.id).received_bytes
        assert upload.acknowledged <= received <= upload.acknowledged + CHUNK
    caller = replica.caller(manager)
    sent(caller, file, data, received)
    assert caller.FinishEvidenceFile(id=file.id).state == STORED
    assert downloaded(caller, file.id) == data


def test_a_finished_file_survives_database_and_process(organisation, replica):
    manager = organisation.person("ISMS_MANAGER")
    data = content(MIB)
    file = stored(replica.caller(manager), data)
    replica.kill()
    stack().control("stop", "postgres", "QUIT")
    stack().control("start", "postgres")
    replica.start()
    until(lambda: downloaded(replica.caller(manager), file.id) == data, 30, "the file")


def test_a_file_that_got_its_name_but_not_its_row_is_finished_by_the_repeat(organisation, replica):
    """The process died between the two; only a file system has that."""
    caller = replica.caller(organisation.person("ISMS_MANAGER"))
    data = content(MIB)
    file = caller.CreateEvidenceFile(file=announcement(data))
    sent(caller, file, data)
    for part in replica.folder.rglob(f"{file.id}.part"):
        part.rename(part.with_suffix(""))
    assert caller.FinishEvidenceFile(id=file.id).state == STORED
    assert downloaded(caller, file.id) == data


def test_what_was_written_but_not_acknowledged_is_written_again(organisation, replica):
    """Half a chunk behind what was noted, as a crash in the middle of a write leaves it."""
    caller = replica.caller(organisation.person("ISMS_MANAGER"))
    data = content(2 * CHUNK)
    file = caller.CreateEvidenceFile(file=announcement(data))
    sent(caller, file, data[:CHUNK])
    for part in replica.folder.rglob(f"{file.id}.part"):
        with part.open("ab") as opened:
            opened.write(b"!" * 1000)
    sent(caller, file, data, CHUNK)
    assert caller.FinishEvidenceFile(id=file.id).state == STORED
    assert downloaded(caller, file.id) == data

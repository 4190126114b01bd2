"""`ismsctl org export` takes the evidence files along: every byte, or it says which file it could not have."""

import concurrent.futures
import hashlib
import json

import pytest
from evidence import MIB, Inputs, announcement, content, directory, stored
from fault_proxy import Links
from isms_client import Organisation, stack, until
from test_tenant_life import ismsctl


@pytest.fixture(scope="module")
def inputs():
    """Keeps new files in a folder, and serves those in the database as well."""
    with directory() as folder:
        made = Inputs(evidence_storage="filesystem", evidence_directory=str(folder)).start()
        yield made
        made.stop()


def exported(organisation, path, **addresses):
    return ismsctl("org", "export", str(path), caller=organisation.admin, **addresses)


@pytest.mark.parametrize("storage", ["postgresql", "filesystem"])
def test_the_command_takes_the_bytes_along(inputs, storage, tmp_path):
    organisation = Organisation()
    manager = organisation.person("ISMS_MANAGER")
    there = inputs.caller(manager) if storage == "filesystem" else manager
    beside = f"127.0.0.1:{stack().control('port', 'inputs-9')}"
    data = [content(1, 7), content(3 * MIB, 8)]
    files = [stored(there, each) for each in data]
    there.CreateEvidenceFile(file=announcement(b"never sent"))
    there.DeleteEvidenceFile(id=stored(there, content(50)).id)
    done = exported(organisation, tmp_path / "all.jsonl", inputs=beside)
    assert done.returncode == 0, done.stderr
    assert f"2 evidence files ({3 * MIB + 1} bytes)" in done.stderr
    folder = tmp_path / "all.jsonl.evidence"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        file.id: each for file, each in zip(files, data)}
    assert [oct(path.stat().st_mode)[-3:] for path in (folder, folder / files[0].id)] == ["700", "600"]
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert (lines[-1]["complete"]["file_count"], lines[-1]["complete"]["gone_count"]) == (2, 0)
    for line in (line["file"] for line in lines if "file" in line):
        assert hashlib.sha256((tmp_path / line["path"]).read_bytes()).hexdigest() == line["sha256"]
    again = exported(organisation, tmp_path / "all.jsonl", inputs=beside)
    assert again.returncode == 1 and len(list(folder.iterdir())) == 2, "what is there is not written over"


def test_an_export_with_bytes_that_do_not_fit_their_row_leaves_nothing(tmp_path):
    organisation = Organisation()
    manager = organisation.person("ISMS_MANAGER")
    stored(manager, content(10))
    file = stored(manager, content(2000))
    assert stack().sql(f"select lo_put(object, 5, '!') from inputs.evidence_object "
                       f"where file_id = '{file.id}'").returncode == 0
    done = exported(organisation, tmp_path / "all.jsonl")
    assert done.returncode == 1 and "DATA_CORRUPT" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_export_says_which_file_was_deleted_before_it_could_be_fetched(tmp_path):
    organisation = Organisation()
    manager = organisation.person("ISMS_MANAGER")
    kept, gone = stored(manager, content(10)), stored(manager, content(2000))
    links = Links()
    actions = links.link("actions", stack().port("actions"))
    actions.silence()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(exported, organisation, tmp_path / "all.jsonl", actions=actions.address)
        try:
            until(lambda: actions.writers, 60, "the part of actions, which comes after the files' rows")
            manager.DeleteEvidenceFile(id=gone.id)
        finally:
            actions.heal()
        done = running.result()
    links.close()
    assert done.returncode == 0 and gone.id in done.stderr and "1 evidence files" in done.stderr
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [line["gone"] for line in lines if "gone" in line] == [{"id": gone.id}]
    assert [line["file"]["id"] for line in lines if "file" in line] == [kept.id]
    assert (lines[-1]["complete"]["file_count"], lines[-1]["complete"]["gone_count"]) == (1, 1)


def test_an_export_without_files_has_no_folder(tmp_path):
    assert exported(Organisation(), tmp_path / "all.jsonl").returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["all.jsonl"]

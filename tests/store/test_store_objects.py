"""Segments in an object store: the folder is only a cache, and what it lost is fetched."""

import importlib
import secrets
import shutil
from datetime import timedelta

import fsspec
import pytest

from celadon.core.findings import FindingError, Severity
from celadon.store import Store
from tests.store.servers import schema
from tests.store.store_tools import Clock, load, only, read, segment_files, utc, with_points

JANUARY, FEBRUARY = utc("2018-01-10"), utc("2018-02-10")


@pytest.fixture(params=["file", "memory"])
def address(request, tmp_path):
    """The same code on a folder and on an object store in memory."""
    return (
        (tmp_path / "objects [1]").as_uri()
        if request.param == "file"
        else f"memory://{secrets.token_hex(4)}/mill"
    )


@pytest.fixture
def store(tmp_path, address):
    with Store.create(tmp_path / "s", Clock(), objects=address) as made:
        yield with_points(made)


def objects(address):
    files, root = fsspec.core.url_to_fs(address)
    return {str(path).removeprefix(root).lstrip("/") for path in files.find(root)}


def filled(store):
    load(store, [(1, JANUARY, 1.0, 1, 1), (1, FEBRUARY, 2.0, 1, 2)])
    load(store, [(1, JANUARY, 3.0, 1, 1)])
    return read(store.snapshot())


def test_what_the_folder_lost_is_fetched(store, address):
    expected = filled(store)
    assert len(expected) == 3
    assert objects(address) == segment_files(store.path)
    shutil.rmtree(store.path / "segments")
    with Store.open(store.path) as again:  # the folder remembers
        assert read(again.snapshot(), [1], utc("2018-02-01"), utc("2018-03-01")) == [(1, FEBRUARY, 2.0, 1)]
        assert len(segment_files(store.path)) == 1  # only what was asked for
        assert read(again.snapshot()) == expected
        assert again.verify() == []


def test_compaction_and_its_sweep_happen_in_both_places(store, address):
    expected = filled(store)
    shutil.rmtree(store.path / "segments")
    assert store.compact(grace=timedelta(0)).merged == 2
    assert read(store.snapshot()) == expected
    assert objects(address) == segment_files(store.path)
    assert len(objects(address)) == 2


def test_a_cached_file_that_is_damaged_is_fetched_anew(store):
    expected = filled(store)
    for file in (store.path / "segments").rglob("*.parquet"):
        file.write_bytes(file.read_bytes()[:-9])
    snapshot = store.snapshot()
    assert read(snapshot) == expected
    assert snapshot.findings == []
    one = next((store.path / "segments").rglob("*.parquet"))
    content = bytearray(one.read_bytes())
    content[len(content) // 2] ^= 0xFF
    one.write_bytes(content)
    assert store.verify() == []
    assert read(store.snapshot()) == expected


def test_what_is_damaged_or_gone_in_both_places_is_said(store, address):
    filled(store)
    files, root = fsspec.core.url_to_fs(address)
    (path,) = (path for path in files.find(root) if "/2018-02/" in str(path))
    files.pipe_file(path, b"something else")
    shutil.rmtree(store.path / "segments")
    snapshot = store.snapshot()
    assert len(read(snapshot)) == 2
    assert [item.code for item in snapshot.findings] == ["store.segment-missing"]
    assert not list((store.path / "segments").rglob("*.parquet.*"))


def test_a_discarded_batch_leaves_nothing(store, address):
    filled(store)
    before = objects(address)
    with store.begin("load") as pending:
        pending.add_file("x", "ab" * 32, 1, "meters", "m")
        from tests.store.store_tools import add

        add(pending, [(2, JANUARY, 5.0, 1, 1)])
        assert objects(address) != before
    assert objects(address) == before == segment_files(store.path)


def test_two_hosts_share_catalogue_and_objects_and_no_disk(tmp_path, postgresql_server):
    server, kept = f"{postgresql_server}?schema={schema()}", (tmp_path / "bucket").as_uri()
    with Store.create(tmp_path / "here", Clock(), server, kept) as here:
        with_points(here)
        load(here, [(1, JANUARY, 1.0, 1, 1)])
        with Store.open(tmp_path / "there", Clock(), server, kept) as there:
            assert read(there.snapshot()) == [(1, JANUARY, 1.0, 1)]
            load(there, [(2, JANUARY, 2.0, 1, 1)])
        assert read(here.snapshot()) == [(1, JANUARY, 1.0, 1), (2, JANUARY, 2.0, 2)]
        assert here.snapshot().digest() != ""


def refused(path, address):
    with pytest.raises(FindingError) as raised:
        Store.open_or_create(path, objects=address)
    finding = only(raised.value)
    assert finding.severity is Severity.ERROR
    return finding


def test_the_folder_belongs_to_one_place(store, tmp_path):
    assert refused(store.path, (tmp_path / "other").as_uri()).code == "store.kept-elsewhere"
    Store.create(tmp_path / "local").close()
    assert refused(tmp_path / "local", (tmp_path / "other").as_uri()).code == "store.kept-elsewhere"


def test_a_secret_in_the_address_is_refused_and_not_repeated(tmp_path):
    finding = refused(tmp_path / "s", "s3://key:hunter2@bucket/mill")
    assert finding.code == "store.objects-password"
    assert "bucket" in finding.says("en")
    assert "hunter2" not in str(finding.to_json())


def test_a_protocol_that_nobody_knows(tmp_path):
    finding = refused(tmp_path / "s", "nosuch://bucket/mill")
    assert finding.code == "store.objects"
    assert finding.says("en").startswith(
        "The object store nosuch://bucket/mill cannot be used: Protocol not known"
    )


def test_fsspec_is_an_extra(tmp_path, monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    finding = refused(tmp_path / "s", "s3://bucket/mill")
    assert finding.code == "store.extra-missing"
    assert finding.fix("en") == "Install it: pip install 'celadon[objects]'."


def test_an_object_store_that_refuses_discards_the_batch(store, monkeypatch):
    expected = filled(store)
    files = segment_files(store.path)

    def full(*_):
        raise OSError("quota exceeded")

    with monkeypatch.context() as patched:
        patched.setattr(store.files.objects._files, "put_file", full)
        with pytest.raises(FindingError) as raised:
            load(store, [(1, JANUARY, 9.0, 1, 1)])
    finding = only(raised.value)
    assert finding.code == "store.objects"
    assert "quota exceeded" in finding.says("zh")
    assert read(store.snapshot()) == expected
    assert segment_files(store.path) == files

"""Every way a store can be broken: what is said, and that the rest still answers."""

import shutil
import sqlite3
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from celadon.core.findings import FindingError, FindingKind, Severity
from celadon.store import Store, faults, locking, sqlite
from tests.shared_data import ROOT
from tests.store.store_tools import (
    Clock,
    add,
    assert_readable,
    connection,
    load,
    only,
    read,
    segment_files,
    utc,
    with_points,
)

JANUARY, FEBRUARY = utc("2018-01-10"), utc("2018-02-10")


@pytest.fixture
def store(tmp_path):
    with Store.create(tmp_path / "s", Clock()) as made:
        yield with_points(made)


def refused(path: Path, opening=Store.open):
    with pytest.raises(FindingError) as raised:
        opening(path)
    finding = only(raised.value)
    assert str(path) in finding.says("en")
    assert str(path) in finding.says("zh")
    return finding


def test_every_kind_of_finding_is_in_both_languages():
    kinds = [kind for kind in vars(faults).values() if isinstance(kind, FindingKind)]
    assert {kind.code for kind in kinds} == {
        "store.absent", "store.exists", "store.not-a-store", "store.newer-format", "store.catalogue-damaged",
        "store.locked", "store.busy", "store.disk-full", "store.not-writable", "store.segment-missing",
        "store.segment-damaged", "store.file-loaded", "store.clock-backwards", "store.catalogue-moved", "store.catalogue-server",
        "store.catalogue-address", "store.catalogue-password", "store.kept-elsewhere", "store.kept-unreadable",
        "store.extra-missing", "store.objects", "store.objects-password",
        "system.memory", "system.memory-limit", "store.history-dropped",
    }  # fmt: skip
    for kind in kinds:
        assert kind.title.en != kind.title.zh


def test_no_store_here(tmp_path):
    finding = refused(tmp_path / "nowhere")
    assert (finding.code, finding.severity) == ("store.absent", Severity.ERROR)
    assert finding.says("en") == f"There is no store in {tmp_path / 'nowhere'}."
    assert not (tmp_path / "nowhere").exists()


def test_a_store_is_here_already(store):
    finding = refused(store.path, Store.create)
    assert finding.code == "store.exists"
    assert "already holds a store" in finding.says("en")
    Store.open_or_create(store.path).close()


def test_a_database_of_another_program(tmp_path):
    con = sqlite3.connect(tmp_path / "catalogue.sqlite")
    con.execute("CREATE TABLE theirs (x)")
    con.close()
    for opening in (Store.open, Store.create, Store.open_or_create):
        assert refused(tmp_path, opening).code == "store.not-a-store"


def test_a_store_of_a_newer_program(store):
    store.close()
    con = sqlite3.connect(store.path / "catalogue.sqlite")
    con.execute("PRAGMA user_version = 7")
    con.close()
    finding = refused(store.path)
    assert finding.code == "store.newer-format"
    assert "has format 7; this program reads up to format 1" in finding.says("en")


@pytest.mark.parametrize("damage", ["overwritten", "first page", "inner page"])
def test_a_damaged_catalogue(store, damage):
    load(store, [(1, JANUARY, 1.0, 1, 1)])
    store.close()
    file = store.path / "catalogue.sqlite"
    content = bytearray(file.read_bytes())
    if damage == "overwritten":
        content = bytearray(b"not a database at all " * 500)
    elif damage == "first page":
        content[0:16] = b"\0" * 16
    else:
        content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(bytes(content))

    def answer(path):
        with Store.open(path) as damaged:
            read(damaged.snapshot())

    finding = refused(store.path, answer)
    assert finding.code == "store.catalogue-damaged"


def test_damage_inside_the_catalogue_is_found_by_verify(store):
    for number in range(60):
        store.ensure_points([f"point with a long name {number:060d}"])
    store.close()
    file = store.path / "catalogue.sqlite"
    con = sqlite3.connect(file)
    page = con.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_point_1'"
    ).fetchone()[0]
    con.close()
    content = bytearray(file.read_bytes())
    content[page * 4096 - 120 : page * 4096 - 20] = b"\x01" * 100  # keys stand at the end of a page
    file.write_bytes(bytes(content))
    with Store.open(store.path) as damaged:
        assert {finding.code for finding in damaged.verify()} == {"store.catalogue-damaged"}


def test_the_second_writer_is_told_or_waits(store):
    with Store.open(store.path) as other:
        with store.begin("load") as pending:
            add(pending, [(1, JANUARY, 1.0, 1, 1)])
            with pytest.raises(FindingError) as raised:
                other.begin("load", wait=False)
            finding = only(raised.value)
            assert finding.code == "store.locked"
            assert "pid " in finding.says("en")
            assert other.snapshot().upto == 0  # readers never wait
            told: list[str] = []
            waiter = threading.Thread(target=lambda: _commit(other, told))
            waiter.start()
            waiter.join(0.2)
            assert waiter.is_alive()
            assert len(told) == 1
            assert told[0].startswith("pid ")
            pending.commit()
        waiter.join(20)
        assert not waiter.is_alive()
    assert [batch.note for batch in store.batches()] == ["", "waited"]
    assert len(read(store.snapshot())) == 2


def _commit(store: Store, told: list[str]) -> None:
    with store.begin("load", "waited", waiting=told.append) as pending:
        pending._catalogue.next_id("batch")  # in this thread
        import duckdb

        con = duckdb.connect()
        con.execute(
            "CREATE TABLE r AS SELECT 1 point, TIMESTAMP '2018-01-11' t, 0 span, 2.0 AS value, 1 file, 1 line"
        )
        pending.add_readings(con, "r")
        pending.commit()


def test_two_threads_of_one_store_take_turns(store):
    with store.lock():
        refusals: list[str] = []

        def attempt():
            try:
                store.begin("load", wait=False)
            except FindingError as error:
                refusals.append(only(error).code)

        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
        assert refusals == ["store.locked"]
        with store.lock(wait=False):  # the same thread may nest
            assert store.batches() == []


def test_a_lock_without_a_name_in_it(store, monkeypatch):
    lock = locking.FileLatch(store.path)
    (store.path / "lock").unlink(missing_ok=True)
    assert lock.holder() == "pid ?"


def test_a_catalogue_held_by_another_program(store, monkeypatch):
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.05)
    with Store.open(store.path) as impatient:
        tool = sqlite3.connect(store.path / "catalogue.sqlite", isolation_level=None)
        tool.execute("BEGIN IMMEDIATE")
        with pytest.raises(FindingError) as raised:
            impatient.begin("load")
        assert only(raised.value).code == "store.busy"
        tool.execute("ROLLBACK")
        tool.close()
        load(impatient, [(1, JANUARY, 1.0, 1, 1)])
    assert len(store.batches()) == 1


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    finding = refused(tmp_path / "file" / "s", Store.create)
    assert finding.code == "store.not-writable"
    assert "a file has the name of the folder" in finding.says("en")


def damaged_store(store):
    """Two months; February's segment is about to be damaged."""
    load(store, [(1, JANUARY + timedelta(minutes=n), float(n % 7), 1, n) for n in range(3000)])
    load(store, [(1, FEBRUARY, 5.0, 1, 1)])
    return next((store.path / "segments" / "readings" / "2018-02").iterdir())


def test_a_missing_segment_is_said_and_the_rest_answers(store):
    file = damaged_store(store)
    kept = file.read_bytes()
    file.unlink()
    snapshot = store.snapshot()
    assert len(read(snapshot)) == 3000
    (finding,) = snapshot.findings
    assert_readable(finding)
    assert (finding.code, finding.severity) == ("store.segment-missing", Severity.ERROR)
    assert (
        finding.says("en")
        == "A file of 1 readings is missing (batches 2, month 2018-02); answers leave them out: what is derived anew "
        "for 1 meter(s) from 2018-02-10 to 2018-02-10 is absent or estimated, and its coverage says so."
    )
    assert finding.where.file == file.relative_to(store.path).as_posix()
    assert [item.code for item in store.verify()] == ["store.segment-missing"]
    assert len(read(store.snapshot(), [1], utc("2018-01-01"), utc("2018-02-01"))) == 3000
    file.write_bytes(kept)
    assert store.verify() == []
    assert len(read(store.snapshot())) == 3001


def test_a_segment_cut_short_is_said_without_reading_it(store):
    file = damaged_store(store)
    file.write_bytes(file.read_bytes()[:-20])
    snapshot = store.snapshot()
    assert len(read(snapshot)) == 3000
    assert [item.code for item in snapshot.findings] == ["store.segment-damaged"]
    assert snapshot.findings[0].says("zh").startswith("一个含 1 行（readings）的文件")


def test_a_flipped_bit_is_found_by_its_digest(store):
    damaged_store(store)
    file = next((store.path / "segments" / "readings" / "2018-01").iterdir())
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0x10
    file.write_bytes(bytes(content))
    (finding,) = store.verify()
    assert (finding.code, finding.values["rows"]) == ("store.segment-damaged", 3000)
    snapshot = store.snapshot()
    assert read(snapshot) == [(1, FEBRUARY, 5.0, 2)]
    assert [item.code for item in snapshot.findings] == ["store.segment-damaged"]
    con = connection()
    con.execute(
        "CREATE OR REPLACE TABLE led AS SELECT 1 AS point, TIMESTAMP '2018-01-03' AS start, 1 amount, 1 low, 1 high, "
        "0 estimated, 0 covered, 0 n"
    )
    parts = [(1, 2018 * 12)]
    assert store.add_ledger(con, "led", snapshot=snapshot, parts=parts, digests={1: "d"}) is False
    load(store, [(1, JANUARY, 9.0, 1, 1)])
    assert store.compact().merged == 0  # the damaged one is not merged away


def test_a_query_that_meets_damage_says_where(store):
    file = damaged_store(store)
    sql = store.snapshot().readings_sql([1], utc("2018-01-01"), utc("2018-03-01"))
    size = file.stat().st_size
    file.write_bytes(b"PAR1" + b"\xee" * (size - 8) + b"PAR1")
    with pytest.raises(FindingError) as raised, store.reading():
        connection().execute(sql).fetchall()
    assert only(raised.value).code == "store.segment-damaged"
    again = store.snapshot()
    assert len(read(again)) == 3000
    with pytest.raises(Exception, match="nosuch"), store.reading():
        connection().execute("SELECT * FROM read_parquet('nosuch.parquet')")


@pytest.mark.parametrize("name", ["copy", "it's [a] *copy*?", "鹭河 特钢"])
def test_a_store_copied_elsewhere_answers(store, tmp_path, name):
    damaged_store(store)
    target = tmp_path / name
    shutil.copytree(store.path, target)  # while it is open: the newest commits are in the write-ahead log
    expected = read(store.snapshot())
    shutil.rmtree(store.path / "segments")
    with Store.open(target) as copy:
        assert read(copy.snapshot()) == expected
        assert read(copy.snapshot(), None, utc("2018-01-01"), utc("2018-02-01"), 1) == expected
        assert copy.verify() == []
        load(copy, [(2, JANUARY, 1.0, 1, 1)])
        assert copy.compact().merged == 2
        assert len(read(copy.snapshot())) == len(expected) + 1


def test_leftovers_of_a_killed_writer_are_swept_and_nothing_else(store):
    load(store, [(1, JANUARY, 1.0, 1, 1)])
    listed = next(iter(segment_files(store.path)))
    orphan = store.path / "segments" / "readings" / "2018-01" / "b00000002-dead0000.parquet"
    orphan.write_bytes(b"half a file")
    outside = store.path.parent / "precious.parquet"
    outside.write_bytes(b"not ours")
    writing = store.path / "writing" / "dead.list"
    writing.write_text(
        f"{listed}\n{orphan.relative_to(store.path).as_posix()}\n../precious.parquet\nsegments/../../precious.parquet\nsegm"
    )
    stray = orphan.with_name("unlisted.parquet")
    stray.write_bytes(b"")
    with store.lock():
        assert segment_files(store.path) == {listed, stray.relative_to(store.path).as_posix()}
    assert outside.exists()
    assert not writing.exists()
    assert store.compact().strays == 1
    assert len(read(store.snapshot())) == 1


def test_creation_killed_half_way_is_taken_up_again(tmp_path):
    (tmp_path / "catalogue.sqlite").write_bytes(b"")
    assert refused(tmp_path).code == "store.absent"
    with Store.create(tmp_path) as store:
        load(with_points(store), [(1, JANUARY, 1.0, 1, 1)])
    sqlite3.connect(tmp_path / "c2").execute("PRAGMA journal_mode = WAL").connection.close()
    (tmp_path / "t").mkdir()
    shutil.move(tmp_path / "c2", tmp_path / "t" / "catalogue.sqlite")
    with Store.open_or_create(tmp_path / "t") as store:
        assert store.batches() == []


FULL = """
import os, sys, resource, signal
from pathlib import Path
import duckdb
from celadon.core.findings import FindingError
from celadon.store import Store
from tests.store.store_tools import load, read, utc, with_points, segment_files
from datetime import timedelta

path, limit = Path(sys.argv[1]), int(sys.argv[2])
store = with_points(Store.create(path / "s"))
load(store, [(1, utc("2018-01-01"), 1.0, 1, 1)])
expected, files = read(store.snapshot()), segment_files(store.path)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
con = duckdb.connect()
con.execute(
    "CREATE TABLE big AS SELECT 1 + range % 2 AS point, TIMESTAMP '2018-01-05' + INTERVAL 1 SECOND * range AS t, 0 AS span, "
    "random() AS value, 1 AS file, range::INTEGER AS line FROM range(400000)"
)
codes = []
for attempt in range(2):
    try:
        with store.begin("load") as pending:
            pending.add_readings(con, "big")
            pending.commit()
    except FindingError as error:
        codes += [item.code for item in error.findings]
        assert "{" not in error.findings[0].says("en") + error.findings[0].says("zh")
assert codes == ["store.disk-full"] * 2, codes
assert read(store.snapshot()) == expected
assert segment_files(store.path) == files, segment_files(store.path)
assert list((store.path / "writing").iterdir()) == []
small = load(store, [(1, utc("2018-01-02"), 2.0, 1, 1)])
assert small.id == 2
filler = path / "filler"
if not limit:  # not even the catalogue has room
    with filler.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(4096))
        except OSError:
            pass
    for attempt in range(2):
        try:
            load(store, [(1, utc("2018-01-03") + timedelta(seconds=n), float(n), 1, n) for n in range(2000)])
        except FindingError as error:
            codes += [item.code for item in error.findings]
    assert codes == ["store.disk-full"] * 4, codes
    before, files = read(store.snapshot()), segment_files(store.path)
    assert len(before) == 2
    try:
        store.compact()
    except FindingError as error:
        codes += [item.code for item in error.findings]
    assert codes == ["store.disk-full"] * 5, codes
    assert (read(store.snapshot()), segment_files(store.path)) == (before, files)
    filler.unlink()
assert load(store, [(1, utc("2018-01-03"), 3.0, 1, 1)]).id == 3
assert store.verify() == []
store.close()
print("as told")
"""
MOUNT = 'mount -t tmpfs -o size=2m none "$1" && exec "$2" -c "$3" "$1" 0'


@pytest.mark.stress
def test_disk_full(tmp_path):
    """On a real small disk where this process may mount one, else under a limit on the size of files."""
    small = tmp_path / "small"
    small.mkdir()
    environment = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    run = {"env": environment, "capture_output": True, "text": True, "timeout": 120}
    mounted = ["unshare", "-Urm", "sh", "-c", MOUNT, "sh", str(small), sys.executable, FULL]
    may_mount = (
        shutil.which("unshare")
        and subprocess.run(["unshare", "-Urm", "true"], capture_output=True).returncode == 0
    )
    command = mounted if may_mount else [sys.executable, "-c", FULL, str(small), "1000000"]
    done = subprocess.run(command, **run)
    assert done.stdout == "as told\n", done.stderr

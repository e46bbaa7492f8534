"""`doctor`: every kind of damage is named, what is safe is mended, facts are never removed, and the rest still answers."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from celadon.core.findings import FindingError
from celadon.plant.doctor import examine
from celadon.plant.facade import open_plant
from celadon.plant.retain import retain
from celadon.store import Store, doctor, month_of
from tests.plant import small
from tests.store.servers import schema
from tests.store.store_tools import assert_readable, only, segment_files
from tests.store.test_store_scratch import PYTHON, holder

LATE = "time,E1,E2\n2024-01-31 23:00,8440,3480\n2024-02-01 00:00,8540,3490\n"
BOOK = "cn_gbt_32150_2015"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A plant with two loads, and its backup."""
    folder = tmp_path_factory.mktemp("doctor")
    small.loaded(folder / "plant").close()
    (folder / "plant" / "data" / "late.csv").write_text(LATE)
    with open_plant(folder / "plant") as plant:
        plant.load()
        plant.back_up(folder / "backup")
    return folder


@pytest.fixture
def plant(whole, tmp_path) -> Path:
    return small.copy(whole / "plant", tmp_path / "plant")


def store_of(plant: Path) -> Path:
    return plant / "celadon-store"


def sql(plant: Path, *statements: str) -> None:
    con = sqlite3.connect(store_of(plant) / "catalogue.sqlite")
    for statement in statements:
        con.execute(statement)
    con.commit()
    con.close()


def segment(plant: Path, kind: str, month: str) -> Path:
    """The newest of its month: an earlier load's ledger is stale."""
    return sorted((store_of(plant) / "segments" / kind / month).iterdir())[-1]


def codes(found) -> list[str]:
    for item in found.findings:
        assert_readable(item)
    return sorted({item.code for item in found.findings})


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0x10
    file.write_bytes(bytes(content))


def test_a_sound_plant_and_its_store_alone(plant):
    for deep in (False, True):
        found = examine(plant, deep=deep)
        assert (found.ok, found.findings, found.mended) == (True, (), None)
        assert found.ledger_compared == found.ledger_stored == 4  # two meters, December and January (UTC)
    seen: list[float] = []
    alone = small.copy(store_of(plant), plant.parent / "a store alone")
    shutil.rmtree(plant)
    assert examine(alone, lambda share, _: seen.append(share), deep=True).ledger_compared == 4
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_nothing_there(tmp_path):
    with pytest.raises(FindingError) as raised:
        examine(tmp_path)
    assert only(raised.value).code == "plant.file-missing"


def test_damaged_and_missing_segments_are_put_back_from_a_backup(plant, whole):
    with open_plant(plant) as opened:
        expected = small.emission(opened), small.energy(opened)
    flip(segment(plant, "readings", "2024-01"))
    segment(plant, "records", "all").unlink()
    segment(plant, "readings", "2023-12").write_bytes(b"")  # cut short
    found = examine(plant)
    assert codes(found) == ["store.segment-damaged", "store.segment-missing"]
    said = {item.where.file.split("/")[2]: item.says("en") for item in found.findings}
    assert said["2023-12"].endswith(
        "answers leave it out: what is derived anew for 2 meter(s) from 2023-12-31 to 2023-12-31 is absent or "
        "estimated, and its coverage says so."
    )
    assert said["all"].endswith("answers leave them out: what rests on these records is absent.")
    assert found.ledger_compared == 0  # the stored ledger knows more than damaged readings
    before = examine(plant, repair=True)
    assert codes(before) == codes(found)
    assert (before.mended.put_back, before.ledger_stored) == (0, 4)
    mended = examine(plant, repair=True, backup=whole / "backup")
    assert (mended.ok, mended.findings, mended.mended.put_back, mended.ledger_compared) == (True, (), 3, 4)
    with open_plant(plant) as opened:
        assert (small.emission(opened), small.energy(opened)) == expected
    with pytest.raises(FindingError) as raised:
        examine(plant, repair=True, backup=plant)
    assert only(raised.value).code == "backup.not-a-backup"


def test_without_a_segment_the_rest_answers_and_says_what_is_missing(plant):
    """Readings of January are lost, and with them the stored ledger: an answer is less, and says so; it is never wrong."""
    flip(sorted((store_of(plant) / "segments" / "readings" / "2024-01").iterdir())[0])
    sql(plant, "DELETE FROM ledger_part")
    with open_plant(plant) as opened:
        opened.verify()  # or the first query that meets the damage
        answer = opened.account(BOOK, "2024-01")
        row = next(row for row in answer.rows if row.quantity == "purchased_electricity_emission")
        assert "store.segment-damaged" in {item.code for item in answer.findings}
        # What is left: 8 hours of December (UTC) = the first 8 of January here, and the two late readings of the end.
        # 8540 - 1080 kWh between them is an outage's exact total: all of it is known, its hours are estimated.
        assert row.value == pytest.approx((8540 - 1000) * 0.5 / 1000)
        assert row.estimated > 0.9
        assert examine(plant).ledger_compared == 0


def test_damage_that_a_query_meets_first(plant):
    content = segment(plant, "readings", "2024-01").read_bytes()
    segment(plant, "readings", "2024-01").write_bytes(b"PAR1" + b"\xee" * (len(content) - 8) + b"PAR1")
    sql(plant, "DELETE FROM ledger_part")
    with open_plant(plant) as opened:
        with pytest.raises(FindingError) as raised:
            opened.balance("2024-01")
        assert only(raised.value).code == "store.segment-damaged"
        assert opened.balance("2024-01").conserved  # asked again, it answers from the rest


def test_stored_ledger_that_is_not_what_the_readings_give(plant):
    file = segment(plant, "ledger", "2024-01")
    import duckdb

    con = duckdb.connect()
    con.execute(f"CREATE TABLE t AS FROM read_parquet('{file}')")
    con.execute("UPDATE t SET amount = amount + 1 WHERE rowid = 5")
    con.execute(f"COPY t TO '{file}' (FORMAT PARQUET)")
    import hashlib

    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    name = file.relative_to(store_of(plant)).as_posix()
    sql(
        plant,
        f"UPDATE segment SET sha256 = '{digest}', bytes = {file.stat().st_size} WHERE path = '{name}'",
    )
    found = examine(plant)
    assert codes(found) == ["doctor.ledger-differs"]
    assert found.findings[0].values == {"meter": "E1", "months": "2024-01"}
    mended = examine(plant, repair=True)
    assert (mended.findings, mended.ledger_derived, mended.ledger_compared) == ((), 1, 4)


def test_damaged_ledger_is_derived_again(plant):
    flip(segment(plant, "ledger", "2024-01"))
    found = examine(plant)
    assert codes(found) == ["store.segment-damaged"]
    assert "and derive it again from readings" in found.findings[0].says("en")
    mended = examine(plant, repair=True)
    assert (mended.findings, mended.mended.ledger_dropped, mended.ledger_stored) == ((), 1, 4)
    assert mended.ledger_derived == 2


def test_what_belongs_to_no_batch(plant):
    known = segment_files(store_of(plant))
    orphan = segment(plant, "readings", "2024-01").with_name("b00000009-dead0000.parquet")
    orphan.write_bytes(b"half a file")
    found = examine(plant)
    assert [(item.code, item.values["count"], item.values["bytes"]) for item in found.findings] == [
        ("doctor.orphans", 1, 11)
    ]
    assert found.ok
    mended = examine(plant, repair=True)
    assert (mended.findings, mended.mended.removed) == ((), 1)
    assert segment_files(store_of(plant)) == known


def test_what_a_living_writer_has_begun_is_not_an_orphan(plant):
    with Store.open(store_of(plant)) as writer, writer.begin("load") as pending:
        pending._staging._announce("segments/readings/2024-01/b00000099-11111111.parquet")
        begun = store_of(plant) / "segments" / "readings" / "2024-01" / "b00000099-11111111.parquet"
        begun.write_bytes(b"being written")
        done = subprocess.run(
            [sys.executable, "-m", "celadon", "doctor", str(plant), "--json"],
            env=PYTHON, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "doctor." not in done.stdout
        assert begun.exists()


def test_leftovers_of_killed_processes(plant):
    killed, folder = holder(store_of(plant))
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    killed.stdout.close()
    (store_of(plant) / "writing").mkdir(exist_ok=True)
    (store_of(plant) / "writing" / "dead.list").write_text("segments/readings/2024-01/never-begun.parquet\n")
    found = doctor.examine(Store.open(store_of(plant)))
    assert [item.code for item in found.findings] == ["doctor.left-behind"]
    assert found.findings[0].values == {"lists": 1, "folders": 1}
    assert folder.exists()
    assert examine(plant, repair=True).findings == ()
    assert not folder.exists()
    assert list((store_of(plant) / "writing").iterdir()) == []


def test_a_clock_that_was_ahead(plant):
    with Store.open(store_of(plant)) as store:
        last = store.batches()[-1]
        early = doctor.examine(store, now=last.recorded_at - timedelta(days=3))
        (finding,) = [item for item in early.findings if item.code == "doctor.clock-ahead"]
        assert_readable(finding)
        assert finding.values["batch"] == store.batches()[0].id
        assert doctor.examine(store, now=datetime.now(UTC)).findings == []
    ahead = int((time.time() + 86400) * 1e6)
    sql(plant, f"UPDATE batch SET recorded_at = {ahead} WHERE id = (SELECT max(id) FROM batch)")
    assert codes(examine(plant)) == ["doctor.clock-ahead"]
    (plant / "data" / "more.csv").write_text("time,E1,E2\n2024-02-01 01:00,8550,3494\n")
    with open_plant(plant) as opened:  # a load after it is recorded just after it, and says so
        opened.load()
        said = {item.code for item in opened.store.findings()}
        assert "store.clock-backwards" in said
        assert opened.view().snapshot.recorded_at > datetime.now(UTC) + timedelta(hours=23)
        assert small.energy(opened) == 7540.0


BROKEN = {
    "a file without its batch": ("UPDATE file SET batch = 99 WHERE id = 1", "doctor.reference-broken"),
    "readings no span tells of": ("DELETE FROM span WHERE segment = 2", "doctor.reference-broken"),
    "a batch taken out": ("DELETE FROM batch WHERE id = 3", "doctor.batch-order"),
    "two batches swapped": (
        "UPDATE batch SET recorded_at = (SELECT recorded_at - 1 FROM batch WHERE id = 1) WHERE id = 2",
        "doctor.batch-order",
    ),
    "a plant altered": (
        "UPDATE plant SET json = replace(json, '500', '600') WHERE id = 1",
        "doctor.plant-altered",
    ),
    "a table gone": ("DROP TABLE finding", "store.catalogue-damaged"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_catalogue_that_was_changed_from_outside(plant, what):
    statement, code = BROKEN[what]
    sql(plant, statement)
    found = examine(plant, repair=True)  # nothing of this can be mended safely
    assert code in codes(found)
    assert not found.ok


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE segment SET rows = rows + 1 WHERE kind = 'readings' AND month = {month}", "the rows"),
        ("UPDATE segment SET batch_max = batch_max + 1 WHERE kind = 'records'", "the batches"),
        ("UPDATE span SET t_max = t_max + 1000000 WHERE month = {month}", "the times of its readings"),
    ],
)
def test_deep_compares_the_rows_with_what_is_listed(plant, statement, what):
    sql(plant, statement.format(month=month_of(datetime(2024, 1, 1, tzinfo=UTC))))
    assert "doctor.listed-otherwise" not in codes(examine(plant))
    found = [item for item in examine(plant, deep=True).findings if item.code == "doctor.listed-otherwise"]
    assert found
    assert all(item.says("en").startswith(f"The catalogue lists {what}") for item in found)


def test_a_catalogue_held_by_another_program_is_said(plant):
    """Not a database error: who waits is told after the time-out, and what is to be done."""
    holding = sqlite3.connect(store_of(plant) / "catalogue.sqlite", isolation_level=None, timeout=0)
    holding.execute("PRAGMA locking_mode = EXCLUSIVE")
    holding.execute("BEGIN EXCLUSIVE")
    done = subprocess.run(
        [sys.executable, "-c", IMPATIENT, str(plant)], env=PYTHON, capture_output=True, text=True
    )
    holding.close()
    assert done.stdout.split() == ["store.busy", "store.busy"], done.stderr
    assert examine(plant).findings == ()


def test_with_the_catalogue_on_a_server(tmp_path, postgresql_server):
    folder = small.write(
        tmp_path / "p", plant=small.PLANT + f"catalogue: {postgresql_server}?schema={schema()}\n"
    )
    for readings in (small.rows(0, small.HOURS), small.rows(0, small.HOURS).replace(",1960,", ",1961,")):
        (folder / "data" / "january.csv").write_text(readings)
        with open_plant(folder) as plant:
            plant.load()
    with open_plant(folder) as plant:
        plant.back_up(tmp_path / "b")
        later = plant.store.batches()[-1].recorded_at + timedelta(days=31)
        assert retain(plant.opened, "30d", now=later, apply=True).readings == 1
        energy = small.energy(plant)
    sound = examine(folder, deep=True)
    assert (sound.findings, sound.ledger_compared) == ((), 4)
    flip(segment(folder, "records", "all"))
    segment(folder, "readings", "2024-01").with_name("orphan.parquet").write_bytes(b"x")
    assert codes(examine(store_of(folder))) == ["doctor.orphans", "store.segment-damaged"]
    mended = examine(folder, repair=True, backup=tmp_path / "b")
    assert (mended.findings, mended.mended.put_back, mended.mended.removed) == ((), 1, 1)
    with open_plant(folder) as plant:
        assert small.energy(plant) == energy == 7440.0


IMPATIENT = """
import sys
from celadon.core.findings import FindingError
from celadon.plant.facade import open_plant
from celadon.store import sqlite
sqlite._BUSY_SECONDS = 0.1
for verb in (lambda plant: plant.balance("2024-01"), lambda plant: plant.load()):
    with open_plant(sys.argv[1]) as plant:
        try:
            verb(plant)
        except FindingError as error:
            print(error.findings[0].code)
"""

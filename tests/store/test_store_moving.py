"""A catalogue that moves between its folder and a PostgreSQL server: every row compared, one switch, nothing lost."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from celadon.core.findings import FindingError
from celadon.store import Store, month_of, moving
from celadon.store.moving import FOLDER, move
from celadon.store.schema import TABLES
from tests.cli.test_cli_commands import body
from tests.kills import kills
from tests.plant import small
from tests.shared_data import ROOT
from tests.store.servers import schema
from tests.store.store_tools import Clock, add, load, only, read, utc, with_points

JANUARY = utc("2018-01-10")
ROWS = [(1, JANUARY, 1.0, 1, 1), (2, JANUARY, 2.0, 1, 2), (1, utc("2018-03-01"), 3.0, 1, 3)]


@pytest.fixture
def address(postgresql_server):
    return f"{postgresql_server}?schema={schema()}"


@pytest.fixture
def folder(tmp_path):
    with with_points(Store.create(tmp_path / "s", Clock())) as store:
        load(store, ROWS)
        load(store, [(1, JANUARY, 1.5, 1, 1)])
    return tmp_path / "s"


def contents(folder):
    """Every row of every table, and where the catalogue is."""
    with Store.open(folder) as store:
        tables = {name: sorted(store.catalogue.rows(f"SELECT * FROM {name}"), key=repr) for name in TABLES}
        return tables, (folder / "catalogue.sqlite").exists()


def refused(act, *arguments):
    with pytest.raises(FindingError) as raised:
        act(*arguments)
    return only(raised.value)


def test_to_the_server_and_back_every_row_is_there(folder, address):
    before, _ = contents(folder)
    assert len(before["batch"]) == 2
    assert len(before["span"]) == 4  # two points in January, one in March, one again in January
    steps: list[tuple[int, int]] = []
    there = move(folder, address, lambda done, total: steps.append((done, total)))
    rows = sum(len(found) for found in before.values())
    assert (there.before, there.now, there.moved, there.batch, there.rows) == (FOLDER, address, True, 2, rows)
    assert steps == [(done, len(TABLES)) for done in range(len(TABLES))]
    assert contents(folder) == (before, False)
    assert move(folder, address).moved is False
    with Store.open(folder) as store:
        load(store, [(3, JANUARY, 4.0, 1, 1)])
        expected = read(store.snapshot())
    changed, _ = contents(folder)
    back = move(folder, FOLDER)
    assert (back.before, back.batch, back.digest) == (address, 3, changed["batch"][-1][-1])
    assert contents(folder) == (changed, True)
    assert not (folder / "store.json").exists()
    with Store.open(folder) as store:
        assert read(store.snapshot()) == expected
        assert store.verify() == []
    assert move(folder, address).moved  # the same place again: what it holds is this store's, and given up
    assert contents(folder) == (changed, False)


def test_who_has_it_open_is_told_before_anything_is_lost(folder, address):
    """A reader and a writer that were there before: neither goes on with the catalogue that is given up."""
    with Store.open(folder) as other:
        load(other, [(3, JANUARY, 4.0, 1, 1)])
        move(folder, address)
        for act in (other.snapshot, lambda: load(other, [(4, JANUARY, 5.0, 1, 1)]), lambda: other.compact()):
            found = refused(act)
            assert found.code == "store.catalogue-moved"
            assert found.says("en") == (
                f"The catalogue of the store in {folder} was moved to {address} while it was open here; nothing was written."
            )
    with Store.open(folder) as other:
        move(folder, FOLDER)
        assert refused(other.snapshot).code == "store.catalogue-moved"
        assert refused(lambda: load(other, [(4, JANUARY, 5.0, 1, 1)])).code == "store.catalogue-moved"
    with Store.open(folder) as store:
        assert len(store.batches()) == 3


def test_a_copied_folder_is_refused_by_the_server_it_was_moved_from(folder, address, tmp_path):
    move(folder, address)
    shutil.copytree(folder, tmp_path / "copy")
    move(folder, FOLDER)
    assert refused(Store.open, tmp_path / "copy").code == "store.kept-elsewhere"


def test_another_catalogue_is_not_overwritten(folder, address, tmp_path):
    with Store.create(tmp_path / "t", Clock(), address) as other:
        with_points(other)
        load(other, ROWS)
    before = contents(folder)
    assert refused(move, folder, address).code == "store.exists"
    assert contents(folder) == before
    assert len(contents(tmp_path / "t")[0]["batch"]) == 1


def test_rows_that_differ_stop_the_move(folder, address, monkeypatch):
    """A copy that lost a row, as another program's trigger would lose it: the old catalogue stays in force."""
    before = contents(folder)
    real = moving.PostgreSQLDatabase.run_many

    def lossy(self, sql, rows):
        kept = list(rows)
        real(self, sql, kept[1:] if "INTO point " in sql else kept)

    monkeypatch.setattr(moving.PostgreSQLDatabase, "run_many", lossy)
    found = refused(move, folder, address)
    assert (found.code, found.values["table"], found.values["found"], found.values["rows"]) == (
        "move.rows-differ",
        "point",
        4,
        5,
    )
    assert contents(folder) == before
    monkeypatch.undo()
    assert move(folder, address).moved


def test_what_a_killed_move_left_on_the_server_is_replaced(folder, address, monkeypatch):
    """Killed after the server has everything and before the switch."""

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(moving, "write_kept", killed)
        with pytest.raises(KeyboardInterrupt):
            move(folder, address)
    with Store.open(folder) as store:  # the file is in force, and goes on
        load(store, [(3, JANUARY, 4.0, 1, 1)])
    before, here = contents(folder)
    assert here
    assert move(folder, address).batch == 3
    assert contents(folder) == (before, False)


def test_segments_in_an_object_store_keep_their_server(tmp_path, address):
    (tmp_path / "objects").mkdir()
    where = f"file://{tmp_path}/objects"
    with with_points(Store.create(tmp_path / "s", Clock(), objects=where)) as store:
        load(store, ROWS)
    move(tmp_path / "s", address)
    with Store.open(tmp_path / "s") as store:
        with store.begin("load") as pending:
            add(pending, [(1, JANUARY, 9.0, 1, 1)])
            pending.commit()
        assert store.snapshot().stored_range(1) == (month_of(JANUARY), month_of(utc("2018-03-01")))
    found = refused(move, tmp_path / "s", FOLDER)
    assert (found.code, found.values["objects"]) == ("move.objects-need-server", where)


def test_the_command_says_what_the_plant_file_should_say(tmp_path, address, capsys):
    small.loaded(tmp_path / "plant").close()
    file = tmp_path / "plant" / "plant.yaml"
    asked = ("account", tmp_path / "plant", "--rulebook", "cn_gbt_32150_2015", "--period", "2024-01")
    before = body(capsys, *asked)
    done = body(capsys, "move", tmp_path / "plant", "--catalogue", address)
    assert (done["before"], done["now"], done["moved"], done["findings"]) == ("folder", address, True, [])
    assert done["facts_digest"] == before["facts_digest"]
    assert body(capsys, *asked) == before
    file.write_text(f"catalogue: {address}\n" + file.read_text())
    back = body(capsys, "move", tmp_path / "plant", "--catalogue", "folder")
    [finding] = back["findings"]
    assert finding["code"] == "move.file-says-other"
    assert finding["says"]["en"] == (
        f"The catalogue was moved to folder, but plant.yaml says `catalogue: {address}`: commands are refused until it is corrected."
    )
    file.write_text(file.read_text().split("\n", 1)[1])
    assert body(capsys, *asked) == before


def test_killed_at_random_moments_of_moving(folder, address):
    count = kills(12)
    script = ROOT / "tests" / "store" / "killed_moves.py"
    done = subprocess.run(
        [sys.executable, script, folder, address, str(count), "7"],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        capture_output=True, text=True, timeout=60 + 5 * count,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    saw = json.loads(done.stdout)
    assert saw["batches"] == 2 + count
    assert min(saw["places"].values()) >= 1

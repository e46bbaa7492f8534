"""Scratch folders after kills, spilling beside the store, and memory that runs out."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pytest

from celadon.core.findings import FindingError
from celadon.store import Store, faults, scratch
from celadon.store.scratch import Scratch, connect
from tests.plant import small
from tests.shared_data import ROOT
from tests.store.store_tools import assert_readable, only

HOLD = """
import sys, time
from pathlib import Path
from celadon.store.scratch import Scratch
held = Scratch(Path(sys.argv[1]))
(held.path / "spilled").write_bytes(b"x" * 1000)
print(held.path, flush=True)
time.sleep(60)
"""
PYTHON = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}


def holder(near: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that has a scratch folder in `near`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(near)], env=PYTHON, stdout=subprocess.PIPE, text=True
    )
    return process, Path(process.stdout.readline().strip())


def test_a_killed_process_leaves_a_folder_that_the_next_removes_and_a_living_one_keeps_its_own(tmp_path):
    killed, left = holder(tmp_path)
    living, kept = holder(tmp_path)
    try:
        assert left.parent == kept.parent == tmp_path / "scratch"
        assert scratch.left_behind(tmp_path / "scratch") == []
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert scratch.left_behind(tmp_path / "scratch") == [left]
        assert scratch.sweep(tmp_path / "scratch") == 1
        assert not left.exists()
        assert (kept / "spilled").read_bytes() == b"x" * 1000
    finally:
        for process in (killed, living):
            process.kill()
            process.wait()
            process.stdout.close()


def test_the_first_folder_a_process_makes_sweeps(tmp_path):
    killed, left = holder(tmp_path)
    killed.kill()
    killed.wait()
    killed.stdout.close()
    with Scratch(tmp_path) as mine:
        assert not left.exists()
        assert mine.path.parent == tmp_path / "scratch"
        (mine.path / "file").write_text("x")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_is_not_a_scratch_folder_is_let_alone(tmp_path):
    (tmp_path / "scratch" / "mine").mkdir(parents=True)
    (tmp_path / "scratch" / "celadon-scratch-unmarked").mkdir()
    assert scratch.sweep(tmp_path / "scratch") == 0
    assert scratch.sweep(tmp_path / "nowhere") == 0
    assert len(list((tmp_path / "scratch").iterdir())) == 2


def test_without_a_folder_that_can_be_written_it_stands_in_the_systems(tmp_path):
    (tmp_path / "scratch").write_text("a file has the name")
    for near in (None, tmp_path / "absent", tmp_path):
        with Scratch(near) as mine:
            assert mine.path.parent == Path(tempfile.gettempdir())
    assert not (tmp_path / "absent").exists()


def test_work_larger_than_memory_spills_beside_the_store(tmp_path, monkeypatch):
    monkeypatch.setenv("CELADON_MEMORY_LIMIT", "64MiB")
    with Store.create(tmp_path / "s"), Scratch(tmp_path / "s") as mine, connect(mine.path) as con:
        assert con.execute("SELECT current_setting('memory_limit')").fetchone() == ("64.0 MiB",)
        con.execute("CREATE TEMP TABLE big AS SELECT hash(range) AS x FROM range(12_000_000)")  # 96 MB
        assert sum(file.stat().st_size for file in mine.path.iterdir()) > 0
        assert con.execute("SELECT count(*), count(DISTINCT x) FROM big").fetchone() == (12_000_000,) * 2


def test_memory_that_runs_out_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("CELADON_MEMORY_LIMIT", "24MiB")
    with connect() as con:
        con.execute("SET temp_directory = ''")
        with pytest.raises(FindingError) as raised, faults.as_findings(tmp_path):
            con.execute("CREATE TEMP TABLE big AS SELECT hash(range) AS x FROM range(12_000_000)")
        finding = only(raised.value)
        assert (finding.code, finding.values) == (
            "system.memory",
            {"limit": "24MiB", "variable": "CELADON_MEMORY_LIMIT"},
        )
        with pytest.raises(FindingError) as again, Store.create(tmp_path / "s").reading():
            con.execute("CREATE TEMP TABLE big AS SELECT hash(range) AS x FROM range(12_000_000)")
        assert only(again.value).code == "system.memory"
    monkeypatch.delenv("CELADON_MEMORY_LIMIT")
    engine = duckdb.OutOfMemoryException("could not allocate block (18.8 MiB/19.0 MiB used)")
    for error, limit in ((engine, "19.0 MiB"), (MemoryError(), "80 %")):
        said = faults.of_memory(error)
        assert_readable(said)
        assert f"({limit})" in said.says("en")
    assert faults.of_memory(ValueError()) is None


@pytest.mark.parametrize(("limit", "code"), [("plenty", "system.memory-limit"), ("1MiB", "system.memory")])
def test_the_command_line_says_so_and_the_store_is_unharmed(tmp_path, limit, code):
    with small.loaded(tmp_path) as plant:
        expected = small.emission(plant)
    command = [sys.executable, "-m", "celadon", "account", str(tmp_path), "--rulebook", "cn_gbt_32150_2015"]
    done = subprocess.run(
        [*command, "--period", "2024-01", "--json"],
        env={**PYTHON, "CELADON_MEMORY_LIMIT": limit},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert f'"{code}"' in done.stdout
    with small.open_again(tmp_path) as plant:
        assert plant.verify().findings == ()
        assert small.emission(plant) == expected

"""Backup and restore: the same answers and digests elsewhere, only what is new is copied, nothing is overwritten."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from celadon.core.findings import FindingError
from celadon.plant.backup import restore
from celadon.plant.facade import open_plant
from celadon.store import Store, bag
from tests.cli.test_cli_commands import body
from tests.kills import kills
from tests.plant import small
from tests.shared_data import ROOT
from tests.store.servers import schema
from tests.store.store_tools import assert_readable, only

BOOK = "cn_gbt_32150_2015"
LATE = "time,E1,E2\n2024-01-31 23:00,8440,3480\n2024-02-01 00:00,8540,3490\n"


@pytest.fixture
def plant(tmp_path):
    with small.loaded(tmp_path / "plant") as plant:
        yield plant


def files(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def refused(act, *arguments) -> str:
    with pytest.raises(FindingError) as raised:
        act(*arguments)
    return only(raised.value).code


def test_a_restored_plant_gives_the_same_answers_and_digests(tmp_path, capsys):
    small.loaded(tmp_path / "plant").close()
    (tmp_path / "plant" / "data" / "late.csv").write_text(LATE)
    with open_plant(tmp_path / "plant") as plant:
        before_late = plant.view().snapshot.recorded_at.isoformat()
        plant.load()
    backup, again = tmp_path / "backup", tmp_path / "plant"  # the same place on an empty machine
    made = body(capsys, "backup", tmp_path / "plant", backup)
    assert made["new_files"] == made["files"] > 5
    asked = [
        ("account", "--rulebook", BOOK, "--period", "2024-01"),
        ("account", "--rulebook", BOOK, "--period", "2024-01", "--as-of", before_late),
        ("balance", "--period", "2024-01"),
        ("verify",),
        ("explain", "--rulebook", BOOK, "--period", "2024-01"),
    ]
    tail = {"explain": ("purchased_electricity_emission",)}
    expected = [body(capsys, word, again, *tail.get(word, ()), *rest) for word, *rest in asked]
    shutil.rmtree(tmp_path / "plant")
    placed = body(capsys, "restore", backup, again)
    assert [body(capsys, word, again, *tail.get(word, ()), *rest) for word, *rest in asked] == expected
    assert expected[0]["rows"] != expected[1]["rows"]
    for name in ("batch", "facts_digest", "files", "bytes"):
        assert placed[name] == made[name]
    assert placed["facts_digest"] == expected[0]["facts_digest"]
    assert not (again / "data").exists()
    (again / "data").mkdir()
    (again / "data" / "february.csv").write_text(
        "time,E1,E2\n2024-02-01 00:00,8545,3490\n2024-02-01 01:00,8555,3494\n"
    )
    with open_plant(again) as plant:  # a plant like any other
        plant.load()
        assert plant.verify().findings == ()


def test_other_programs_can_check_it(plant, tmp_path):
    plant.back_up(tmp_path / "b")
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", bag.MANIFEST], cwd=tmp_path / "b", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    listed = set(bag.read_manifest(tmp_path / "b"))
    assert {name for name in files(tmp_path / "b") if name.startswith("data/")} == listed
    assert done.stdout.count(": OK") == len(listed)
    declared = (tmp_path / "b" / "bagit.txt").read_text()
    assert declared == "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def test_the_second_backup_copies_only_what_is_new(plant, tmp_path):
    first = plant.back_up(tmp_path / "b").copied
    assert plant.back_up(tmp_path / "b").copied.new_files == 0
    old = bag.read_manifest(tmp_path / "b")
    (plant.opened.folder / "data" / "late.csv").write_text(LATE)
    plant.load()
    second = plant.back_up(tmp_path / "b").copied
    new = bag.read_manifest(tmp_path / "b")
    assert second.new_files == len(new.keys() - old.keys())
    assert 0 < second.new_bytes < first.bytes + 20_000
    assert {path for path in old if "/readings/" in path} <= new.keys()
    plant.store.compact(grace=timedelta(0))
    plant.back_up(tmp_path / "b")
    left = bag.read_manifest(tmp_path / "b")
    assert len([path for path in left if "/readings/2024-01/" in path]) == 1  # what was merged away has gone
    assert {name for name in files(tmp_path / "b") if name.startswith("data/")} == left.keys()


def test_a_backup_stopped_half_way_leaves_the_one_before_and_is_gone_on_with(plant, tmp_path):
    plant.back_up(tmp_path / "b")
    before = bag.read_manifest(tmp_path / "b")
    (plant.opened.folder / "data" / "late.csv").write_text(LATE)
    plant.load()

    def stop(share: float, what: str) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plant.back_up(tmp_path / "b", stop)
    assert bag.read_manifest(tmp_path / "b") == before
    restore(tmp_path / "b", tmp_path / "old")
    with open_plant(tmp_path / "old") as old:
        assert (old.verify().findings, small.energy(old)) == ((), 7440.0)
    plant.back_up(tmp_path / "b")
    restore(tmp_path / "b", tmp_path / "new")
    with open_plant(tmp_path / "new") as new:
        assert (new.verify().findings, small.energy(new)) == ((), small.energy(plant)) != ((), 7440.0)


def test_compaction_that_overtakes_the_copying_is_caught_up_with(plant, tmp_path):
    (plant.opened.folder / "data" / "late.csv").write_text(LATE)
    plant.load()
    overtaken: list[str] = []

    def compact(share: float, what: str) -> None:
        if not overtaken:
            overtaken.append(what)
            with Store.open(plant.opened.store_path) as other:
                assert other.compact(grace=timedelta(0)).merged > 1

    done = plant.back_up(tmp_path / "b", compact)
    assert overtaken
    assert done.findings == ()
    restore(tmp_path / "b", tmp_path / "r")
    with open_plant(tmp_path / "r") as again:
        assert (again.verify().findings, small.energy(again)) == ((), small.energy(plant))


def test_where_compaction_never_rests_it_has_to_wait(plant, tmp_path):
    (plant.opened.folder / "data" / "late.csv").write_text(LATE)
    plant.load()
    turns: list[threading.Thread] = []

    def churn(share: float, what: str) -> None:
        """Load and compact once for each file copied; from another thread, as the writer's lock may be held by ours."""
        if len(turns) > 7:
            return
        number = len(turns)
        text = f"time,E1,E2\n2024-01-31 22:00,{8430 + number},3476\n"

        def work() -> None:
            (plant.opened.folder / "data" / f"more-{number}.csv").write_text(text)
            with open_plant(plant.opened.folder) as other:
                other.load()
                other.store.compact(grace=timedelta(0))

        turns.append(threading.Thread(target=work))
        turns[-1].start()
        turns[-1].join(0.3)

    done = plant.back_up(tmp_path / "b", churn)
    for thread in turns:
        thread.join()
    assert done.findings == ()
    restore(tmp_path / "b", tmp_path / "r")
    with open_plant(tmp_path / "r") as again:
        assert again.verify().findings == ()


def test_a_damaged_segment_does_not_replace_the_sound_copy(plant, tmp_path):
    plant.back_up(tmp_path / "b")
    segment = next((plant.opened.store_path / "segments" / "readings" / "2024-01").iterdir())
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-9] + bytes(9))
    kept, fresh = plant.back_up(tmp_path / "b"), plant.back_up(tmp_path / "fresh")
    assert kept.findings == ()  # what the backup holds is sound; `verify` is for the store
    assert [item.code for item in fresh.findings] == ["store.segment-damaged"]
    segment.unlink()
    missing = plant.back_up(tmp_path / "third")
    assert [item.code for item in missing.findings] == ["store.segment-missing"]
    restore(tmp_path / "b", tmp_path / "r")
    (placed,) = (tmp_path / "r" / "celadon-store" / "segments" / "readings" / "2024-01").iterdir()
    assert placed.read_bytes() == whole
    restore(tmp_path / "fresh", tmp_path / "less")
    with open_plant(tmp_path / "less") as less:
        assert [item.code for item in less.verify().findings] == ["store.segment-missing"]


def test_what_is_in_the_way_is_not_touched(plant, tmp_path):
    backup = tmp_path / "b"
    plant.back_up(backup)
    for busy in (tmp_path / "mine", tmp_path / "plant"):
        busy.mkdir(exist_ok=True)
        (busy / "precious.txt").write_text("x")
        before = files(busy)
        assert refused(plant.back_up, busy) == "backup.not-a-backup"
        assert refused(restore, backup, busy) == "restore.exists"
        assert files(busy) == before
    (tmp_path / "a file").write_text("x")
    assert refused(plant.back_up, tmp_path / "a file") == "backup.not-a-backup"
    for nothing in (tmp_path / "a file", tmp_path / "nowhere", tmp_path / "mine"):
        assert refused(restore, nothing, tmp_path / "r") == "backup.not-a-backup"
    (backup / bag.MANIFEST).write_text("no manifest\n")
    assert refused(restore, backup, tmp_path / "r") == "backup.not-a-backup"
    assert not (tmp_path / "r").exists()


def test_a_backup_of_other_data_is_kept(plant, tmp_path):
    plant.back_up(tmp_path / "b")
    before = files(tmp_path / "b")
    with small.loaded(tmp_path / "other", fuel=None) as other:
        assert refused(other.back_up, tmp_path / "b") == "backup.of-another"
    restore(tmp_path / "b", tmp_path / "earlier")
    (plant.opened.folder / "data" / "late.csv").write_text(LATE)
    plant.load()
    plant.back_up(tmp_path / "b")
    later = files(tmp_path / "b")
    assert later != before
    with open_plant(tmp_path / "earlier") as earlier:  # the backup knows more than this store
        assert refused(earlier.back_up, tmp_path / "b") == "backup.of-another"
    assert files(tmp_path / "b") == later


def test_a_damaged_backup_is_not_put_in_place(plant, tmp_path):
    backup = tmp_path / "b"
    plant.back_up(backup)
    path = next(path for path in bag.read_manifest(backup) if "/readings/2024-01/" in path)
    whole = (backup / path).read_bytes()
    (backup / path).write_bytes(whole[:100] + b"\1" + whole[101:])
    with pytest.raises(FindingError) as raised:
        restore(backup, tmp_path / "r")
    finding = only(raised.value)
    assert (finding.code, finding.values["count"], finding.values["file"]) == ("backup.incomplete", 1, path)
    assert not (tmp_path / "r").exists()
    (backup / path).write_bytes(whole)
    done = restore(backup, tmp_path / "r")  # goes on with the files that were sound
    assert 0 < done.copied.new_files < done.copied.files
    with open_plant(tmp_path / "r") as again:
        assert again.verify().findings == ()
    assert not (tmp_path / "r.restoring").exists()


def test_what_another_restore_left_does_not_get_in(plant, tmp_path):
    backup, draft = tmp_path / "b", tmp_path / "r.restoring" / "celadon-store"
    plant.back_up(backup)
    draft.mkdir(parents=True)
    for name in ("catalogue.sqlite", "catalogue.sqlite-wal", "stranger"):
        (draft / name).write_bytes(b"of another restore")
    (tmp_path / "r").mkdir()  # an empty folder is no obstacle
    restore(backup, tmp_path / "r")
    with open_plant(tmp_path / "r") as again:
        assert (again.verify().findings, small.energy(again)) == ((), 7440.0)
    assert not (tmp_path / "r" / "celadon-store" / "stranger").exists()


def test_two_backups_into_one_folder_take_no_turns(plant, tmp_path):
    plant.back_up(tmp_path / "b")
    with (tmp_path / "b" / "in-use").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert refused(plant.back_up, tmp_path / "b") == "backup.running"
    assert plant.back_up(tmp_path / "b").copied.new_files == 0


def test_a_store_outside_the_plants_folder(tmp_path):
    text = small.PLANT + f"store: {tmp_path}/far away\n"
    with small.loaded(tmp_path / "plant", plant=text) as plant:
        plant.back_up(tmp_path / "b")
    done = restore(tmp_path / "b", tmp_path / "r")
    (finding,) = done.findings
    assert_readable(finding)
    assert finding.code == "restore.store-elsewhere"
    assert finding.values["placed"] == str(tmp_path / "r" / "celadon-store")
    with Store.open(tmp_path / "r" / "celadon-store") as store:
        assert store.verify() == []


def test_a_catalogue_that_was_on_a_server_is_restored_into_the_store(tmp_path, postgresql_server):
    address = f"{postgresql_server}?schema={schema()}"
    with small.loaded(tmp_path / "plant", plant=small.PLANT + f"catalogue: {address}\n") as plant:
        plant.back_up(tmp_path / "b")
        digest = plant.view().snapshot.digest()
    done = restore(tmp_path / "b", tmp_path / "r")
    (finding,) = done.findings
    assert_readable(finding)
    assert (finding.code, finding.values["named"]) == ("restore.catalogue-here", address)
    (tmp_path / "r" / "plant.yaml").write_text(small.PLANT)
    with open_plant(tmp_path / "r") as again:
        assert (small.energy(again), again.view().snapshot.digest()) == (7440.0, digest)


FULL = """
import json, resource, sys
from pathlib import Path
from celadon.core.findings import FindingError
from celadon.plant.backup import restore
from celadon.plant.facade import open_plant
plant, folder = Path(sys.argv[1]), Path(sys.argv[2])
codes = []
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open_plant(plant) as opened:
    beside = {"plant.yaml": bytes(int(sys.argv[3]) + 1)}
    for act in (lambda: opened.store.back_up(folder, beside), lambda: restore(sys.argv[4], folder.parent / "r")):
        try:
            act()
            codes.append("done")
        except FindingError as error:
            codes += [item.code for item in error.findings]
print(json.dumps(codes))
"""


def test_no_room_for_the_copy(plant, tmp_path):
    plant.back_up(tmp_path / "whole")
    catalogue = max(file.stat().st_size for file in (tmp_path / "whole").rglob("*.sqlite"))
    for limit, expected in ((40_000, ["backup.disk-full"] * 2), (catalogue, ["backup.disk-full", "done"])):
        done = subprocess.run(
            [sys.executable, "-c", FULL, str(plant.opened.folder), str(tmp_path / "b"), str(limit), str(tmp_path / "whole")],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
        )  # fmt: skip
        assert json.loads(done.stdout) == expected, done.stderr
        assert (tmp_path / "r").exists() == ("done" in expected)
    shutil.rmtree(tmp_path / "r")
    assert plant.back_up(tmp_path / "b").copied.new_files > 0  # with room again, it goes on
    restore(tmp_path / "b", tmp_path / "r")
    with open_plant(tmp_path / "r") as again:
        assert again.verify().findings == ()


@pytest.mark.stress
def test_killed_at_random_moments_of_restating_compacting_and_backing_up(tmp_path):
    count = kills(12)
    done = subprocess.run(
        [sys.executable, "-m", "tests.plant.killed_upkeep", str(tmp_path), str(count), "20240101"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert (seen["kills"], seen["loaded"], seen["kept"], seen["scratch"]) == (count, count, count, 0)
    assert seen["said"].get("rlcb", 0) < count  # most were killed before the end

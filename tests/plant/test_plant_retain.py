"""Retention: what a file's later version replaced long ago may go; no answer that can still be asked for changes."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from celadon.core.findings import FindingError
from celadon.plant.doctor import examine
from celadon.plant.facade import open_plant
from celadon.plant.retain import before, retain
from celadon.store import Store
from tests.plant import small
from tests.store.store_tools import only, read
from tests.store.test_store_scratch import PYTHON

BOOK = "cn_gbt_32150_2015"


def version(bump: float, hours: int = small.HOURS) -> str:
    """January as the file had it: every reading of E1 from the second hour on is higher by `bump` kWh."""
    lines = small.rows(0, hours).splitlines()
    rows = [line.split(",") for line in lines[1:]]
    shifted = [[t, str(float(one) + (bump if n else 0)), two] for n, (t, one, two) in enumerate(rows)]
    return "\n".join([lines[0], *(",".join(row) for row in shifted)]) + "\n"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """January in three versions of one file (0, 5 and 7 kWh), and a correction of one reading by another file."""
    folder = small.write(tmp_path_factory.mktemp("retain"))
    for bump in (0.0, 5.0, 7.0):
        (folder / "data" / "january.csv").write_text(version(bump))
        with open_plant(folder) as plant:
            plant.load()
    (folder / "data" / "z.csv").write_text("time,E1,E2\n2024-01-31 12:00,8330,3424\n")  # by the file: 8327
    with open_plant(folder) as plant:
        plant.load()
    return folder


@pytest.fixture
def plant(whole, tmp_path) -> Path:
    return small.copy(whole, tmp_path / "plant")


def moments(folder: Path) -> list[datetime]:
    """When each batch was recorded."""
    with open_plant(folder) as plant:
        return [batch.recorded_at for batch in plant.store.batches()]


def answers(folder: Path, asked: Iterable[datetime | None]) -> list:
    """Readings in force, ledger and account as of these moments."""
    found = []
    with open_plant(folder) as plant:
        for moment in asked:
            seen = plant.view(moment)
            sql = seen.snapshot.readings_sql(
                None, datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
            )
            force = plant._work.con.execute(
                f"SELECT point, t, span, max_by(value, (batch, file, line)) FROM ({sql}) GROUP BY ALL ORDER BY ALL"
            ).fetchall()
            account = plant.account(BOOK, "2024-01", by="meter", as_of=moment)
            rows = [(row.quantity, row.meter, row.start, row.value, row.coverage) for row in account.rows]
            found.append((force, [row.own for row in plant.balance("2024-01", as_of=moment).meters], rows))
    return found


def later(folder: Path, days: float) -> datetime:
    return moments(folder)[-1] + timedelta(days=days)


def count(folder: Path) -> int:
    with Store.open(folder / "celadon-store") as store:
        return len(read(store.snapshot()))


def test_the_default_keeps_everything_and_a_first_look_changes_nothing(plant):
    with open_plant(plant) as opened:
        for keep, now in ((None, None), ("1y", None), ("5y", later(plant, 400)), ("90d", later(plant, 1))):
            found = retain(opened.opened, keep, now=now, apply=keep != "90d")
            assert (found.readings, found.months, found.since) == (0, (), None)
        batches = opened.store.batches()
        look = retain(opened.opened, "30d", now=later(plant, 31))
        # E1's 744 readings after the first were replaced twice; E2 said the same each time, so it is stored once
        assert (look.readings, look.held_back, look.applied) == (2 * 744, 0, False)
        assert dict(look.months) == {"2023-12": 2 * 7, "2024-01": 2 * 737}  # UTC is eight hours behind
        assert opened.store.batches() == batches
        assert count(plant) == 745 * 2 + 2 * 744 + 2


def test_what_was_replaced_long_ago_goes_and_nothing_that_can_be_asked_changes(plant):
    horizon = moments(plant)[-1]
    asked = [None, *(at for at in moments(plant) if at >= horizon)]
    expected = answers(plant, asked)
    with open_plant(plant) as opened:
        early = opened.view(moments(plant)[2]).snapshot.upto
        digest = opened.view().snapshot.digest()
        done = retain(opened.opened, "30d", now=later(plant, 31), apply=True)
        assert (done.readings, done.applied, done.since, done.kept_since) == (2 * 744, True, horizon, None)
        assert opened.view(horizon).snapshot.digest() == digest
    assert count(plant) == 745 * 2 + 2
    assert answers(plant, asked) == expected
    assert examine(plant, deep=True).findings == ()
    with open_plant(plant) as opened:
        again = retain(opened.opened, "30d", now=later(plant, 31), apply=True)
        assert (again.readings, again.kept_since) == (0, horizon)
        for verb in (
            lambda: opened.account(BOOK, "2024-01", as_of=moments(plant)[2]),
            lambda: opened.balance("2024-01", as_of=moments(plant)[2].isoformat()),
            lambda: opened.compare(BOOK, "2024-01", before={"as_of": moments(plant)[2]}),
            lambda: read(opened.store.snapshot(early)),
        ):
            with pytest.raises(FindingError) as raised:
                verb()
            finding = only(raised.value)
            assert finding.code == "store.history-dropped"
            assert f"{horizon:%Y-%m-%dT%H:%M:%S}" in finding.fix("en")
        opened.account(
            BOOK, "2024-01", as_of=finding.values["since"]
        )  # what the finding proposes can be asked


def test_a_file_that_grows_afterwards_does_not_overrule_a_correction(plant):
    """The last word of each file stays, although another file has corrected it: else the correction would be undone."""
    with open_plant(plant) as opened:
        retain(opened.opened, "30d", now=later(plant, 31), apply=True)
        before = small.energy(opened)
    grown = version(7.0) + "2024-02-01 01:00,8457,3480\n"
    (plant / "data" / "january.csv").write_text(grown)
    with open_plant(plant) as opened:
        done = opened.load()
        (file,) = [item for item in done.files if item.status == "loaded"]
        assert (file.readings, file.repeated) == (2, 745 * 2)
        assert small.energy(opened) == before == 7447.0
        point = opened.store.points()["E1"]
        noon = datetime(2024, 1, 31, 4, tzinfo=UTC)
        rows = read(opened.store.snapshot(), [point], noon, noon + timedelta(minutes=1))
        assert max(rows, key=lambda row: row[3])[2] == 8330.0


def test_a_replaced_reading_that_the_ledger_rests_on_stays(tmp_path):
    """The later version's value is out of the display's range, so the earlier one counts; without it the ledger would change."""
    folder = small.write(tmp_path)
    with open_plant(folder) as plant:
        plant.load()
    text = small.rows(0, small.HOURS).replace("2024-01-10 00:00,3160,1364", "2024-01-10 00:00,1000000.5,1364")
    assert "1000000.5" in text
    (folder / "data" / "january.csv").write_text(text)
    with open_plant(folder) as plant:
        plant.load()
        before = answers(folder, [None])
        done = retain(plant.opened, "1d", now=later(folder, 2), apply=True)
        assert (done.readings, done.held_back) == (0, 1)
    assert answers(folder, [None]) == before
    assert examine(folder, deep=True).findings == ()


def test_a_damaged_month_is_let_alone(plant):
    file = next((plant / "celadon-store" / "segments" / "readings" / "2024-01").iterdir())
    file.write_bytes(file.read_bytes()[:-1])
    with open_plant(plant) as opened:
        done = retain(opened.opened, "30d", now=later(plant, 31), apply=True)
        assert [month for month, _ in done.months] == ["2023-12"]


@pytest.mark.parametrize(
    ("span", "expected"),
    [("5y", "2019-02-28"), ("18mo", "2022-08-29"), ("60d", "2023-12-31"), (" 1 Y", "2023-02-28"), ("9999y", "1970-01-01")],
)  # fmt: skip
def test_lengths_of_time(span, expected):
    assert f"{before(datetime(2024, 2, 29, tzinfo=UTC), span):%Y-%m-%d}" == expected


@pytest.mark.parametrize("span", ["", "5", "y", "-1y", "1w", "1.5y"])
def test_what_is_no_length_of_time(whole, span):
    with open_plant(whole) as opened, pytest.raises(FindingError) as raised:
        retain(opened.opened, span)
    assert only(raised.value).code == "retain.span-unreadable"


KILLED = """
import sys
from datetime import datetime
from celadon.plant.facade import open_plant
from celadon.plant.retain import retain
with open_plant(sys.argv[1]) as plant:
    print("ready", flush=True)
    retain(plant.opened, "30d", now=datetime.fromisoformat(sys.argv[2]), apply=True)
"""


def test_killed_while_dropping_it_is_gone_on_with(plant, tmp_path):
    """Kills at moments spread over the work: after each nothing that can be asked has changed."""
    now = later(plant, 31)
    expected = answers(plant, [None])
    chance = random.Random(7)
    for number in range(5):
        folder = small.copy(plant, tmp_path / str(number))
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(folder), now.isoformat()], env=PYTHON, stdout=subprocess.PIPE
        )
        child.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.4))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert count(folder) >= 745 * 2 + 2
        with open_plant(folder) as opened:
            assert opened.verify().findings == ()
            if count(folder) < count(plant):  # what is refused is refused from the first month dropped on
                assert opened.store.catalogue.horizon() > 0
            retain(opened.opened, "30d", now=now, apply=True)
        assert count(folder) == 745 * 2 + 2
        assert answers(folder, [None]) == expected

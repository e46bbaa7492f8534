"""The one-pass ledger of plain registers against the general way: the same cells and events, whatever the readings."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from celadon.core.model import Meter, PointKind
from celadon.core.periods import Period
from celadon.core.text import Text
from celadon.metering import intervals
from celadon.metering.intervals import derive
from celadon.metering.plain import is_plain, plain_cells
from celadon.metering.registers import declare
from celadon.metering.scales import life


@pytest.fixture(autouse=True)
def _however_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "MANY", 0)


READINGS = "point INTEGER, t TIMESTAMP, span INTEGER, value DOUBLE, file INTEGER, line INTEGER, batch INTEGER"
START = datetime(2024, 1, 1)


def register(number: int, **given: object) -> Meter:
    values: dict[str, object] = {"carrier": "electricity", "unit": "kWh", "digits": 4, **given}
    return Meter(id=f"M{number}", name=Text("M", "M"), kind=PointKind.REGISTER, site="S", **values)  # type: ignore[arg-type]


def bench(rows: list[tuple[object, ...]]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 1})
    con.execute(f"CREATE TEMP TABLE r ({READINGS})")
    if rows:
        con.executemany("INSERT INTO r VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    return con


def ledger(con: duckdb.DuckDBPyConnection, meters: list[Meter], hours: float, grid: int) -> tuple[list, list]:
    window = Period(START.replace(tzinfo=UTC), START.replace(tzinfo=UTC) + timedelta(hours=hours), "UTC")
    ids = {meter.id: number for number, meter in enumerate(meters, start=1)}
    derive(con, "r", meters, ids, window, grid, "ledger", "events")
    return con.execute("FROM ledger ORDER BY ALL").fetchall(), con.execute(
        "FROM events ORDER BY ALL"
    ).fetchall()


def noise(seed: int) -> tuple[list[Meter], list[tuple[object, ...]], float, int]:
    """Registers that roll over, stand still, fall silent, are read at odd seconds, twice, wrongly or out of order."""
    rnd = random.Random(seed)
    meters, rows = [], []
    for point in range(1, 4):
        digits = rnd.choice([None, 3, 4, 6])
        rate = rnd.choice([None, 20.0, 500.0])
        gap = rnd.choice([1800, 3600, 7200])
        meters.append(register(point, digits=digits, max_rate=rate, max_gap_seconds=gap))
        step = rnd.choice([60, 300, 900, 1200, 1800, 3600, 5400, 10000])
        t, value, most = (
            START + timedelta(seconds=rnd.choice([0, 420, -3600])),
            rnd.uniform(0, 990),
            rnd.choice([1, 30]),
        )
        for line in range(2, rnd.randint(4, 90)):
            t += timedelta(
                seconds=step if rnd.random() < 0.93 else rnd.choice([step * 4, rnd.randint(1, 20000)])
            )
            t += timedelta(microseconds=500_000 if rnd.random() < 0.01 else 0)
            value = (value + rnd.choice([0, rnd.uniform(0, most)])) % (10**digits if digits else 10**9)
            shown = round(rnd.uniform(0, 900) if rnd.random() < 0.003 else value, 3)
            rows.append((point, t, 0, shown, 1, line if rnd.random() < 0.99 else 1, 1))
            if rnd.random() < 0.003:
                rows.append((point, t, 0, shown + rnd.choice([0, 1]), 1, line + 1000, 1))
    rnd.shuffle(rows)
    return meters, rows, rnd.choice([3, 10, 50]), rnd.choice([900, 1800, 3600])


@pytest.mark.parametrize("seed", range(30))
def test_both_ways_give_the_same_ledger_and_events(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    meters, rows, hours, grid = noise(seed)
    con = bench(rows)
    plain = ledger(con, meters, hours, grid)
    monkeypatch.setattr(intervals, "is_plain", lambda _: False)
    assert plain == ledger(con, meters, hours, grid)


def quarters(values: list[float], point: int = 1) -> list[tuple[object, ...]]:
    return [
        (point, START + timedelta(minutes=15 * n), 0, value, 1, n + 2, 1) for n, value in enumerate(values)
    ]


def test_a_roll_over_is_added_in_the_cell_where_the_display_starts_anew() -> None:
    rows = quarters([9990.0, 9993.0, 9996.0, 9999.0, 2.0, 5.0])
    cells, events = ledger(bench(rows), [register(1)], 2, 3600)
    assert [(cell[1], cell[2], cell[6], cell[7]) for cell in cells] == [
        (START, 12_000_000, 3600, 4),
        (START + timedelta(hours=1), 3_000_000, 900, 1),
    ]
    assert [event[1] for event in events] == ["rollover"]


def test_points_with_surprises_are_left_to_the_general_way() -> None:
    """An implausible step, two readings at one instant, two within a second; the quiet one is not left."""
    rows = quarters([1.0, 2.0, 3.0, 4.0, 5.0])
    rows += quarters([1.0, 900.0, 3.0], 2)
    rows += [*quarters([1.0, 2.0, 3.0], 3), (3, START, 0, 1.0, 1, 9, 1)]
    rows += [*quarters([1.0, 2.0, 3.0], 4), (4, START + timedelta(microseconds=400), 0, 1.0, 1, 9, 1)]
    con, lives = bench(rows), {point: life(register(point, max_rate=10.0)) for point in range(1, 5)}
    declare(con, lives)
    con.execute(
        "CREATE TEMP TABLE l_part AS SELECT 1 AS point, 1::BIGINT AS c, 1 AS a, 1 AS b, 1 AS d, 1 AS e, 1 AS f, 1 AS n LIMIT 0"
    )
    con.execute(
        "CREATE TEMP TABLE into_ AS SELECT 1 AS point, TIMESTAMP '2024-01-01' AS start, 1::BIGINT AS amount, 1::BIGINT AS low, 1::BIGINT AS high, 1::BIGINT AS estimated, 1 AS covered, 1 AS n LIMIT 0"
    )
    assert plain_cells(con, "r", lives, (START, START + timedelta(hours=2)), 3600, "into_") == {2, 3, 4}
    assert con.execute("SELECT point, start, amount, covered, n FROM into_").fetchall() == [
        (1, START, 4_000_000, 3600, 4)
    ]


def test_a_register_with_declared_dates_is_not_plain() -> None:
    assert is_plain(life(register(1)))
    assert not is_plain(life(register(1, installed_at=START.replace(tzinfo=UTC), installed_register=0.0)))

"""Readings added up as columns, against the statement that adds up the same readings in SQL."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

from celadon.core.model import PointKind
from celadon.core.runs import RUN_COLUMNS, runs_sql
from celadon.metering.columns import Column, columns, sum_columns
from celadon.metering.plain_amounts import Plain, sum_cells
from celadon.metering.scales import Life, life
from tests.metering.ledgers import meter

START = datetime(2024, 1, 31, 12)
SCALES: tuple[dict[str, Any], ...] = (
    {}, {"unit": "MWh"}, {"multiplier": Fraction(1, 30)}, {"digits": 12}, {"unit": "MWh", "multiplier": Fraction(7, 3)},
)  # fmt: skip
Given = tuple[int, datetime, int, float]
"""Point, end, span, value."""


def lives_of(*how: dict[str, Any]) -> dict[int, Life]:
    """Interval meters numbered from 1."""
    return {number: life(meter(f"M{number}", PointKind.INTERVAL, **one)) for number, one in enumerate(how, 1)}


def parquet(folder: Path, given: list[Given]) -> str:
    """The readings as a segment has them; the query of them."""
    path = folder / "segment.parquet"
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE r (point INTEGER, t TIMESTAMP, span INTEGER, value DOUBLE, file INTEGER, line INTEGER)"
        )
        lists = [list(column) for column in zip(*given, strict=True)]
        con.execute(
            """INSERT INTO r SELECT *, 1, row_number() OVER () FROM (SELECT unnest(?::INTEGER[]), unnest(?::TIMESTAMP[]),
            unnest(?::INTEGER[]), unnest(?::DOUBLE[]))""",
            lists,
        )
        con.execute(f"COPY (FROM r ORDER BY point, t) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    return f"SELECT * FROM read_parquet('{path}')"


def both(
    con: duckdb.DuckDBPyConnection,
    readings: str,
    lives: dict[int, Life],
    groups: dict[int, int],
    change: Callable[[Column], None] = lambda column: None,
) -> tuple[list[Any], list[Any], list[Column]]:
    """Rows by columns, rows by SQL, and what the columns left."""
    names = ", ".join(RUN_COLUMNS)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE run AS SELECT {names}, 7 AS segment, top FROM ({runs_sql(readings)})
        JOIN (SELECT point, max(value) AS top FROM ({readings}) GROUP BY point) USING (point)"""
    )
    count = con.execute(f"SELECT count(*) FROM ({readings})").fetchall()[0][0]
    [column] = columns(con, "run", lives, {7: (count, readings)})
    change(column)
    left = sum_columns(con, [column], lives, groups, "found")
    order = "ORDER BY grp, start"
    found = con.execute(
        f"SELECT grp, make_timestamp(cell * 3600000000) AS start, sum(amount), sum(covered) FROM found GROUP BY ALL {order}"
    )
    by_columns = found.fetchall()
    sum_cells(con, Plain(((readings, column.points),), lives, {}), groups, "expected")
    by_sql = con.execute(
        f"SELECT grp, start, sum(amount), sum(covered) FROM expected GROUP BY ALL {order}"
    ).fetchall()
    return by_columns, by_sql, left


@pytest.mark.parametrize("seed", range(6))
def test_any_runs_give_what_the_statement_gives(seed: int, tmp_path: Path) -> None:
    """Meters of several scales and lengths that begin within an hour, with gaps, over many row groups."""
    rnd = random.Random(seed)
    how = [rnd.choice(SCALES) for _ in range(rnd.randint(1, 9))]
    given: list[Given] = []
    for point in range(1, len(how) + 1):
        span = rnd.choice([60, 300, 900, 1800, 3600])
        gaps, places = rnd.choice([0, 0.001, 0.2]), rnd.choice([0, 2, 6, 9])
        first = rnd.randrange(5 * 3600 // span)
        for slot in range(first, first + rnd.randint(1, 6000)):
            if rnd.random() >= gaps:
                value = rnd.choice([0.0, 0.5e-6, 1.5e-6, round(rnd.uniform(0, 1000), places)])
                given.append((point, START + timedelta(seconds=(slot + 1) * span), span, value))
    lives = lives_of(*how)
    groups = {point: rnd.choice([4, -point, 2]) for point in lives}
    with duckdb.connect() as con:
        con.execute("SET preserve_insertion_order = false")
        found, expected, left = both(con, parquet(tmp_path, given), lives, groups)
        kept = con.execute("SELECT current_setting('preserve_insertion_order')").fetchall()
    assert found == expected
    assert left == []
    assert len(found) > 5
    assert kept == [(False,)]


def test_an_amount_of_two_hours_by_hand(tmp_path: Path) -> None:
    """From 13:30: half an hour of 2 and 3 thirtieths of a kWh, then 1.5 µWh, which is two ticks, and nothing after."""
    lives = lives_of({"multiplier": Fraction(1, 30)}, {})
    quarter = timedelta(minutes=15)
    begin = datetime(2024, 1, 31, 13, 30)
    given = [(1, begin + quarter * n, 900, value) for n, value in ((1, 2.0), (2, 3.0))]
    given += [(2, begin + quarter * 3, 900, 1.5e-6), (2, begin + quarter * 4, 900, 0.4e-6)]
    with duckdb.connect() as con:
        found, expected, _ = both(con, parquet(tmp_path, given), lives, {1: 0, 2: 0})
    # 2/30 kWh = 66 666.67 and 3/30 kWh = 100 000 ticks of a millionth of a kWh
    assert found == [(0, datetime(2024, 1, 31, 13), 166_667, 1800), (0, datetime(2024, 1, 31, 14), 2, 1800)]
    assert found == expected


def hours(point: int, values: list[float]) -> list[Given]:
    return [(point, START + timedelta(hours=n + 1), 3600, value) for n, value in enumerate(values)]


def test_a_segment_that_is_not_what_its_runs_say_is_left(tmp_path: Path) -> None:
    """Of another first value, of another last value, and with a row too many: none of it counts by columns."""
    lives = lives_of({}, {})
    readings = parquet(tmp_path, [*hours(1, [1.0, 2.0, 3.0]), *hours(2, [4.0, 5.0])])

    def other(name: str, by: float) -> Callable[[Column], None]:
        def change(column: Column) -> None:
            column.runs[name][-1] += by

        return change

    with duckdb.connect() as con:
        for name, by in (("value", 1.0), ("v1", 1.0), ("n", 1), ("n", -1)):
            found, expected, left = both(con, readings, lives, {1: 0, 2: 0}, other(name, by))
            assert found == []
            assert [column.segment for column in left] == [7]
            assert [row[2] for row in expected] == [5_000_000, 7_000_000, 3_000_000]


def test_numbers_beyond_float64_are_left(tmp_path: Path) -> None:
    """Ticks that two together pass 2^53, and a product that passes 64 bits on its way."""
    with duckdb.connect() as con:
        readings = parquet(tmp_path, [*hours(1, [5e9, 5e9]), *hours(2, [5e9])])
        found, expected, left = both(con, readings, lives_of({}, {}), {1: 0, 2: 0})
        assert (found, len(left), expected[0][2]) == ([], 1, 10**16)
        wide = lives_of({"multiplier": Fraction(10**9, 999)})
        found, expected, left = both(con, parquet(tmp_path, hours(1, [6000.0])), wide, {1: 0})
        # 6·10^9 counts · 10^9 / 999
        assert (found, len(left), expected[0][2]) == ([], 1, 6_006_006_006_006_006)


def test_a_segment_that_cannot_be_read_is_left(tmp_path: Path) -> None:
    """Its query fails half way; the other way says what is wrong."""
    lives = lives_of({})
    readings = parquet(tmp_path, hours(1, [1.0, 2.0]))

    def broken(column: Column) -> None:
        object.__setattr__(column, "readings", f"SELECT error('lost')::DOUBLE AS value FROM ({readings})")

    with duckdb.connect() as con:
        found, _, left = both(con, readings, lives, {1: 0}, broken)
    assert found == []
    assert len(left) == 1

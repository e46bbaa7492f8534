"""Runs: what the store lists of a segment's readings, so that nobody need read them to know that none is missing."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest

from celadon.store import Store, runs
from celadon.store.doctor import examine
from tests.store.store_tools import EVER, connection, utc, with_points

Reading = tuple[int, datetime, int, float, int, int]
START = datetime(2024, 3, 1)


@pytest.fixture(autouse=True)
def of_few_readings_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_FEW", 0)


def reading(
    point: int, hours: float, value: float = 1.0, file: int = 1, line: int = 1, span: int = 3600
) -> Reading:
    return point, START + timedelta(hours=hours), span, value, file, line


def source(rows: list[Reading]) -> str:
    """A table as a segment has them: by point and time."""
    con = connection()
    con.execute(
        "CREATE OR REPLACE TABLE seg (point INTEGER, t TIMESTAMP, span INTEGER, value DOUBLE, file INTEGER, line INTEGER)"
    )
    columns = [list(column) for column in zip(*sorted(rows), strict=True)]
    con.execute(f"INSERT INTO seg SELECT {', '.join(['unnest(?)'] * 6)}", columns)
    return "seg"


def runs_of(rows: list[Reading]) -> list[tuple[Any, ...]]:
    """All of them, however few readings they are of."""
    with patch.object(runs, "_WORTH", 0):
        found = runs.find(connection(), source(rows), len(rows))
    assert found is not None
    runs.load(connection(), "loaded", {5: found})
    return (
        connection()
        .execute("SELECT * EXCLUDE (segment) FROM loaded WHERE segment = 5 ORDER BY ALL")
        .fetchall()
    )


def test_a_gap_another_length_and_a_line_before_begin_a_run() -> None:
    rows = [reading(1, hour, hour / 8, 1, 10 + hour) for hour in (1, 2, 3)]  # 4 is missing
    rows += [reading(1, hour, hour / 8, 1, 10 + hour) for hour in (5, 6)]
    rows += [reading(1, 6.5, 0.25, 1, 17, 1800), reading(1, 7, 0.5, 1, 18, 1800)]
    rows += [reading(1, 7.5, 0.125, 1, 12, 1800)]  # of an earlier line of the same file
    rows += [reading(1, 8, 0.125, 2, 3, 1800)]  # of an earlier line of another file: goes on
    at = [START + timedelta(hours=hours) for hours in (1, 3, 5, 6, 6.5, 7, 7.5, 8)]
    assert runs_of(rows) == [
        (1, at[0], 3600, 0.125, 1, 11, at[1], 0.375, 1, 13, 0.75),
        (1, at[2], 3600, 0.625, 1, 15, at[3], 0.75, 1, 16, 0.75),
        (1, at[4], 1800, 0.25, 1, 17, at[5], 0.5, 1, 18, 0.75),
        (1, at[6], 1800, 0.125, 1, 12, at[7], 0.125, 2, 3, 0.75),
    ]


def test_below_zero_and_twice_begin_a_run_and_points_are_apart() -> None:
    rows = [reading(1, 1), reading(1, 2, -1.0), reading(1, 3)]
    rows += [reading(2, 4), reading(2, 5), reading(2, 5, 7.0, 1, 9)]
    assert [(row[0], row[1].hour, row[6].hour, row[3], row[10]) for row in runs_of(rows)] == [
        (1, 1, 1, 1.0, 1.0), (1, 2, 3, -1.0, 1.0), (2, 4, 5, 1.0, 7.0), (2, 5, 5, 7.0, 7.0),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_runs_are_the_readings_and_nothing_else(seed: int) -> None:
    """Written out again, reading by reading, they are the segment's instants, each as often as it was there."""
    rnd = random.Random(seed)
    rows = [reading(1, 1)]
    for point in range(2, rnd.randint(3, 7)):
        span = rnd.choice([900, 1800, 3600])
        for number in range(rnd.randint(1, 60)):
            if rnd.random() < 0.1:
                continue
            value, file = rnd.choice([0.0, 1.5, -2.0]), rnd.randint(1, 2)
            rows.append(reading(point, number * span / 3600, value, file, number, span))
            rows += rows[-1:] if rnd.random() < 0.05 else []
    listed = []
    for point, first, span, *_, last, _v, _f, _l, top in runs_of(rows):
        count = (last - first) // timedelta(seconds=span)
        listed += [(point, first + timedelta(seconds=span * number), span) for number in range(count + 1)]
        assert top == max(row[3] for row in rows if row[0] == point)
    assert sorted(listed) == sorted(row[:3] for row in rows)


def test_few_readings_to_a_run_are_not_listed() -> None:
    def points_of(rows: list[Reading]) -> set[int]:
        found = runs.find(connection(), source(rows), len(rows))
        runs.load(connection(), "loaded", {} if found is None else {5: found})
        return {row[0] for row in connection().execute("SELECT point FROM loaded").fetchall()}

    rows = [reading(1, hour) for hour in range(63)]
    assert points_of(rows) == {1}
    assert points_of(rows[:15]) == set()
    # six hours are missing, the last among them: 57 readings in 6 runs
    hole = [row for row in rows if row[1].hour % 12 != 2]
    assert points_of(hole) == set()
    register = [reading(2, hour, span=0) for hour in range(63)]  # its readings are no amounts
    assert points_of(rows + register) == {1}
    assert points_of(rows + [reading(2, hour) for hour in range(15)]) == {1}


def test_segments_of_few_readings_list_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_FEW", 1_000)
    rows = [reading(1, hour) for hour in range(1_000)]
    assert runs.find(connection(), source(rows[:999]), 999) is None
    assert runs.find(connection(), source(rows), 1_000) is not None


def commit(store: Store, rows: list[Reading]) -> None:
    with store.begin("load") as pending:
        pending.add_readings(connection(), source(rows))
        pending.commit()


def listed(store: Store) -> list[tuple[Any, ...]]:
    store.snapshot().runs_within(connection(), "listed", [1, 2], *EVER)
    return connection().execute("SELECT point, t, t1 FROM listed ORDER BY ALL").fetchall()


def test_a_segment_has_its_runs_and_so_has_what_compaction_makes_of_it(tmp_path: Path) -> None:
    with Store.create(tmp_path / "s") as store:
        with_points(store)
        commit(store, [reading(1, hour) for hour in range(40)])
        commit(store, [reading(1, hour) for hour in range(40, 80)])
        at = [START + timedelta(hours=hours) for hours in (0, 39, 40, 79)]
        assert listed(store) == [(1, at[0], at[1]), (1, at[2], at[3])]
        store.compact(grace=timedelta(0))
        assert listed(store) == [(1, at[0], at[3])]
        assert store.catalogue.one("SELECT count(*) FROM run") == 1  # those of the segments that went, went


def test_what_runs_are_lacking(tmp_path: Path) -> None:
    """Of a segment that lists none of a point's, that is not shown in whole, or that has rows which no longer count."""

    def lacking(upto: int | None = None, gone: Collection[int] = ()) -> list[tuple[list[int], set[int]]]:
        found = store.snapshot(upto).runs_within(connection(), "listed", [1, 2, 3], *EVER, gone)
        return [(segments, set(points)) for segments, points in found]

    def beside(moment: str, back: bool, gone: Collection[int] = ()) -> tuple[set[int], list[Any]]:
        found = store.snapshot().runs_beside(connection(), "near", [1, 2], utc(moment), gone, back=back)
        return found, connection().execute("SELECT point, t1 FROM near ORDER BY ALL").fetchall()

    with Store.create(tmp_path / "s") as store:
        with_points(store)
        commit(store, [reading(point, hour) for point in (1, 2) for hour in range(40)])
        assert lacking() == []
        commit(store, [reading(point, hour) for point in (1, 2) for hour in range(40, 80 - 30 * (point - 1))])
        assert lacking() == [([2], {2})]  # ten readings of the second point
        assert connection().execute("SELECT point, segment FROM listed ORDER BY ALL").fetchall() == [
            (1, 1),
            (1, 2),
            (2, 1),
        ]
        rows = connection().execute(store.snapshot().segments_sql([2], [2])).fetchall()
        assert len(rows) == 10
        assert lacking(upto=1) == []
        assert lacking(gone={2}) == [([2], {1, 2})]
        assert lacking(gone={1}) == [([1], {1, 2}), ([2], {2})]
        at = [START + timedelta(hours=hours) for hours in (39, 79)]
        assert beside("2024-04-01", True) == ({2}, [(1, at[1])])
        assert beside("2024-04-01", True, {2}) == ({1, 2}, [])
        assert beside("2024-04-01", False) == (set(), [])
        assert beside("2024-02-01", False) == (set(), [(1, at[0]), (2, at[0])])
        store.compact(grace=timedelta(0))
        assert lacking() == []
        assert lacking(upto=1) == [([3], {1, 2})]


def test_a_catalogue_of_before_gets_the_table_when_somebody_writes(tmp_path: Path) -> None:
    with Store.create(tmp_path / "s") as store:
        with_points(store)
        commit(store, [reading(1, hour) for hour in range(40)])
    older = sqlite3.connect(tmp_path / "s" / "catalogue.sqlite")
    older.execute("DROP TABLE run")
    older.close()
    with Store.open(tmp_path / "s") as store:
        assert listed(store) == []
        con = duckdb.connect()
        store.snapshot().create_readings(con, "found", [1], *EVER)
        assert con.execute("SELECT count(*) FROM found").fetchone() == (40,)
        commit(store, [reading(2, hour) for hour in range(40)])
        assert listed(store) == [(2, START, START + timedelta(hours=39))]


def test_every_column_comes_back_as_it_was() -> None:
    rows = [reading(7, quarter / 4, 0.1 + quarter, 12, 10**9 + quarter, 900) for quarter in range(4)]
    [run] = runs_of(rows)
    last = START + timedelta(minutes=45)
    assert dict(zip(runs.COLUMNS, run, strict=True)) == {
        "point": 7, "t": START, "span": 900, "value": 0.1, "file": 12, "line": 10**9, "t1": last, "v1": 3.1, "f1": 12,
        "l1": 10**9 + 3, "top": 3.1,
    }  # fmt: skip


def test_the_doctor_compares_listed_runs_with_the_readings(tmp_path: Path) -> None:
    with Store.create(tmp_path / "s") as store:
        with_points(store)
        commit(store, [reading(1, hour) for hour in range(40)])
        assert not examine(store, deep=True).findings
        changed = sqlite3.connect(tmp_path / "s" / "catalogue.sqlite")
        changed.execute("UPDATE run SET runs = replace(runs, '3600', '1800')")
        changed.commit()
        changed.close()
        [found] = examine(store, deep=True).findings
    assert found.code == "doctor.listed-otherwise"
    assert "which of its readings follow on one another" in found.says("en")

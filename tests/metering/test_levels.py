"""Means of levels and durations of states, per cell."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any

from celadon.core.model import Meter, PointKind
from celadon.metering.levels import LEVEL_COLUMNS, STATE_COLUMNS, levels, states
from tests.metering.ledgers import Row, at, load, meter, rows, window

DAY = window("03-01 00:00", "03-02 00:00")


def made(readings: list[Row], grid: int = 3600, **how: Any) -> dict[Any, tuple[Any, ...]]:
    con = load(readings)
    point: Meter = meter("P", PointKind.LEVEL, carrier=None, unit="degC", **how)
    levels(con, "r", [point], {"P": 1}, DAY, grid, "cells")
    assert (
        dict(con.execute("SELECT column_name, column_type FROM (DESCRIBE cells)").fetchall()) == LEVEL_COLUMNS
    )
    return {row[1]: row[2:] for row in con.execute("SELECT * FROM cells ORDER BY ALL").fetchall()}


def test_a_level_is_averaged_in_time() -> None:
    """20 → 40 over the hour, then 40 → 40 over a quarter: means 30 and 40, and extremes from the line."""
    got = made(rows([("03-01 00:00", 20), ("03-01 01:00", 40), ("03-01 01:15", 40)]))
    assert got == {
        at("03-01 00:00"): (30.0, 20.0, 40.0, 3600, 1),
        at("03-01 01:00"): (40.0, 40.0, 40.0, 900, 1),
    }


def test_a_level_between_two_readings_is_cut_at_the_edge() -> None:
    got = made(rows([("03-01 00:30", 10), ("03-01 01:30", 30)]), multiplier=Fraction(2))
    assert got == {
        at("03-01 00:00"): (30.0, 20.0, 40.0, 1800, 1),
        at("03-01 01:00"): (50.0, 40.0, 60.0, 1800, 1),
    }


def test_a_level_is_held_for_max_gap_and_a_mean_over_a_span_is_taken_as_it_is() -> None:
    got = made(rows([("03-01 00:00", 10), ("03-01 05:00", 30)]), max_gap_seconds=5400)
    assert got == {
        at("03-01 00:00"): (10.0, 10.0, 10.0, 3600, 0),
        at("03-01 01:00"): (10.0, 10.0, 10.0, 1800, 0),
    }
    spans = made(rows([("03-01 00:30", 10), ("03-01 01:00", 20)], span=1800))
    assert spans == {at("03-01 00:00"): (15.0, 10.0, 20.0, 3600, 2)}


def test_the_last_written_of_several_levels_counts() -> None:
    readings = rows([("03-01 00:00", 10), ("03-01 01:00", 99), ("03-01 01:00", 20)])
    assert made(readings)[at("03-01 00:00")] == (15.0, 10.0, 20.0, 3600, 1)


def test_states_hold_until_the_next_reading() -> None:
    """Running (1) 00:10–01:30, stopped (0) from then to 05:30: what is beyond 03:30 is longer than max_gap."""
    con = load(rows([("03-01 00:10", 1), ("03-01 01:30", 0), ("03-01 05:30", 1)]))
    states(con, "r", [meter("P", PointKind.STATE, carrier=None, unit="1")], {"P": 1}, DAY, 3600, "cells")
    assert (
        dict(con.execute("SELECT column_name, column_type FROM (DESCRIBE cells)").fetchall()) == STATE_COLUMNS
    )
    got = con.execute("SELECT start, state, seconds, estimated FROM cells ORDER BY ALL").fetchall()
    hour = timedelta(hours=1)
    assert got == [
        (at("03-01 00:00"), 1.0, 3000, 0),
        (at("03-01 01:00"), 0.0, 1800, 0),
        (at("03-01 01:00"), 1.0, 1800, 0),
        (at("03-01 02:00"), 0.0, 3600, 0),
        (at("03-01 02:00") + hour, 0.0, 3600, 1800),
        (at("03-01 04:00"), 0.0, 3600, 3600),
        (at("03-01 05:00"), 0.0, 1800, 1800),
    ]

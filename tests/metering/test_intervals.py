"""Points that give amounts per interval, counts at instants, and rates: cells, faults, and the proof."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celadon.core.model import MeterChange, PointKind
from celadon.core.periods import Period
from celadon.metering.intervals import LEDGER_COLUMNS
from tests.metering.ledgers import at, every, ledger, load, meter, rows, window

HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
DAY = window("03-01 00:00", "03-02 00:00")


def amounts(**how: object):
    return meter(kind=PointKind.INTERVAL, **how)


def test_quarter_hours_add_to_hours() -> None:
    """Stamps are ends: the four quarters to 01:00 are the hour from 00:00, the first quarter included."""
    readings = rows(every("03-01 00:15", QUARTER, [1, 2, 3, 4, 5]), span=900)
    got = ledger(readings, amounts(), DAY)
    assert got.cells == {
        (1, at("03-01 00:00")): (10_000_000, 10_000_000, 10_000_000, 0, 3600, 4),
        (1, at("03-01 01:00")): (5_000_000, 5_000_000, 5_000_000, 0, 900, 1),
    }
    assert got.events == []
    assert got.proved().intervals == 15_000_000


def test_an_interval_over_an_edge_is_cut_in_time() -> None:
    """30 kWh from 00:40 to 01:20, twenty minutes on each side."""
    got = ledger(rows([("03-01 01:20", 30)], span=2400), amounts(), DAY)
    assert got.amounts() == {"03-01 00:00": 15.0, "03-01 01:00": 15.0}
    got.proved()


def test_a_daily_amount_has_an_exact_total_and_estimated_hours() -> None:
    got = ledger(rows([("03-02 00:00", 100)], span=86400), amounts(), DAY)
    assert got.total() == 100_000_000
    assert {cell[:4] for cell in got.cells.values()} == {
        (4_166_666, 0, 100_000_000, 4_166_666),
        (4_166_667, 0, 100_000_000, 4_166_667),
    }
    assert got.codes() == ["coarse"]


def test_missing_intervals_are_absent() -> None:
    values = every("03-01 00:15", QUARTER, [1.0] * 12)
    spanned = ledger(rows(values[:4] + values[8:], span=900), amounts(), DAY)
    assert spanned.amounts() == {"03-01 00:00": 4.0, "03-01 02:00": 4.0}
    event = spanned.event("missing")
    assert (event["n"], event["t_before"], event["t"]) == (4, at("03-01 01:00"), at("03-01 02:00"))


def test_overlapping_intervals_do_not_count_twice() -> None:
    """Quarters and the same hour again in one export: the hour is left out, whole, and named."""
    quarters = rows(every("03-01 00:15", QUARTER, [1.0] * 4), span=900)
    hour = rows([("03-01 01:00", 4.0)], span=3600, line=50)
    got = ledger(quarters + hour, amounts(), DAY)
    assert got.amounts() == {"03-01 00:00": 4.0}
    assert [(gap.code, gap.amount) for gap in got.proved().gaps] == [("overlap", 4_000_000)]


def test_negative_amounts_are_kept() -> None:
    got = ledger(rows(every("03-01 00:15", QUARTER, [1.0, -0.5, 1.0, 1.0]), span=900), amounts(), DAY)
    assert got.amounts() == {"03-01 00:00": 2.5}
    assert got.event("negative")["amount"] == -500_000
    got.proved()


def test_an_amount_beyond_the_maximum_rate_is_a_gap() -> None:
    got = ledger(
        rows(every("03-01 00:15", QUARTER, [1.0, 1000.0, 1.0, 1.0]), span=900), amounts(max_rate=100), DAY
    )
    assert got.amounts() == {"03-01 00:00": 3.0}
    assert [(gap.code, gap.amount) for gap in got.proved().gaps] == [("beyond-max-rate", 1_000_000_000)]


def test_duplicates_and_corrections() -> None:
    first = rows(every("03-01 00:15", QUARTER, [1.0, 2.0, 3.0, 4.0]), span=900)
    again = rows([("03-01 00:15", 1.0), ("03-01 00:30", 2.5)], span=900, batch=2, file=2)
    got = ledger(first + again, amounts(), DAY)
    assert got.amounts() == {"03-01 00:00": 10.5}
    assert got.codes() == ["corrected", "duplicate"]
    got.proved()


def test_units_and_ratios_are_exact() -> None:
    """0.1 MWh at a ratio of 400/5 is 8000 kWh; from noon the export is in kWh."""
    unit = MeterChange(at("03-01 00:30"), "unit", unit="kWh")
    made = amounts(unit="MWh", multiplier=Fraction(400, 5), changes=(unit,))
    got = ledger(rows(every("03-01 00:15", QUARTER, [0.1, 0.1, 100, 100]), span=900), made, DAY)
    assert got.amounts() == {"03-01 00:00": 32_000.0}


def test_amounts_outside_the_service_life() -> None:
    made = amounts(installed_at=at("03-01 00:15"), removed_at=at("03-01 00:45"))
    got = ledger(rows(every("03-01 00:15", QUARTER, [1, 2, 4, 8]), span=900), made, DAY)
    assert got.amounts() == {"03-01 00:00": 6.0}
    assert got.event("outside-service")["n"] == 2


def test_intervals_until_the_next_stamp() -> None:
    """Without a length an amount reaches back to the one before; the first has none, and stands at its stamp."""
    got = ledger(rows([("03-01 00:30", 1), ("03-01 01:30", 6)]), amounts(), DAY)
    assert got.cells == {
        (1, at("03-01 00:00")): (4_000_000, 4_000_000, 4_000_000, 0, 1800, 1),
        (1, at("03-01 01:00")): (3_000_000, 3_000_000, 3_000_000, 0, 1800, 1),
    }
    got.proved()


def test_pieces_are_counted_at_their_instant() -> None:
    """A heat at 01:00 belongs to the hour from 00:00; time is covered since the count before, at most max_gap."""
    made = meter(kind=PointKind.COUNT, carrier=None, unit="piece", max_gap_seconds=3600)
    got = ledger(rows([("03-01 00:10", 3), ("03-01 01:00", 2), ("03-01 04:00", 1)]), made, DAY)
    assert got.cells == {
        (1, at("03-01 00:00")): (5_000_000, 5_000_000, 5_000_000, 0, 3000, 2),
        (1, at("03-01 03:00")): (1_000_000, 1_000_000, 1_000_000, 0, 3600, 1),
    }
    got.proved()


def test_a_rate_is_integrated_along_straight_lines() -> None:
    """0 → 60 kW over the hour is 30 kWh, 60 → 60 over the next half hour 30; cut at 00:30 the first has 7.5 and 22.5."""
    made = meter(kind=PointKind.RATE, unit="kW")
    readings = rows([("03-01 00:00", 0), ("03-01 01:00", 60), ("03-01 01:30", 60)])
    assert ledger(readings, made, DAY).amounts() == {"03-01 00:00": 30.0, "03-01 01:00": 30.0}
    halves = ledger(readings, made, DAY, 1800)
    assert halves.amounts() == {"03-01 00:00": 7.5, "03-01 00:30": 22.5, "03-01 01:00": 30.0}
    assert next(iter(halves.cells.values()))[1:] == (7_500_000, 7_500_000, 0, 1800, 0)


@pytest.mark.parametrize(("max_rate", "bounds"), [(None, (30_000_000, 60_000_001)), (100, (0, 100_000_000))])
def test_a_rate_is_held_for_max_gap_and_then_absent(max_rate: int | None, bounds: tuple[int, int]) -> None:
    made = meter(kind=PointKind.RATE, unit="kW", max_gap_seconds=7200, max_rate=max_rate)
    got = ledger(rows([("03-01 00:00", 60), ("03-01 05:00", 30), ("03-01 06:00", 30)]), made, DAY)
    assert got.amounts() == {
        "03-01 00:00": 60.0,
        "03-01 01:00": 60.0,
        "03-01 04:00": 0.0,
        "03-01 05:00": 30.0,
    }
    assert got.cells[1, at("03-01 00:00")] == (60_000_000, *bounds, 60_000_000, 3600, 0)
    assert got.event("rate-gap")["t"] == at("03-01 05:00")


def test_a_rate_given_as_a_mean_over_an_interval() -> None:
    got = ledger(
        rows(every("03-01 00:15", QUARTER, [4.0, 8.0]), span=900), meter(kind=PointKind.RATE, unit="kW"), DAY
    )
    assert got.amounts() == {"03-01 00:00": 3.0}


def test_a_rate_the_meter_cannot_show_and_two_at_one_time() -> None:
    made = meter(kind=PointKind.RATE, unit="kW", max_rate=100)
    readings = rows(
        [
            ("03-01 00:00", 10),
            ("03-01 00:20", 5000),
            ("03-01 00:30", 99),
            ("03-01 00:30", 20),
            ("03-01 01:00", 30),
        ]
    )
    got = ledger(readings, made, DAY)
    assert got.amounts() == {"03-01 00:00": 20.0}  # (10 + 20) / 2 × 0.5 + (20 + 30) / 2 × 0.5
    assert got.codes() == ["duplicate-conflict", "out-of-range"]


def test_other_kinds_have_no_ledger() -> None:
    kinds = [
        meter("L", PointKind.LEVEL, carrier=None, unit="degC"),
        meter("S", PointKind.STATE, carrier=None, unit="1"),
    ]
    got = ledger(rows(every("03-01 00:00", HOUR, [1, 2])), kinds, DAY)
    assert (got.cells, got.events) == ({}, [])
    columns = got.con.execute("SELECT column_name, column_type FROM (DESCRIBE cells)").fetchall()
    assert dict(columns) == LEDGER_COLUMNS


QUICK = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


@QUICK
@given(
    parts=st.lists(
        st.tuples(st.integers(1, 30_000), st.integers(0, 5000), st.integers(-50, 10**6)),
        min_size=1,
        max_size=40,
    ),
    grid=st.sampled_from([900, 1800, 3600]),
    zone_offset=st.integers(0, 86_399),
)
def test_amounts_are_conserved(parts: list[tuple[int, int, int]], grid: int, zone_offset: int) -> None:
    """Intervals of any length with any holes between: every thousandth is in a cell, whatever the grid; so in each window."""
    t, listed, total = datetime(2024, 3, 1) + timedelta(seconds=zone_offset), [], 0
    for line, (length, hole, thousandths) in enumerate(parts, start=2):
        t += timedelta(seconds=length + hole)
        listed.append((1, t, length, thousandths / 1000, 1, line, 1))
        total += thousandths
    whole = ledger(listed, amounts(), Period(datetime(2024, 3, 1), datetime(2024, 4, 30)), grid)
    assert whole.total() == total * 1000
    whole.proved()
    cells = {}
    for first, last in ((1, 2), (2, 5), (5, 40)):
        edges = Period(
            datetime(2024, 3, 1) + timedelta(days=first - 1), datetime(2024, 3, 1) + timedelta(days=last - 1)
        )
        part = ledger(listed, amounts(), edges, grid)
        part.proved()
        cells |= part.cells
    assert cells == whole.cells


@QUICK
@given(steps=st.lists(st.tuples(st.integers(1, 9000), st.floats(0, 500)), min_size=2, max_size=40))
def test_a_rate_gives_the_same_cells_in_any_window(steps: list[tuple[int, float]]) -> None:
    t, values = datetime(2024, 3, 1), []
    for seconds, rate in steps:
        t += timedelta(seconds=seconds)
        values.append((t, rate))
    made = meter(kind=PointKind.RATE, unit="kW")
    whole = ledger(rows(values), made, Period(datetime(2024, 3, 1), datetime(2024, 3, 9)), 900)
    cells = {}
    for first, last in ((1, 2), (2, 3), (3, 9)):
        cells |= ledger(
            rows(values), made, Period(datetime(2024, 3, first), datetime(2024, 3, last)), 900
        ).cells
    assert cells == whole.cells
    exact = sum((a[1] + b[1]) / 2 * (b[0] - a[0]).total_seconds() / 3600 for a, b in pairwise(values)
                if (b[0] - a[0]).total_seconds() <= 7200)  # fmt: skip
    held = sum(a[1] * 2 for a, b in pairwise(values) if (b[0] - a[0]).total_seconds() > 7200)
    assert whole.total() / 1e6 == pytest.approx(exact + held, abs=1e-4)


def test_a_rate_point_may_give_means_and_instants() -> None:
    """A mean of 8 kW over the quarter to 00:15, then 4 kW at 00:15 and 00:30 as instants: 2 + 1 kWh."""
    readings = rows([("03-01 00:15", 8.0)], span=900) + rows(
        [("03-01 00:15", 4.0), ("03-01 00:30", 4.0)], line=9
    )
    got = ledger(readings, meter(kind=PointKind.RATE, unit="kW"), DAY, 900)
    assert got.amounts() == {"03-01 00:00": 2.0, "03-01 00:15": 1.0}


def test_what_a_failed_derivation_left_is_not_seen() -> None:
    readings = load(rows(every("03-01 00:00", HOUR, [1, 2])))
    readings.execute("CREATE TEMP TABLE l_bridge (x INTEGER); CREATE TEMP TABLE l_step_twice (x INTEGER)")
    assert ledger(readings, meter(), DAY).events == []
    left = readings.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    assert sorted(left) == [("cells",), ("happened",)]

"""A real steel plant's year of quarter-hours, turned into a cumulative register with injected faults: the truth comes back.

The reference answers stand in `expected.json` of the data set; the data stay where they are.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from celadon.core.model import Meter, MeterChange, PointKind
from celadon.core.periods import Period
from tests.metering.ledgers import Ledger, Row, ledger, meter
from tests.shared_data import shared

FOLDER = shared("data/steel_energy")
SEOUL = timedelta(hours=9)
YEAR = Period(datetime(2017, 12, 31, 15, tzinfo=UTC), datetime(2018, 12, 31, 15, tzinfo=UTC), "Asia/Seoul")
QUARTER = timedelta(minutes=15)
pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((FOLDER / "expected.json").read_text())


@pytest.fixture(scope="module")
def year() -> list[tuple[datetime, int]]:
    """(interval end in UTC, hundredths of a kWh). Stamps are day-first ends; 0:00 closes the printed day."""
    found = []
    with gzip.open(FOLDER / "steel_industry_2018.csv.gz", "rt", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            t = datetime.strptime(row["date"], "%d/%m/%Y %H:%M")
            t += timedelta(days=1) if (t.hour, t.minute) == (0, 0) else timedelta(0)
            found.append((t - SEOUL, round(float(row["Usage_kWh"]) * 100)))
    return found


def months(got: Ledger) -> dict[str, float]:
    sums: dict[str, int] = defaultdict(int)
    for (_, start), cell in got.cells.items():
        sums[f"{start + SEOUL:%Y-%m}"] += cell[0]
    return {month: ticks / 1e6 for month, ticks in sorted(sums.items())}


def test_as_interval_amounts(year: list[tuple[datetime, int]], expected: dict[str, Any]) -> None:
    readings = [(1, t, 900, amount / 100, 1, line, 1) for line, (t, amount) in enumerate(year, start=2)]
    got = ledger(readings, meter(kind=PointKind.INTERVAL), YEAR)
    assert got.total() == round(expected["energy_kwh"]["total"] * 1e6)
    assert months(got) == expected["energy_kwh"]["by_month_interval_start"]
    assert len(got.cells) == 8760
    assert {cell[4:] for cell in got.cells.values()} == {(3600, 4)}
    assert got.events == []
    got.proved()


def faulty_register(year: list[tuple[datetime, int]]) -> tuple[list[Row], Meter, dict[str, int]]:
    """Five digits, two decimals, ratio 4: rolls over; swapped in May, CT changed in August; outages, spikes, duplicates …"""
    at = {name: year.index(next(row for row in year if row[0] >= t)) for name, t in {
        "swap": datetime(2018, 5, 10, 2), "ct": datetime(2018, 8, 1), "outage": datetime(2018, 2, 5, 10),
        "spike": datetime(2018, 3, 3, 7), "zeros": datetime(2018, 10, 9, 9), "double": datetime(2018, 6, 1),
        "block": datetime(2018, 7, 1), "month": datetime(2018, 3, 31, 14),
    }.items()}  # fmt: skip
    # Hundredths of the display: the ratio is 1/4 until August, then 1/8, so that the display moves 4 and 8 times as much.
    display, rows, swap_at = 99_000_00, [(1, year[0][0] - QUARTER, 0, 99_000.0, 1, 2, 1)], None
    for i, (t, hundredths) in enumerate(year):
        display = (display + hundredths * (4 if i <= at["ct"] else 8)) % 10_000_000
        value = display / 100
        if i == at["swap"]:
            swap_at, removed, display = t + timedelta(minutes=7), display / 100, 12_300
        spike = i == at["spike"] or at["zeros"] <= i < at["zeros"] + 3
        shown = (88_888.88 if i == at["spike"] else 0.0) if spike else value
        if not at["outage"] < i < at["outage"] + 96 and not at["month"] < i < at["month"] + 12:
            rows.append((1, t, 0, shown, 1, i + 3, 1))
        if at["double"] <= i < at["double"] + 50:
            rows.append((1, t, 0, shown, 1, i + 3, 2))
    assert swap_at is not None
    block = slice(at["block"], at["block"] + 100)
    rows[block] = reversed(rows[block])
    rows = [(*row[:5], line, row[6]) for line, row in enumerate(rows, start=2)]
    changes = (
        MeterChange(swap_at, "swap", removed, 123.0),
        MeterChange(year[at["ct"]][0], "multiplier", multiplier=Fraction(1, 8)),
    )
    made = meter(digits=5, decimals=2, multiplier=Fraction(1, 4), changes=changes, max_rate=800)
    return rows, made, at


def test_a_register_with_faults_gives_the_truth_back(
    year: list[tuple[datetime, int]], expected: dict[str, Any]
) -> None:
    readings, made, at = faulty_register(year)
    got = ledger(readings, made, YEAR)
    assert got.total() == round(expected["energy_kwh"]["total"] * 1e6)
    truth = dict(year)
    unread = (("outage", 1, 97), ("month", 1, 13), ("spike", 0, 2), ("zeros", 0, 4))
    lost = {year[i][0] for name, first, last in unread for i in range(at[name] + first, at[name] + last)}
    exact, estimated = 0, 0
    for (_, start), cell in got.cells.items():
        ends = [start + QUARTER * k for k in (1, 2, 3, 4)]
        if lost.isdisjoint(ends):
            assert cell[:4] == (sum(truth[t] for t in ends) * 10_000,) * 3 + (0,)
            exact += 1
        elif cell[3]:
            assert cell[1] <= sum(truth[t] for t in ends) * 10_000 <= cell[2]
            estimated += 1
    # Outages of 24 and of 3 hours; the spike and the zeros each hide one reading on the hour, between two cells.
    assert (exact, estimated) == (8760 - 24 - 3 - 2 - 2, 24 + 3)
    proof = got.proved()
    assert len(proof.pieces) == 3
    assert proof.gaps == ()
    assert sum(piece.rollovers for piece in proof.pieces) == got.codes().count("rollover")
    assert {"spike", "outage", "duplicate", "out-of-order", "rollover", "change-applied"} <= set(got.codes())
    by_month = expected["energy_kwh"]["by_month_interval_start"]
    assert {m: v for m, v in months(got).items() if m not in ("2018-03", "2018-04")} == {
        m: v for m, v in by_month.items() if m not in ("2018-03", "2018-04")
    }


def test_each_month_derived_alone_is_the_year(year: list[tuple[datetime, int]]) -> None:
    readings, made, _ = faulty_register(year)
    whole = ledger(readings, made, YEAR)
    edges = [
        YEAR.start.replace(tzinfo=None),
        *(datetime(2018, month, 1) for month in range(1, 13)),
        YEAR.end.replace(tzinfo=None),
    ]
    cells: dict[Any, Any] = {}
    for first, last in pairwise(edges):
        near = [row for row in readings if first - timedelta(days=3) <= row[1] <= last + timedelta(days=3)]
        part = ledger(near, made, Period(first, last))
        part.proved()
        cells |= part.cells
    assert cells == whole.cells

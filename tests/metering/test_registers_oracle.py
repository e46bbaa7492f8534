"""The SQL derivation against the plain loop of `oracle.py`, on random registers with injected faults."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celadon.core.model import Meter
from celadon.core.periods import Period
from celadon.metering.around import take_around
from tests.metering.ledgers import Row, ledger, load, meter
from tests.metering.oracle import Rules, cells

START = datetime(2024, 1, 31)
QUICK = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


def faulty(seed: int, n: int = 300) -> tuple[list[Row], Meter, Rules]:
    """A register read at random times, with spikes, stuck values, resets, jumps, outages, duplicates and disorder."""
    draw = random.Random(seed)
    digits = draw.choice([None, 3, 4, 6])
    modulus = 10**digits if digits else None
    multiplier = draw.choice([1, 1, 80, 4000])
    max_rate = draw.choice([None, 400])
    step = draw.choice([60, 900, 900, 3600, 7000])
    rules = Rules(multiplier * 10**6, modulus, Fraction(max_rate) / multiplier if max_rate else None, 2)
    made = meter(digits=digits, decimals=2, multiplier=Fraction(multiplier), max_rate=max_rate)
    t, true = START + timedelta(seconds=draw.randrange(86400)), draw.uniform(0, modulus or 1000)
    per_hour = 100 / multiplier
    rows: list[Row] = []
    for line in range(n):
        wait = step if draw.random() < 0.7 else draw.choice([1, step // 2, step * 3, step * 40, 7200])
        t += timedelta(seconds=wait) + (
            timedelta(microseconds=draw.randrange(10**6)) if draw.random() < 0.1 else timedelta(0)
        )
        true += draw.choice([0, 1, 1, 1, 2, 3.9]) * per_hour * wait / 3600
        chance = draw.random()
        if chance < 0.01:
            true = draw.choice([0, true * 1000 if true < 10**7 else 0, true / 1000, true + 5000])
        value = round(true % modulus if modulus else true, 2)
        if 0.01 < chance < 0.06:
            value = draw.choice([0.0, value * 10, value - 1, value + 50, value / 1000, value * 1000, -5.0])
        for _ in range(draw.choice([1, 1, 1, 1, 1, 2, 5]) if chance < 0.1 else 1):
            rows.append((1, t, 0, value, 1, line + 2, 1))
            if draw.random() < 0.05:
                rows.append(
                    (
                        1,
                        t,
                        0,
                        draw.choice([value, value + 1]),
                        draw.choice([1, 2]),
                        line + 2,
                        draw.choice([1, 2]),
                    )
                )
            t += timedelta(seconds=step) if chance < 0.1 else timedelta(0)
    draw.shuffle(rows)
    return rows, made, rules


def expected(
    rows: list[Row], rules: Rules, grid: int, start: datetime, end: datetime
) -> dict[datetime, tuple[int, ...]]:
    return cells(
        [(t, v, batch, file, line) for _, t, _, v, file, line, batch in rows], rules, grid, start, end
    )


@QUICK
@given(seed=st.integers(0, 10**9), grid=st.sampled_from([900, 1800, 3600]))
def test_as_the_plain_loop(seed: int, grid: int) -> None:
    rows, made, rules = faulty(seed)
    start, end = datetime(2024, 2, 1), datetime(2024, 2, 20)
    got = ledger(rows, made, Period(start, end), grid)
    assert {t: cell for (_, t), cell in got.cells.items()} == expected(rows, rules, grid, start, end)
    got.proved()


@QUICK
@given(seed=st.integers(0, 10**9))
def test_months_add_up_to_the_year(seed: int) -> None:
    """Windows derived alone, with NEIGHBOURS readings around, equal the long window bit for bit; so do the events."""
    rows, made, _ = faulty(seed)
    edges = [START + timedelta(days=days) for days in (0, 1, 5, 60)]
    con = load(rows)
    whole = ledger(con, made, Period(edges[0], edges[-1]))
    parts: dict[tuple[int, datetime], tuple[int, ...]] = {}
    events = set()
    for first, last in pairwise(edges):
        take_around(con, "r", [made], whole.ids, Period(first, last), "near")
        part = ledger(con, made, Period(first, last), table="near")
        parts |= part.cells
        events |= {event for event in part.events if event[1] not in PER_DERIVATION}
    assert parts == whole.cells
    assert events == {event for event in whole.events if event[1] not in PER_DERIVATION}


PER_DERIVATION = {"duplicate", "corrected", "out-of-order", "silent", "no-readings", "out-of-range"}


@pytest.mark.parametrize("seed", range(6))
def test_order_of_input_changes_nothing(seed: int) -> None:
    rows, made, _ = faulty(seed)
    period = Period(START, START + timedelta(days=40))
    first = ledger(sorted(rows), made, period)
    second = ledger(sorted(rows, key=lambda row: (row[5], row[1]), reverse=True), made, period)
    assert first.cells == second.cells
    assert first.events == second.events

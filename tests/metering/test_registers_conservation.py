"""Conservation, whatever the reading times, the grid, roll-overs, swaps and late readings (hypothesis)."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celadon.core.model import MeterChange
from celadon.core.periods import Period
from tests.metering.ledgers import Row, ledger, meter, rows

START = datetime(2024, 2, 28, 22, 30)
ALWAYS = Period(datetime(2024, 1, 1), datetime(2026, 1, 1))
QUICK = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
STEPS = st.lists(st.tuples(st.integers(1, 200_000), st.integers(0, 90)), min_size=1, max_size=60)
"""Seconds between two readings, and hundredths counted between them."""
GRIDS = st.sampled_from([900, 1800, 3600])


def read(steps: list[tuple[int, int]], start: int = 0, modulus: int | None = None) -> list[Row]:
    """Readings of a register that shows hundredths and rolls over at `modulus` hundredths."""
    t, count, values = START, start, [(START, start / 100)]
    for seconds, hundredths in steps:
        t, count = t + timedelta(seconds=seconds), count + hundredths
        values.append((t, (count % modulus if modulus else count) / 100))
    return rows(values)


@QUICK
@given(
    steps=STEPS,
    grid=GRIDS,
    start=st.integers(0, 10**7),
    multiplier=st.sampled_from([Fraction(1), Fraction(4000), Fraction(400, 3)]),
)
def test_a_monotone_register_is_attributed_whole(
    steps: list[tuple[int, int]], grid: int, start: int, multiplier: Fraction
) -> None:
    made = meter(decimals=2, multiplier=multiplier)
    readings = read(steps, start)
    got = ledger(readings, made, ALWAYS, grid)
    last = start + sum(count for _, count in steps)
    ticks = [(hundredths * 10_000 * multiplier + Fraction(1, 2)).__floor__() for hundredths in (start, last)]
    assert got.total() == ticks[1] - ticks[0]
    assert sum(cell[4] for cell in got.cells.values()) == sum(seconds for seconds, _ in steps)
    assert sum(cell[5] for cell in got.cells.values()) == len(steps)
    assert all(low <= amount <= high for amount, low, high, *_ in got.cells.values())
    assert all(
        0 <= estimated <= amount and covered <= grid
        for amount, _, _, estimated, covered, _ in got.cells.values()
    )


@QUICK
@given(steps=STEPS, grid=GRIDS, start=st.integers(0, 999))
def test_a_register_that_rolls_over(steps: list[tuple[int, int]], grid: int, start: int) -> None:
    """A display of one digit and two decimals goes round every 10 kWh; steps of up to 0.9 kWh are taken for roll-overs."""
    got = ledger(read(steps, start, modulus=1000), meter(digits=1, decimals=2), ALWAYS, grid)
    counted = sum(count for _, count in steps)
    assert got.total() == counted * 10_000
    assert got.codes().count("rollover") == got.proved().pieces[0].rollovers == (start + counted) // 1000


@QUICK
@given(before=STEPS, after=STEPS, grid=GRIDS, opening=st.integers(0, 5000), ratio=st.sampled_from([1, 60]))
def test_a_declared_swap(
    before: list[tuple[int, int]], after: list[tuple[int, int]], grid: int, opening: int, ratio: int
) -> None:
    """The old meter counts to its removal, the new one from its installation, each with its own ratio."""
    old = read(before, 700)
    at, closing = old[-1][1] + timedelta(seconds=437), old[-1][3] + 1.25
    t, count, new = at, opening, []
    for seconds, hundredths in after:
        t, count = t + timedelta(seconds=seconds), count + hundredths
        new.append((t, count / 100))
    change = MeterChange(at, "swap", closing, opening / 100, multiplier=Fraction(ratio))
    made = meter(decimals=2, changes=(change,))
    got = ledger(old + rows(new, line=5000), made, ALWAYS, grid)
    counted = sum(count for _, count in before) + 125 + ratio * sum(count for _, count in after)
    assert got.total() == counted * 10_000
    assert sum(cell[4] for cell in got.cells.values()) == (t - START).total_seconds()
    assert len(got.proved().pieces) == 2


@QUICK
@given(
    steps=STEPS, where=st.floats(0, 1), share=st.floats(0, 1), outage=st.integers(8000, 500_000), grid=GRIDS
)
def test_a_late_reading_inside_an_outage_changes_its_hours_only(
    steps: list[tuple[int, int]], where: float, share: float, outage: int, grid: int
) -> None:
    at = int(where * (len(steps) - 1))
    steps = [*steps[:at], (outage, 90), *steps[at:]]
    readings = read(steps, 500)
    t0, t1 = readings[at][1], readings[at + 1][1]
    late = (
        1,
        t0 + timedelta(seconds=1 + int((outage - 2) * share)),
        0,
        readings[at][3] + round(0.9 * share, 2),
        7,
        2,
        2,
    )
    before = ledger(readings, meter(decimals=2), ALWAYS, grid)
    after = ledger([*readings, late], meter(decimals=2), ALWAYS, grid)
    assert before.total() == after.total()
    changed = {t for _, t in before.cells if before.cells[1, t] != after.cells[1, t]}
    assert before.cells.keys() == after.cells.keys()
    assert all(t0 - timedelta(seconds=grid) < t < t1 for t in changed)


@QUICK
@given(steps=STEPS, grid=GRIDS, data=st.data())
def test_a_spike_is_left_out_and_the_total_kept(
    steps: list[tuple[int, int]], grid: int, data: st.DataObject
) -> None:
    """One reading far off, up or down, with good ones around it."""
    steps = [(900, 10), (900, 10), *steps, (900, 10), (900, 10)]
    readings = read(steps, 5000)
    at = data.draw(st.integers(2, len(readings) - 3))
    wrong = data.draw(st.sampled_from([0.0, 1.0, 99999.0, 10.0**9]))
    bad = [*readings[:at], (*readings[at][:3], wrong, *readings[at][4:]), *readings[at + 1 :]]
    got = ledger(bad, meter(decimals=2, max_rate=10**9), ALWAYS, grid)
    assert got.total() == sum(count for _, count in steps) * 10_000
    assert "spike" in got.codes()
    assert got.event("spike")["value"] == wrong

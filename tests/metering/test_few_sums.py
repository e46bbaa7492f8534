"""Cells of the ledger added up in Python against the engine's own sums: amounts of either sign, with and without a price."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from celadon.core.periods import Grain, parse_period
from celadon.metering.amounts import Calendars
from celadon.metering.few import _added_here, _added_up
from celadon.metering.tariffs import Prices
from celadon.metering.tree import build_tree
from tests.metering.plants import Bench, main_meter, meter, plant

_START = datetime(2024, 1, 1)
_TICKS = st.integers(-(10**15), 10**15)
_CELLS = st.lists(
    st.tuples(
        st.sampled_from(["E1", "E2"]),
        st.integers(-30, 24 * 31 + 30),
        _TICKS,
        st.sampled_from([0, 1800, 3600]),
        _TICKS,
    ),
    max_size=12,
    unique_by=lambda cell: cell[:2],
)
_SPANS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 24 * 62),
        st.integers(1, 12 * 40),
        st.none() | st.integers(-(10**12), 10**12),
    ),
    max_size=4,
)
_BENCH = Bench(plant([main_meter("E1"), meter("E2", "E1")]))


@settings(max_examples=60, deadline=None)
@given(
    cells=_CELLS,
    spans=_SPANS,
    grain=st.sampled_from([Grain.MONTH, Grain.DAY]),
    month=st.sampled_from(["2024-01", "2023-12..2024-01"]),
)
def test_both_ways_add_up_the_same(
    cells: list[tuple[str, int, int, int, int]],
    spans: list[tuple[int, int, int, int | None]],
    grain: Grain,
    month: str,
) -> None:
    bench, half = _BENCH, timedelta(minutes=30)
    bench.con.execute("DELETE FROM ledger")
    for name, hour, ticks, covered, estimated in cells:
        row = [
            bench.points[name],
            _START + timedelta(hours=hour),
            ticks,
            ticks,
            ticks,
            abs(estimated),
            covered,
            1,
        ]
        bench.con.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    prices, free = Prices({"E1": 0, "E2": 1}), {0: _START, 1: _START}
    for tariff, later, length, price in spans:  # a tariff's spans do not overlap; some begin inside a cell
        start = free[tariff] + later * half
        free[tariff] = start + length * half
        prices.spans.append((tariff, start, free[tariff], "flat", price))
    nodes = build_tree(bench.plant).nodes
    calendars = Calendars(bench.plant, parse_period(month, "UTC"), grain, {})
    asked = (bench.con, "ledger", list(nodes.values()), calendars, bench.points, prices)
    assert sorted(_added_here(*asked)) == sorted(_added_up(*asked))


def test_sums_by_hand() -> None:
    bench = _BENCH
    bench.con.execute("DELETE FROM ledger")
    for hour, ticks, covered in ((0, -1_500_000, 3600), (1, 7, 1800), (2, 5, 3600), (3, 0, 0)):
        row = [1, _START + timedelta(hours=hour), ticks, ticks, ticks, 1, covered, 1]
        bench.con.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    # the price holds for the first cell and half of the second, which has none then
    prices = Prices({"E1": 0}, spans=[(0, _START, _START + timedelta(minutes=90), "flat", 1)])
    nodes = build_tree(bench.plant).nodes
    calendars = Calendars(bench.plant, parse_period("2024-01", "UTC"), Grain.MONTH, {})
    found = _added_here(bench.con, "ledger", list(nodes.values()), calendars, bench.points, prices)
    # 7 + 5 - 1 500 000; three cells that have something; 3600 + 1800 + 3600 s; -1.5 towards zero; one priced hour
    assert found == [(1, 0, -1_499_988, 3, 9000, -1, 3600)]

"""Shared meters: dated keys, exact parts, and what happens where a key has no data; products and cost centres."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celadon.core.model import Process, Product, Share, Site
from celadon.core.periods import Grain
from celadon.core.quantities import Space
from celadon.metering.allocation import cost_centres, product_parts
from celadon.metering.amounts import apportion, load_rows
from tests.metering.plants import Bench, label, main_meter, meter, plant

KWH = 1_000_000


def _shared(*shares: Share, **given: Any) -> Bench:
    processes = (
        Process("a", label("a"), "S", ("steel",), 300.0),
        Process("b", label("b"), "S", ("slab",), 100.0),
    )
    processes += (Process("c", label("c"), "S"),)
    products = (
        Product("steel", label("steel"), "t"),
        Product("slab", label("slab"), given.pop("slab", "kg")),
    )
    meters = [
        main_meter("E0", process="c"),
        meter("M", "E0", shares=shares),
        meter("K1", "E0"),
        meter("K2", "E0", shares=given.pop("beside", ())),
    ]
    bench = Bench(
        plant(meters, products=products, sites=(Site("S", label("S"), zone="UTC", processes=processes),))
    )
    first = given.pop("first", ("K1", "2024-01", 3))
    for name, period, amount in (("E0", "2024-01", 10), ("M", "2024-01", 1), first, ("K2", "2024-01", 2)):
        bench.flat(name, period, amount * KWH)
    return bench


def _parts(bench: Bench, period: str = "2024-01") -> list[Any]:
    bench.facts(period, Space.PROCESS)
    return bench.select("process, value", "quantity = 'energy_consumed' AND meter = 'M'")


def test_fixed_weights() -> None:
    bench = _shared(Share("fixed", (("a", 0.6), ("b", 0.4))))
    assert _parts(bench) == [("a", 0.4464), ("b", 0.2976)]
    assert bench.findings == []


def test_fixed_weights_change_inside_a_month() -> None:
    before = Share("fixed", (("a", 1.0),), until=date(2024, 1, 10))
    after = Share("fixed", (("a", 0.5), ("b", 0.5)), since=date(2024, 1, 11))
    assert _parts(_shared(before, after)) == [("a", 0.24 + 0.252), ("b", 0.252)]


def test_area() -> None:
    assert _parts(_shared(Share("area", (("a", 1.0), ("b", 1.0))))) == [("a", 0.558), ("b", 0.186)]


def test_other_meters() -> None:
    assert _parts(_shared(Share("meters", (), (("a", "K1"), ("b", "K2"))))) == [("a", 0.4464), ("b", 0.2976)]


def test_production_in_units_that_add() -> None:
    bench = _shared(Share("production", (("a", 1.0), ("b", 1.0))))
    bench.record("product_output", "steel", "2024-01-03", 30.0, "t", process="a")
    bench.record("product_output", "slab", "2024-01-04", 10_000.0, "kg")
    assert _parts(bench) == [("a", 0.558), ("b", 0.186)]


def test_the_dates_of_another_meter_s_allocation_do_not_cut_this_one_s_key() -> None:
    """K1 counts 4 kWh an hour for fifteen days (1440), K2 2 kWh throughout (1488): they share M's 744 as 1440 to 1488, though K2 is
    itself shared otherwise from the sixteenth; by halves M's second half would all go to b."""
    beside = (
        Share("fixed", (("a", 1.0),), until=date(2024, 1, 15)),
        Share("fixed", (("b", 1.0),), since=date(2024, 1, 16)),
    )
    key = Share("meters", (), (("a", "K1"), ("b", "K2")))
    bench = _shared(key, beside=beside, first=("K1", "2024-01-01..2024-01-15", 4))
    assert _parts(bench) == [
        ("a", pytest.approx(0.744 * 1440 / 2928, abs=1e-9)),
        ("b", pytest.approx(0.744 * 1488 / 2928, abs=1e-9)),
    ]
    other = bench.select("process, value", "quantity = 'energy_consumed' AND meter = 'K2'")
    assert other == [("a", 0.72), ("b", 0.768)]  # 15 and 16 days


def test_production_in_units_that_do_not_add_is_not_attributed() -> None:
    bench = _shared(Share("production", (("a", 1.0), ("b", 1.0))), slab="piece")
    bench.record("product_output", "steel", "2024-01-03", 30.0, "t")
    bench.record("product_output", "slab", "2024-01-04", 10.0, "piece")
    assert _parts(bench) == [("", 0.744)]
    assert "M is shared by production, but piece, t do not add: not attributed to a process." in [
        f.says() for f in bench.findings if f.code == "allocation.production-units"
    ]


def test_a_key_without_data_is_not_attributed_and_found() -> None:
    bench = _shared(Share("production", (("a", 1.0), ("b", 1.0))))
    bench.record("product_output", "steel", "2024-01-03", 30.0, "t")
    assert _parts(bench) == [("", 0.744)]
    assert [f.says() for f in bench.findings if f.code == "allocation.key-absent"] == [
        "M is shared by production, which is missing or nothing for b from 2024-01-01 00:00: "
        "not attributed to a process there."
    ]


def test_two_allocations_at_once() -> None:
    bench = _shared(Share("fixed", (("a", 1.0),)), Share("fixed", (("b", 1.0),), since=date(2024, 1, 11)))
    assert _parts(bench) == [("a", 0.744)]
    (found,) = bench.findings
    assert (found.code, str(found.severity), found.where.subject) == (
        "allocation.share-overlap",
        "error",
        "meter:M",
    )
    assert found.values == {"meter": "M", "day": date(2024, 1, 11)}
    assert found.says() == "M has two allocations on 2024-01-11; the first one is used."
    assert found.says("zh") == "M 在 2024-01-11 有两条分摊规则，采用前一条。"


def test_an_absent_shared_meter_is_absent_for_each() -> None:
    bench = _shared(Share("fixed", (("a", 0.6), ("b", 0.4))))
    assert _parts(bench, "2024-02") == [("a", None), ("b", None)]


@settings(max_examples=60, deadline=None)
@given(
    amounts=st.lists(st.integers(-(10**16), 10**16), min_size=1, max_size=5),
    weights=st.lists(st.integers(0, 10**12), min_size=1, max_size=6).filter(any),
)
def test_parts_add_to_the_amount_exactly(amounts: list[int], weights: list[int]) -> None:
    con = duckdb.connect()
    rows = [
        (group, part, amount, weight)
        for group, amount in enumerate(amounts)
        for part, weight in enumerate(weights)
    ]
    load_rows(con, "pairs", {"g": "INTEGER", "p": "INTEGER", "amount": "HUGEINT", "weight": "HUGEINT"}, rows)
    found = con.execute(
        f"SELECT g, amount, part, weight FROM ({apportion('pairs', 'amount', 'weight', 'g', 'p')})"
    ).fetchall()
    for group, amount in enumerate(amounts):
        parts = [(int(part), int(weight)) for g, _, part, weight in found if g == group]
        assert sum(part for part, _ in parts) == amount
        assert all(
            abs(part - amount * weight / sum(weights)) < 1 + abs(amount) * 1e-12 for part, weight in parts
        )


def test_parts_may_have_negative_weights_and_none_without_a_total() -> None:
    con = duckdb.connect()
    load_rows(con, "pairs", {"g": "INTEGER", "p": "INTEGER", "amount": "HUGEINT", "weight": "HUGEINT"},
              [(0, 0, 100, 5), (0, 1, 100, -1), (0, 2, 100, 3), (1, 0, 7, 0)])  # fmt: skip
    rows = con.execute(
        f"SELECT g, p, part FROM ({apportion('pairs', 'amount', 'weight', 'g', 'p')}) ORDER BY g, p"
    ).fetchall()
    assert rows == [
        (0, 0, 71),
        (0, 1, -14),
        (0, 2, 43),
    ]  # 71.4, −14.3, 42.9: the largest remainder is rounded up


def test_products_bear_their_process_s_energy() -> None:
    processes = (Process("a", label("a"), "S", ("steel", "slab")), Process("b", label("b"), "S"))
    products = (Product("steel", label("steel"), "t"), Product("slab", label("slab"), "kg"))
    meters = [main_meter("E0", process="b"), meter("E1", "E0", process="a")]
    bench = Bench(
        plant(meters, products=products, sites=(Site("S", label("S"), zone="UTC", processes=processes),))
    )
    bench.flat("E0", "2024-01-01", 10 * KWH)
    bench.flat("E1", "2024-01-01", 4 * KWH)
    bench.record("product_output", "steel", "2024-01-01", 2.0, "t")
    bench.record("product_output", "slab", "2024-01-01", 1000.0, "kg", process="a")
    bench.facts("2024-01-01", Space.PROCESS, Grain.DAY)
    parts = product_parts(bench.con, bench.plant, "facts")
    assert [(part.process, part.product, part.amount) for part in parts] == [
        ("a", "slab", 32_000), ("a", "steel", 64_000), ("b", "", 144_000),
    ]  # fmt: skip
    assert parts[0].start == datetime(2024, 1, 1)


def test_cost_centres_gather_meters_and_remainders() -> None:
    meters = [
        main_meter("E0", cost_centre="CC0"),
        meter("E1", "E0"),
        meter("E2", "E0", cost_centre="CC2"),
        main_meter("E9"),
    ]
    bench = Bench(plant(meters))
    for name, amount in (("E0", 10), ("E1", 3), ("E2", 2), ("E9", 1)):
        bench.flat(name, "2024-01-01", amount * KWH)
    bench.facts("2024-01-01", Space.METER, Grain.DAY)
    found = cost_centres(bench.con, bench.plant, "facts")
    assert [(centre, quantity, carrier) for centre, quantity, carrier, _ in found] == [
        ("", "energy_consumed", "electricity"), ("CC0", "energy_consumed", "electricity"), ("CC2", "energy_consumed", "electricity"),
    ]  # fmt: skip
    assert [amount for *_, amount in found] == pytest.approx([0.024, 0.192, 0.048])


def test_a_key_meter_weighs_with_what_it_has_counted() -> None:
    bench = _shared(Share("meters", (), (("a", "K1"), ("b", "K2"))))
    half = datetime(2024, 1, 16, tzinfo=UTC).replace(tzinfo=None)
    bench.con.execute("DELETE FROM ledger WHERE point = ? AND start < ?", [bench.points["K2"], half])
    # 3 kWh × 744 h against 2 kWh × 384 h
    assert _parts(bench) == [("a", 0.553536), ("b", 0.190464)]

"""Fuel consumption from purchases and stocks, month by month."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celadon.core.facts import Status
from celadon.core.model import Site
from celadon.core.periods import Grain
from tests.metering.plants import Bench, label, main_meter, plant

BOUGHT, OPENING, CLOSING, RESOLD, CONSUMED = (
    "fuel_purchased", "fuel_opening_stock", "fuel_closing_stock", "fuel_resold", "fuel_consumed",
)  # fmt: skip


def _bench(zone: str = "UTC") -> Bench:
    return Bench(plant([], zone=zone))


def _burnt(bench: Bench, period: str = "2024-01", time: Grain = Grain.MONTH) -> list[Any]:
    bench.facts(period, time=time)
    return bench.select("time_start, value, status", "quantity = 'energy_consumed'", "time_start, value")


def _said(bench: Bench) -> list[tuple[str, str]]:
    return [(finding.code, finding.says()) for finding in bench.findings]


def test_purchased_plus_opening_minus_closing_minus_resold() -> None:
    bench = _bench("Asia/Shanghai")
    bench.record(OPENING, "柴油", "2024-01-01", 3.0, "t")
    bench.record(BOUGHT, "diesel", "2024-01-05", 10_000.0, "kg")
    bench.record(BOUGHT, "diesel_oil", "2024-01-20", 5.0, "吨")
    bench.record(RESOLD, "diesel", "2024-01-21", 1.0, "t")
    bench.record(CLOSING, "diesel", "2024-01-31", 4.0, "t")
    assert _burnt(bench) == [(datetime(2023, 12, 31, 16), 13.0, Status.CALCULATED)]
    assert bench.select("item, purpose, site, unit, source") == [
        (
            "diesel",
            "combustion",
            "S",
            "t",
            "records:1:1:1 records:1:1:2 records:1:1:3 records:1:1:4 records:1:1:5",
        )
    ]
    assert bench.findings == []


def test_a_missing_opening_stock_is_the_closing_one_before_and_the_other_way_round() -> None:
    bench = _bench()
    bench.record(CLOSING, "raw_coal", "2023-12-31", 100.0, "t")
    bench.record(BOUGHT, "raw_coal", "2024-01", 50.0, "t")
    bench.record(CLOSING, "raw_coal", "2024-01", 30.0, "t")
    bench.record(BOUGHT, "raw_coal", "2024-02", 10.0, "t")
    bench.record(OPENING, "raw_coal", "2024-03-01", 25.0, "t")
    assert _burnt(bench, "2024-01..2024-02") == [
        (datetime(2024, 1, 1), 120.0, Status.CALCULATED), (datetime(2024, 2, 1), 15.0, Status.CALCULATED),
    ]  # fmt: skip
    assert bench.findings == []


def test_a_closing_stock_stamped_on_the_edge_closes_the_month() -> None:
    bench = _bench()
    edge = datetime(2024, 2, 1)
    bench.record(OPENING, "coke", "2024-01-01", 10.0, "t")
    bench.record(CLOSING, "coke", "2024-01-01", 4.0, "t", start=edge, end=edge)
    assert _burnt(bench) == [(datetime(2024, 1, 1), 6.0, Status.CALCULATED)]


def test_without_any_stock_purchases_are_consumption_with_a_notice() -> None:
    bench = _bench()
    bench.record(BOUGHT, "diesel", "2024-01-05", 2.0, "t", purpose="mobile", process="a")
    bench.record(BOUGHT, "diesel", "2024-01-05", 2.0, "t", purpose="mobile", process="a")
    bench.record(RESOLD, "diesel", "2024-01-09", 1.0, "t", purpose="mobile")
    assert [value for _, value, _ in _burnt(bench)] == [-1.0, 2.0, 2.0]
    assert bench.select("DISTINCT purpose, process", "value > 0") == [("mobile", "a")]
    assert _said(bench) == [
        (
            "records.no-stock",
            "diesel oil (mobile sources) at S has no stock records: what was bought is taken as consumed.",
        )
    ]


def test_a_closing_stock_that_is_missing_makes_the_month_absent() -> None:
    bench = _bench()
    bench.record(OPENING, "diesel", "2024-01-01", 3.0, "t")
    bench.record(BOUGHT, "diesel", "2024-01-05", 10.0, "t")
    assert _burnt(bench) == [(datetime(2024, 1, 1), None, Status.ABSENT)]
    assert _said(bench) == [
        (
            "records.stock-missing",
            "diesel oil (combustion) at S, 2024-01: the closing stock is missing; "
            "consumption is absent, not zero.",
        )
    ]


def test_a_month_between_without_any_record_is_absent_too() -> None:
    bench = _bench()
    bench.record(OPENING, "diesel", "2024-01-01", 3.0, "t")
    bench.record(CLOSING, "diesel", "2024-01-31", 1.0, "t")
    bench.record(CLOSING, "diesel", "2024-03-31", 2.0, "t")
    assert _burnt(bench, "2024-01..2024-04") == [
        (datetime(2024, 1, 1), 2.0, Status.CALCULATED), (datetime(2024, 2, 1), None, Status.ABSENT),
        (datetime(2024, 3, 1), None, Status.ABSENT),
    ]  # fmt: skip
    assert [str(f.values["which"]) for f in bench.findings] == ["closing", "opening"]


def test_negative_consumption_is_shown_and_found() -> None:
    bench = _bench()
    bench.record(OPENING, "diesel", "2024-01-01", 3.0, "t")
    bench.record(CLOSING, "diesel", "2024-01-31", 8.0, "t")
    assert _burnt(bench) == [(datetime(2024, 1, 1), -5.0, Status.CALCULATED)]
    assert _said(bench) == [
        (
            "records.negative-consumption",
            "diesel oil (combustion) at S, 2024-01: 0 + 3 − 8 − 0 t is below zero.",
        )
    ]


def test_declared_consumption_goes_before_and_is_compared() -> None:
    bench = _bench()
    bench.record(OPENING, "diesel", "2024-01-01", 3.0, "t")
    bench.record(BOUGHT, "diesel", "2024-01-05", 10.0, "t")
    bench.record(CLOSING, "diesel", "2024-01-31", 4.0, "t")
    bench.record(CONSUMED, "diesel", "2024-01", 9.5, "t")
    assert _burnt(bench) == [(datetime(2024, 1, 1), 9.5, Status.DECLARED)]
    assert _said(bench) == [
        (
            "records.consumed-differs",
            "diesel oil (combustion) at S, 2024-01: 9.5 t is declared and used; purchases and stocks give 9.",
        )
    ]
    bench.con.execute("UPDATE records SET value = 9.0 WHERE quantity = 'fuel_consumed'")
    assert _burnt(bench) == [(datetime(2024, 1, 1), 9.0, Status.DECLARED)]
    assert bench.findings == []


def test_declared_consumption_replaces_purchases_without_stocks() -> None:
    bench = _bench()
    bench.record(BOUGHT, "diesel", "2024-01-05", 10.0, "t")
    bench.record(CONSUMED, "diesel", "2024-01", 9.0, "t")
    assert _burnt(bench) == [(datetime(2024, 1, 1), 9.0, Status.DECLARED)]


def test_a_delivery_over_months_is_split_where_stocks_are_kept() -> None:
    bench = _bench()
    bench.record(OPENING, "diesel", "2024-01-01", 0.0, "t")
    bench.record(BOUGHT, "diesel", "2024-01..2024-02", 60.0, "t")
    bench.record(CLOSING, "diesel", "2024-01-31", 1.0, "t")
    bench.record(CLOSING, "diesel", "2024-02-29", 0.0, "t")
    assert _burnt(bench, "2024-01..2024-02") == [
        (datetime(2024, 1, 1), 30.0, Status.ESTIMATED), (datetime(2024, 2, 1), 30.0, Status.ESTIMATED),
    ]  # fmt: skip
    assert bench.select("estimated", order="time_start") == [(30.0,), (29.0,)]
    assert _said(bench) == [
        (
            "records.split-over-months",
            "1 records of diesel oil at S span several months: they are split by time to meet the "
            "stocks, as an estimate.",
        )
    ]


def test_an_unreadable_delivery_leaves_the_month_absent() -> None:
    bench = _bench()
    bench.record(OPENING, "diesel", "2024-01-01", 3.0, "t")
    bench.record(BOUGHT, "diesel", "2024-01-05", 10.0, "L")
    bench.record(CLOSING, "diesel", "2024-01-31", 3.0, "t")
    assert _burnt(bench) == [(datetime(2024, 1, 1), None, Status.ABSENT)]
    assert bench.codes() == {"records.density-needed"}


def test_a_finer_grain_keeps_the_month_of_the_stocks() -> None:
    bench = _bench()
    bench.record(OPENING, "diesel", "2024-01-01", 3.0, "t")
    bench.record(CLOSING, "diesel", "2024-01-31", 1.0, "t")
    assert _burnt(bench, time=Grain.DAY) == [(datetime(2024, 1, 1), 2.0, Status.CALCULATED)]
    assert bench.select("time_end") == [(datetime(2024, 2, 1),)]


def test_part_of_a_month_takes_part_of_its_consumption() -> None:
    bench = _bench()
    bench.record(OPENING, "diesel", "2024-01-01", 31.0, "t")
    bench.record(CLOSING, "diesel", "2024-01-31", 0.0, "t")
    assert _burnt(bench, "2024-01-01..2024-01-10") == [(datetime(2024, 1, 1), 10.0, Status.ESTIMATED)]
    assert bench.codes() == {"records.cut"}


def test_sites_do_not_share_stocks() -> None:
    sites = (Site("S", label("S"), zone="UTC"), Site("T", label("T"), zone="UTC"))
    bench = Bench(plant([], sites=sites))
    bench.record(OPENING, "diesel", "2024-01-01", 3.0, "t", site="S")
    bench.record(CLOSING, "diesel", "2024-01-31", 1.0, "t", site="S")
    bench.record(BOUGHT, "diesel", "2024-01-31", 7.0, "t", site="T")
    bench.facts("2024-01")
    assert bench.select("site, value") == [("S", 2.0), ("T", 7.0)]


def test_a_purchase_meter_goes_before_records() -> None:
    bench = Bench(plant([main_meter("G0", carrier="natural_gas", unit="m3")]))
    bench.flat("G0", "2024-01", 1_000_000)
    bench.record(BOUGHT, "natural_gas", "2024-01", 0.08, "万m3")
    bench.facts("2024-01")
    assert bench.select("meter, value", "quantity = 'energy_consumed'") == [("G0", 744.0)]
    assert _said(bench) == [
        (
            "records.metered-too",
            "natural gas at S has a purchase meter and 1 records of fuel_purchased; the meter "
            "counts, the records do not.",
        )
    ]


@settings(max_examples=10, deadline=None)
@given(
    stocks=st.lists(st.integers(0, 10**6), min_size=4, max_size=4),
    bought=st.lists(st.integers(0, 10**6), min_size=3, max_size=3),
)
def test_what_was_bought_is_burnt_or_in_stock(stocks: list[int], bought: list[int]) -> None:
    """Over any run of months: Σ consumed = Σ purchased + first stock − last stock."""
    bench = _bench()
    bench.record(CLOSING, "coke", "2023-12-31", float(stocks[0]), "kg")
    for month, (amount, stock) in enumerate(zip(bought, stocks[1:], strict=True), start=1):
        bench.record(BOUGHT, "coke", f"2024-{month:02d}-07", float(amount), "kg")
        bench.record(CLOSING, "coke", f"2024-{month:02d}", float(stock), "kg")
    burnt = [value for _, value, _ in _burnt(bench, "2024-01..2024-03")]
    assert len(burnt) == 3
    assert sum(burnt) * 1000 == pytest.approx(sum(bought) + stocks[0] - stocks[-1], abs=1e-6)


def test_a_finding_says_months_by_the_site_s_clock_and_names_in_its_reader_s_language() -> None:
    bench = _bench("Asia/Shanghai")
    bench.record(OPENING, "raw_coal", "2024-03-01", 3.0, "t")
    bench.record(CLOSING, "raw_coal", "2024-03-31", 8.0, "t")
    bench.facts("2024-03")  # begins at 2024-02-29 16:00 UTC
    (said,) = bench.findings
    assert said.says() == "raw coal (combustion) at S, 2024-03: 0 + 3 − 8 − 0 t is below zero."
    assert said.says("zh") == "场所 S 的 原煤（固定燃烧），2024-03：0 + 3 − 8 − 0 t 小于零。"
    assert said.to_json()["values"]["item"] == "raw_coal"
    assert said.to_json()["values"]["month"] == "2024-03"

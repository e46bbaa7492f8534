"""Time-of-use calendars: which period and price holds when, and every way a tariff can be wrong."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celadon.core.facts import Status
from celadon.core.findings import Finding
from celadon.core.model import Flow, Price, Tariff, TimeBand
from celadon.core.periods import Grain, parse_period
from celadon.core.quantities import Space
from celadon.metering.tariffs import Span, clock, day_type, spans
from tests.metering.plants import Bench, label, main_meter, meter, plant, virtual
from tests.shared_data import shared

KWH = 1_000_000
FOREVER = date(2000, 1, 1)
ALL = ("workday", "weekend", "holiday")


def band(
    period: str, hours: str, months: tuple[int, ...] = tuple(range(1, 13)), days: tuple[str, ...] = ALL
) -> TimeBand:
    start, end = (time(int(text) % 24) for text in hours.split("-"))
    return TimeBand(period, start, end, months, days)


def tariff(
    bands: list[TimeBand], prices: dict[str, float], dated: tuple[Price, ...] = (), **given: Any
) -> Tariff:
    priced = dated or tuple(Price(period, price, FOREVER) for period, price in prices.items())
    values: dict[str, Any] = {
        "carrier": "electricity",
        "unit": "CNY/kWh",
        "bands": tuple(bands),
        "prices": priced,
    }
    return Tariff(id="T", name=label("T"), **{**values, **given})


PEAK_VALLEY = [band("valley", "0-8"), band("peak", "8-22"), band("valley", "22-24")]


def _spans(what: Tariff, period: str, zone: str = "UTC") -> tuple[list[Span], list[Finding]]:
    span = parse_period(period, zone)
    found, findings = spans(what, zone, span.start, span.end)
    return list(found), list(findings)


def test_bands_are_clock_hours_of_the_site() -> None:
    found, findings = _spans(
        tariff(PEAK_VALLEY, {"peak": 1.0, "valley": 0.3}), "2024-01-01..2024-01-02", "Asia/Shanghai"
    )
    day = datetime(2024, 1, 1) - timedelta(hours=8)
    edges = [(span.start.replace(tzinfo=None) - day) / timedelta(hours=1) for span in found]
    assert edges == [0, 8, 22, 32, 46]  # the two nights join
    assert [(span.period, span.price) for span in found] == [
        ("valley", 0.3),
        ("peak", 1.0),
        ("valley", 0.3),
        ("peak", 1.0),
        ("valley", 0.3),
    ]
    assert findings == []


def test_a_band_over_midnight_and_a_whole_day() -> None:
    assert clock(tariff([band("valley", "22-6"), band("peak", "6-22")], {}), 1, "workday") == (
        (0, 360, ("valley",)), (360, 1320, ("peak",)), (1320, 1440, ("valley",)),
    )  # fmt: skip
    assert clock(tariff([TimeBand("flat", time(0), time(0))], {}), 1, "workday") == ((0, 1440, ("flat",)),)
    assert clock(tariff([], {"flat": 0.5}), 1, "workday") == ((0, 1440, ("flat",)),)


def test_day_types() -> None:
    what = tariff(
        [],
        {},
        holidays=(date(2024, 1, 1),),
        workdays=(date(2024, 2, 4),),
        day_list=((date(2024, 1, 3), "light"),),
    )
    days = {
        date(2024, 1, 1): "holiday",
        date(2024, 1, 2): "workday",
        date(2024, 1, 3): "light",
        date(2024, 1, 6): "weekend",
        date(2024, 2, 4): "workday",
    }
    assert {day: day_type(what, day) for day in days} == days


def test_seasons_and_dated_prices() -> None:
    summer, winter = band("flat", "0-24", (7, 8)), band("flat", "0-24", (1, 2, 3, 4, 5, 6, 9, 10, 11, 12))
    dated = (Price("flat", 0.5, date(2024, 1, 1), date(2024, 7, 31)), Price("flat", 0.6, date(2024, 8, 1)))
    found, findings = _spans(tariff([summer, winter], {}, dated=dated), "2024")
    assert [(span.start, span.price) for span in found] == [
        (datetime(2024, 1, 1, tzinfo=UTC), 0.5), (datetime(2024, 8, 1, tzinfo=UTC), 0.6),
    ]  # fmt: skip
    assert findings == []


def _codes(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.code, finding.says()) for finding in findings]


def test_hours_without_a_band() -> None:
    found, findings = _spans(
        tariff([band("peak", "8-22", days=("workday",)), band("valley", "22-8")], {"peak": 1, "valley": 0.3}),
        "2024-01",
    )
    assert _codes(findings) == [
        (
            "tariff.band-gap",
            "T: 08:00-22:00 on 2024-01-06 (weekend) is in no period (8 such days): its cost stays absent.",
        )
    ]
    assert sum((span.end - span.start for span in found if span.period is None), timedelta()) == timedelta(
        hours=8 * 14
    )


def test_hours_in_two_bands() -> None:
    found, findings = _spans(
        tariff([*PEAK_VALLEY, band("sharp", "19-21", (1,))], {"peak": 1, "valley": 0.3, "sharp": 1.2}),
        "2024-01..2024-02",
    )
    assert _codes(findings) == [
        (
            "tariff.band-overlap",
            "T: 19:00-21:00 on 2024-01-01 (workday) is in peak, sharp at once (23 such days): its "
            "cost stays absent.",
        ),
        (
            "tariff.band-overlap",
            "T: 19:00-21:00 on 2024-01-06 (weekend) is in peak, sharp at once (8 such days): its "
            "cost stays absent.",
        ),
    ]
    assert sum(1 for span in found if span.price is None) == 31


def test_a_period_without_a_price_and_with_two() -> None:
    dated = (
        Price("valley", 0.3, FOREVER), Price("peak", 1.0, date(2024, 1, 1), date(2024, 1, 20)), Price("peak", 1.1, date(2024, 1, 20), date(2024, 1, 30)),
    )  # fmt: skip
    found, findings = _spans(tariff(PEAK_VALLEY, {}, dated=dated), "2024-01")
    assert _codes(findings) == [
        (
            "tariff.price-overlap",
            "T: two prices of “peak” hold on 2024-01-20 (1 such days): its cost stays absent.",
        ),
        (
            "tariff.price-gap",
            "T: no price of “peak” on 2024-01-31 (1 such days): its cost stays absent, not zero.",
        ),
    ]
    assert findings[1].says("zh") == "T：2024-01-31 没有“peak”电价（共 1 天）：费用按缺失处理，不作零。"
    assert [span.start.day for span in found if span.price is None] == [20, 31]


@pytest.mark.parametrize(("day", "night"), [("2024-03-31", 7), ("2024-10-27", 9), ("2024-06-01", 8)])
def test_days_of_23_and_25_hours_go_by_the_clock(day: str, night: int) -> None:
    found, _ = _spans(tariff(PEAK_VALLEY, {"peak": 1.0, "valley": 0.3}), day, "Europe/Berlin")
    lengths = [(span.period, (span.end - span.start) / timedelta(hours=1)) for span in found]
    assert lengths == [("valley", night), ("peak", 14), ("valley", 2)]


def test_an_edge_inside_a_repeated_hour_counts_both_times() -> None:
    bands = [TimeBand("a", time(0), time(2, 30)), TimeBand("b", time(2, 30), time(0))]
    found, _ = _spans(tariff(bands, {"a": 1.0, "b": 2.0}), "2024-10-27", "Europe/Berlin")
    lengths = [(span.period, (span.end - span.start) / timedelta(minutes=1)) for span in found]
    assert lengths == [("a", 150), ("b", 30), ("a", 30), ("b", 1290)]


@settings(max_examples=20, deadline=None)
@given(
    edges=st.lists(st.integers(0, 23), min_size=2, max_size=5, unique=True),
    day=st.dates(date(2023, 1, 1), date(2025, 12, 31)),
)
def test_spans_cover_the_time_without_gap_or_overlap(edges: list[int], day: date) -> None:
    bands = [
        band(f"p{number}", f"{start}-{end}")
        for number, (start, end) in enumerate(zip(edges, [*edges[1:], edges[0]], strict=True))
    ]
    period = parse_period(f"{day}..{day + timedelta(days=2)}", "Europe/Berlin")
    found, _ = _spans(
        tariff(bands, {f"p{number}": number for number in range(5)}),
        f"{day}..{day + timedelta(days=2)}",
        "Europe/Berlin",
    )
    assert found[0].start == period.start
    assert found[-1].end == period.end
    assert all(left.end == right.start for left, right in pairwise(found))


def _bench(what: Tariff, grid: int = 3600, zone: str = "UTC", **given: Any) -> Bench:
    meters = [main_meter("E0", tariff="T", **given), meter("E1", "E0", process="a")]
    return Bench(plant(meters, tariffs=(what,), grid=grid, zone=zone))


COST = "quantity = 'energy_cost'"


def test_cost_is_energy_by_cell_and_price_and_splits_as_energy_does() -> None:
    bench = _bench(tariff(PEAK_VALLEY, {"peak": 1.0, "valley": 0.3}))
    bench.flat("E0", "2024-01-01", 10 * KWH)
    for hour in range(8):
        bench.cell("E1", datetime(2024, 1, 1, hour, tzinfo=UTC), 5 * KWH)
    bench.facts("2024-01-01", time=Grain.DAY)
    assert bench.select("item, meter, value, unit, coverage, status", COST) == [
        ("electricity", "E0", 140 + 30.0, "CNY", 1.0, Status.CALCULATED)
    ]
    bench.facts("2024-01-01", Space.METER, Grain.DAY)
    assert bench.select("process, meter, value", COST) == [("", "E0~rest", 158.0), ("a", "E1", 12.0)]


def test_prices_per_another_unit_of_the_same_kind() -> None:
    bench = _bench(tariff([], {"flat": 500.0}, unit="EUR/MWh"))
    bench.flat("E0", "2024-01-01", 10 * KWH)
    bench.facts("2024-01-01", time=Grain.DAY)
    assert bench.select("value, unit", COST) == [(120.0, "EUR")]


def test_cells_without_a_price_are_absent_cost() -> None:
    bench = _bench(tariff(PEAK_VALLEY, {"peak": 1.0}))
    bench.flat("E0", "2024-01-01", 10 * KWH)
    bench.facts("2024-01-01", time=Grain.DAY)
    assert bench.select("value, coverage", COST) == [(140.0, 14 / 24)]
    bench.facts("2024-01-01", time=Grain.HOUR)
    assert bench.select("count(*), count(value), sum(coverage)", COST) == [(24, 14, 14.0)]
    assert "tariff.price-gap" in bench.codes()


def test_an_edge_off_the_grid() -> None:
    half = [TimeBand("valley", time(0), time(8, 30)), TimeBand("peak", time(8, 30), time(0))]
    bench = _bench(tariff(half, {"peak": 1.0, "valley": 0.3}))
    bench.flat("E0", "2024-01-01", 10 * KWH)
    bench.facts("2024-01-01", time=Grain.DAY)
    assert [f.says() for f in bench.findings if f.code == "tariff.edge-off-grid"] == [
        "T: the edge at 2024-01-01 08:30 falls inside a ledger cell of 60 min; the cost of "
        "such cells stays absent."
    ]
    assert bench.select("value, coverage", COST) == [(150.0 + 24.0, 23 / 24)]
    fine = _bench(tariff(half, {"peak": 1.0, "valley": 0.3}), grid=1800)
    fine.flat("E0", "2024-01-01", 5 * KWH)
    fine.facts("2024-01-01", time=Grain.DAY)
    assert fine.select("value", COST) == [(155.0 + 25.5,)]


def test_an_unknown_tariff_and_prices_that_do_not_fit() -> None:
    bench = _bench(tariff([], {"flat": 1.0}))
    wrong = plant([main_meter("E0", tariff="other")], tariffs=(tariff([], {"flat": 1.0}),))
    other = Bench(wrong)
    other.facts("2024-01-01", time=Grain.DAY)
    (found,) = [f for f in other.findings if f.code == "tariff.unknown"]
    assert (str(found.severity), found.where.subject) == ("error", "meter:E0")
    assert found.says() == "E0 names the tariff “other”, which is not declared: its cost stays absent."
    assert found.says("zh") == "E0 引用的电价“other”未定义：费用按缺失处理。"
    bench = _bench(tariff([], {"flat": 1.0}, unit="CNY/t"))
    bench.facts("2024-01-01", time=Grain.DAY)
    assert "T is in CNY/t; E0 counts kWh: its cost stays absent." in [f.says() for f in bench.findings]
    assert bench.select("count(*)", COST) == [(0,)]
    bench = _bench(tariff([], {"flat": 1.0}, unit="coins"))
    bench.facts("2024-01-01", time=Grain.DAY)
    assert "tariff.unit" in bench.codes()


def test_cost_below_a_bus_follows_the_split_of_the_purchase() -> None:
    meters = [main_meter("P", tariff="T"), meter("G", flow=Flow.GENERATED), meter("E1", "V", process="a")]
    bench = Bench(plant(meters, [virtual("V", {"P": 1, "G": 1})], tariffs=(tariff([], {"flat": 0.5}),)))
    for name, amount in (("P", 6), ("G", 4), ("E1", 9)):
        bench.flat(name, "2024-01-01", amount * KWH)
    bench.facts("2024-01-01", Space.METER, Grain.DAY)
    assert bench.select("process, meter, value, unit", COST) == [
        ("", "V~rest", 7.2, "CNY"),
        ("a", "E1", 64.8, "CNY"),
    ]


def test_costs_of_parts_add_to_the_site_s() -> None:
    bench = _bench(tariff(PEAK_VALLEY, {"peak": 0.987654, "valley": 0.312345}), zone="Asia/Shanghai")
    bench.flat("E0", "2024-01", 12_345_678)
    bench.flat("E1", "2024-01", 2_345_671)
    totals = []
    for space in (Space.SITE, Space.METER):
        bench.facts("2024-01", space)
        totals.append(sum(round(Fraction(value) * 10**6) for (value,) in bench.select("value", COST)))
    assert abs(totals[0] - totals[1]) <= 1


@pytest.mark.shared_data
def test_load_type_of_the_steel_plant_is_this_calendar() -> None:
    """kWh by Load_Type of a year of real quarter-hours, from the clock and 62 listed days alone."""
    expected = json.loads(shared("data/steel_energy/expected.json").read_text(encoding="utf-8"))
    calendar = expected["load_type_is_a_tariff_calendar"]
    seasons = {"mar_to_oct": tuple(range(3, 11)), "nov_to_feb": (11, 12, 1, 2)}
    bands = [
        band(period, hours, months, ("workday", "weekend"))
        for season, months in seasons.items() for period, text in calendar[season].items() for hours in text.split(",")
    ]  # fmt: skip
    days = tuple((date.fromisoformat(day), "light") for day in calendar["all_day_Light_dates"])
    what = tariff(
        [*bands, band("Light", "0-24", days=("light",))],
        {"Light": 1.0, "Medium": 2.0, "Maximum": 3.0},
        day_list=days,
    )
    found, findings = _spans(what, "2018", "Asia/Seoul")
    assert findings == []
    sums, rows, at = (
        dict.fromkeys(("Light", "Medium", "Maximum"), 0),
        dict.fromkeys(("Light", "Medium", "Maximum"), 0),
        0,
    )
    cursor = datetime(2017, 12, 31, 15, tzinfo=UTC)
    with gzip.open(
        shared("data/steel_energy/steel_industry_2018.csv.gz"), "rt", encoding="utf-8-sig"
    ) as file:
        for row in csv.DictReader(file):  # rows are consecutive interval ends
            while found[at].end <= cursor:
                at += 1
            period = found[at].period or ""
            assert row["Load_Type"] == f"{period}_Load"
            sums[period] += round(Fraction(row["Usage_kWh"]) * 100)
            rows[period] += 1
            cursor += timedelta(minutes=15)
    assert {f"{name}_Load": total / 100 for name, total in sums.items()} == expected["energy_kwh"][
        "by_load_type"
    ]
    assert {f"{name}_Load": count for name, count in rows.items()} == expected["energy_kwh"][
        "rows_by_load_type"
    ]

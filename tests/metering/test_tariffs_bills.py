"""Monthly bills: real ones reproduced to the cent, demand and capacity, the 1983 power-factor table, and gaps."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from celadon.core.model import Meter, Plant, PointKind, Price, Tariff
from celadon.core.periods import parse_period
from celadon.metering.bills import Bill, EnergyUse, make_bill, monthly_bills, power_factor, power_factor_table
from tests.metering.plants import Bench, label, main_meter, plant
from tests.shared_data import shared

KWH = 1_000_000
FOREVER = date(2000, 1, 1)


def _tariff(**given: Any) -> Tariff:
    values: dict[str, Any] = {
        "bands": (), "prices": (Price("flat", 0.5, FOREVER),), "carrier": "electricity", "unit": "CNY/kWh",
    }  # fmt: skip
    return Tariff(id="T", name=label("T"), **{**values, **given})


def _rows(name: str) -> list[dict[str, str]]:
    with shared(f"reference/programmes/{name}").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _published(tariff_id: str, capacity: float, standard: str) -> tuple[Tariff, Mapping[str, Decimal]]:
    rows = [row for row in _rows("tariffs.csv") if row["tariff_id"] == tariff_id]

    def dated(row: dict[str, str]) -> Price:
        return Price(
            row["period"] or row["item"],
            float(row["value"]),
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_to"]),
        )

    def of(item: str) -> tuple[Price, ...]:
        return tuple(dated(row) for row in rows if row["item"] == item)

    charge, funds = of("capacity_charge"), of("government_fund")
    tariff = _tariff(
        prices=of("energy_price"), basic="capacity", capacity=capacity, basic_prices=charge, fund_prices=funds, power_factor_standard=standard,
    )  # fmt: skip
    return tariff, {row["period"]: Decimal(row["value"]) for row in rows if row["item"] == "energy_price"}


@pytest.mark.shared_data
def test_real_bills_to_the_cent() -> None:
    told = 0
    for case in (row for row in _rows("tariff_bill_cases.csv") if row["tariff_id"]):
        tariff, prices = _published(case["tariff_id"], float(case["capacity_kva"]), case["pf_standard"])
        uses = [
            EnergyUse(name, Fraction(case[f"{name}_kwh"]), prices[name])
            for name in ("sharp", "peak", "flat", "valley")
        ]
        reactive = Fraction(case["reactive_forward_kvarh"]) + Fraction(case["reactive_reverse_kvarh"])
        bill = make_bill(tariff, date.fromisoformat(f"{case['month']}-01"), uses, None, reactive)
        assert bill.total == Decimal(case["bill_total_cny"])
        assert bill.findings == ()
        assert bill.adjustment is not None
        assert bill.adjustment.confidence == "verified2"
        told += 1
    assert told >= 1


@pytest.mark.shared_data
def test_power_factors_and_adjustments_of_real_bills() -> None:
    cases = _rows("tariff_bill_cases.csv")
    assert len(cases) == 3
    for case in cases:
        active = sum(Fraction(case[f"{name}_kwh"]) for name in ("sharp", "peak", "flat", "valley"))
        reactive = Fraction(case["reactive_forward_kvarh"]) + Fraction(case["reactive_reverse_kvarh"])
        told = power_factor(active, reactive)
        assert told == Decimal(case["pf_expected"]).quantize(Decimal("0.01"))
        assert power_factor_table()[case["pf_standard"], told].percent == Decimal(case["adjust_pct_expected"])


@pytest.mark.shared_data
def test_the_packaged_table_is_the_published_one() -> None:
    rows = _rows("tariff_power_factor.csv")
    assert len(rows) == len(power_factor_table()) == 183
    for row in rows:
        ours = power_factor_table()[row["pf_standard"], Decimal(row["pf_actual"])]
        assert (ours.percent, ours.source, ours.confidence) == (
            Decimal(row["adjustment_pct"]),
            row["source"],
            row["confidence"],
        )


@pytest.mark.parametrize(
    ("active", "reactive", "expected"),
    [
        ("1000", "0", "1.00"),
        ("4", "3", "0.80"),
        ("995", "0", "1.00"),
        ("0", "5", None),
        ("1", "1", "0.71"),
        ("1", "100", "0.01"),
    ],
)
def test_power_factor_is_rounded_half_up(active: str, reactive: str, expected: str | None) -> None:
    assert power_factor(Fraction(active), Fraction(reactive)) == (
        None if expected is None else Decimal(expected)
    )


def _lines(bill: Bill) -> list[tuple[str, str | None, str | None]]:
    return [
        (
            line.kind,
            None if line.quantity is None else str(line.quantity),
            None if line.money is None else str(line.money),
        )
        for line in bill.lines
    ]


def _energy(amount: int = 1000) -> list[EnergyUse]:
    return [EnergyUse("flat", Fraction(amount), Decimal("0.5"))]


def test_demand_agreed_exceeded_and_actual() -> None:
    prices = (Price("demand", 40.0, FOREVER),)
    agreed = _tariff(basic="demand", contract_demand=1000.0, basic_prices=prices)
    assert _lines(make_bill(agreed, date(2024, 1, 1), _energy(), Decimal(900)))[1:] == [
        ("basic", "1000.0", "40000.00")
    ]
    exceeded = make_bill(agreed, date(2024, 1, 1), _energy(), Decimal(1150))
    assert _lines(exceeded)[1:] == [
        ("basic", "1000.0", "40000.00"),
        ("excess", "100.000", "8000.00"),
    ]  # 1150 − 1.05 × 1000
    assert exceeded.total == Decimal("48500.00")
    actual = _tariff(basic="demand", basic_prices=prices)
    assert _lines(make_bill(actual, date(2024, 1, 1), _energy(), Decimal("512.5")))[1:] == [
        ("basic", "512.5", "20500.00")
    ]


def test_a_charge_that_cannot_be_told_leaves_no_total() -> None:
    for given, what in (
        ({"basic": "capacity", "capacity": 100.0}, "the price"),
        (
            {"basic": "capacity", "basic_prices": (Price("capacity", 25.0, FOREVER),)},
            "the capacity or demand",
        ),
        (
            {"basic": "demand", "contract_demand": 5.0, "basic_prices": (Price("demand", 25.0, FOREVER),)},
            "the capacity or demand",
        ),
    ):
        bill = make_bill(_tariff(**given), date(2024, 1, 1), _energy())
        assert bill.total is None
        assert [f.says() for f in bill.findings] == [
            f"T: {what} for 2024-01 is missing: the bill has no total."
        ]


@pytest.mark.parametrize(
    ("active", "reactive", "why"),
    [
        (1000, None, "reactive energy is absent"), (0, 10, "there is no active energy"),
        (1000, 5000, "0.20 at the standard 0.9 is not in the table"),
    ],
)  # fmt: skip
def test_a_power_factor_that_cannot_be_told_leaves_no_total(
    active: int, reactive: int | None, why: str
) -> None:
    given = None if reactive is None else Fraction(reactive)
    bill = make_bill(_tariff(power_factor_standard="0.9"), date(2024, 1, 1), _energy(active), None, given)
    assert bill.total is None
    assert [f.says() for f in bill.findings] == [
        f"T, 2024-01: {why}: the bill has no adjustment and no total."
    ]


def test_funds_stay_outside_the_adjustment() -> None:
    what = _tariff(power_factor_standard="0.90", fund_prices=(Price("fund", 0.05, FOREVER),))
    bill = make_bill(what, date(2024, 1, 1), _energy(), None, Fraction(750))  # cos φ 0.80 → +5 %
    assert (bill.power_factor, bill.funds) == (Decimal("0.80"), Decimal("50.00"))
    assert _lines(bill)[-1] == ("power_factor", "5.00", "22.50")
    assert bill.total == Decimal("522.50")


def test_a_monthly_price_that_changes_inside_the_month_is_said() -> None:
    """10 CNY/kVA to 14 January, 12 from the 15th: the bill takes 10 × 100 and says so; February is plainly 12 × 100."""
    prices = (Price("basic", 10, FOREVER, date(2024, 1, 14)), Price("basic", 12, date(2024, 1, 15), date.max))
    what = _tariff(basic="capacity", capacity=100, basic_prices=prices)
    january, february = (make_bill(what, date(2024, month, 1), _energy()) for month in (1, 2))
    assert ("basic", "1000.00") in [(line.kind, str(line.money)) for line in january.lines]
    (found,) = january.findings
    assert found.code == "tariff.price-within-month"
    assert (found.values["day"], found.values["month"]) == (date(2024, 1, 15), "2024-01")
    assert "基本电费" in found.says("zh")
    assert ("basic", "1200.00") in [(line.kind, str(line.money)) for line in february.lines]
    assert february.findings == ()


def _billed(what: Tariff, grid: int = 900) -> Bench:
    reactive = Meter("Q", label("Q"), PointKind.REGISTER, "S", quantity="reactive_energy", unit="kvarh")
    return Bench(plant([main_meter("E0", tariff="T"), reactive], tariffs=(what,), grid=grid))


def _bills(bench: Bench, period: str) -> list[Bill]:
    plan: Plant = bench.plant
    return monthly_bills(bench.con, plan, "ledger", bench.points, parse_period(period, plan.zone))


def test_bills_from_the_ledger() -> None:
    what = _tariff(
        prices=(Price("flat", 0.5, FOREVER, date(2024, 1, 10)), Price("flat", 0.6, date(2024, 1, 11))),
        basic="demand", basic_prices=(Price("demand", 10.0, FOREVER),), power_factor_standard="0.90", reactive_meters=("Q",),
    )  # fmt: skip
    bench = _billed(what)
    bench.flat("E0", "2024-01", 25 * KWH)
    bench.con.execute("UPDATE ledger SET amount = 50000000 WHERE start = '2024-01-20 12:15'")
    bench.flat("Q", "2024-01", KWH)
    (bill,) = _bills(bench, "2024-01")
    assert _lines(bill) == [
        ("energy", "24000", "12000.00"), ("energy", "50425", "30255.00"),
        ("basic", "200", "2000.00"),  # 50 kWh in a quarter of an hour
        ("power_factor", "-0.75", "-331.91"),
    ]  # fmt: skip
    assert (bill.power_factor, bill.currency, bill.findings) == (Decimal("1.00"), "CNY", ())
    assert bill.total == Decimal("43923.09")


def test_a_month_with_gaps_and_a_coarse_grid() -> None:
    what = _tariff(basic="demand", basic_prices=(Price("demand", 10.0, FOREVER),))
    bench = _billed(what, grid=3600)
    bench.flat("E0", "2024-02-01..2024-02-15", 10 * KWH)
    first, second = _bills(bench, "2024-02..2024-03")
    assert [f.says() for f in first.findings] == [
        "T, 2024-02: meters and prices cover 51.72 % of the month; energy is billed for what is there.",
        "T: maximum demand is taken over 60 min, bills take it over 15 min: it may be too low.",
    ]
    assert first.total == Decimal("1900.00")
    assert second.total is None
    assert {f.code for f in second.findings} == {
        "tariff.basic-price-gap",
        "tariff.bill-incomplete",
        "tariff.demand-coarse",
    }


def test_energy_without_a_price_has_no_total() -> None:
    bench = _billed(_tariff(prices=(Price("flat", 0.5, date(2024, 1, 16)),)))
    bench.flat("E0", "2024-01", KWH)
    (bill,) = _bills(bench, "2024-01")
    assert _lines(bill) == [("energy", "1536", "768.00"), ("energy", "1440", None)]
    assert bill.total is None
    assert {f.code for f in bill.findings} == {"tariff.price-gap", "tariff.bill-incomplete"}


def test_a_reactive_meter_in_another_unit_or_without_data_is_absent() -> None:
    bench = _billed(_tariff(power_factor_standard="0.90", reactive_meters=("Q",)))
    bench.flat("E0", "2024-01", KWH)
    (bill,) = _bills(bench, "2024-01")
    assert [f.code for f in bill.findings] == ["tariff.power-factor-undefined"]
    wrong = _billed(_tariff(power_factor_standard="0.90", reactive_meters=("E0",)))
    wrong.flat("E0", "2024-01", KWH)
    assert [f.code for f in _bills(wrong, "2024-01")[0].findings] == ["tariff.power-factor-undefined"]


def test_prices_that_do_not_fit_give_an_empty_bill_with_the_reason() -> None:
    bench = _billed(_tariff(unit="CNY/t"))
    bench.cell("E0", datetime(2024, 1, 1, tzinfo=UTC), KWH)
    (bill,) = _bills(bench, "2024-01")
    assert (bill.total, bill.lines, bill.month) == (None, (), date(2024, 1, 1))
    assert [f.code for f in bill.findings] == ["tariff.unit"]


def test_bills_in_megawatt_hours_are_the_same_money() -> None:
    fund = (Price("fund", 50.0, FOREVER),)
    what = _tariff(
        prices=(Price("flat", 500.0, FOREVER),),
        unit="CNY/MWh",
        fund_prices=fund,
        power_factor_standard="0.90",
        reactive_meters=("Q",),
    )
    bench = _billed(what)
    bench.flat("E0", "2024-01", KWH)
    bench.flat("Q", "2024-01", KWH)
    (bill,) = _bills(bench, "2024-01")
    assert (bill.power_factor, bill.funds) == (Decimal("0.71"), Decimal("148.80"))
    assert bill.lines[0].price == Decimal("0.5")
    assert _lines(bill) == [("energy", "2976", "1488.00"), ("power_factor", "9.50", "127.22")]

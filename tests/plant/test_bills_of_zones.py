"""Bills of whole months in many time zones, against a walk through the quarter-hours in plain fractions.

Months with days of 23, 24½ and 25 hours, a clock that changes at midnight, an offset of three quarters of an hour; bands
with edges inside the hour, seasons, day types, exchanged days, a price that changes inside the month, funds, maximum demand and power
factor; the amounts are those of an interval meter and of a register behind a transformer.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import celadon

PLANT = """\
celadon: 1
enterprise: {{id: works}}
zone: {zone}
grid: 15min
sites: [{{id: works, region: CN-SD}}]
meters:
  - {{id: P, carrier: electricity, flow: purchased, kind: interval, stamp: end, interval: 15min, unit: kWh, tariff: T}}
  - {{id: R, carrier: electricity, flow: purchased, unit: kWh, digits: 6, decimals: 3, multiplier: 400/5, tariff: T}}
  - {{id: Q, quantity: reactive_energy, unit: kvarh, kind: interval, interval: 15min, stamp: end}}
tariffs:
  - id: T
    carrier: electricity
    unit: CNY/kWh
    periods:
      - {{period: sharp, hours: "18:00-20:00", months: "12-1, 7-8", days: workday}}
      - {{period: peak, hours: "10:00-12:00, 20:00-22:00", days: workday}}
      - {{period: peak, hours: "18:00-20:00", months: "2-6, 9-11", days: workday}}
      - {{period: flat, hours: "06:30-10:00, 12:00-18:00, 22:00-23:15", days: workday}}
      - {{period: valley, hours: "23:15-06:30", days: workday}}
      - {{period: flat, hours: "08:00-23:15", days: weekend}}
      - {{period: valley, hours: "23:15-08:00", days: weekend}}
      - {{period: valley, hours: "00:00-24:00", days: holiday}}
    prices:
      - {{period: sharp, price: 1.5, since: 2016-01-01}}
      - {{period: peak, price: 1.21, since: 2016-01-01, until: {month}-14}}
      - {{period: peak, price: 1.27, since: {month}-15}}
      - {{period: flat, price: 0.7123, since: 2016-01-01}}
      - {{period: valley, price: 0.3, since: 2016-01-01}}
    funds: [{{price: 0.027635, since: 2016-01-01}}]
    holidays: [{month}-03]
    workdays: [{worked}]
    day_types: {{{month}-09: workday, {month}-10: weekend}}
    basic: {{by: demand, contract: 10000 kW, prices: [{{price: 38, since: 2016-01-01}}]}}
    power_factor: {{standard: 0.90, reactive: [Q]}}
sources:
  - {{id: meters, role: readings, files: readings.csv, time: {{column: t}}, wide: {{P: P, Q: Q, R: R}}}}
"""
QUARTER = timedelta(minutes=15)
PRICES = {
    "sharp": ("1.5", "1.5"),
    "peak": ("1.21", "1.27"),
    "flat": ("0.7123", "0.7123"),
    "valley": ("0.3", "0.3"),
}


def cents(value: Fraction) -> Decimal:
    with localcontext() as context:
        context.prec = 40
        return (Decimal(value.numerator) / value.denominator).quantize(Decimal("0.01"), ROUND_HALF_UP)


def band(day: date, hour: float, worked: date) -> str:
    """The tariff period of a local day and hour, as a person reads the plant file."""
    types = {3: "holiday", 9: "workday", 10: "weekend", worked.day: "workday"}
    kind = types.get(day.day, "workday" if day.weekday() < 5 else "weekend")
    if kind == "holiday":
        return "valley"
    if kind == "weekend":
        return "flat" if 8 <= hour < 23.25 else "valley"
    if 18 <= hour < 20:
        return "sharp" if day.month in (12, 1, 7, 8) else "peak"
    if 10 <= hour < 12 or 20 <= hour < 22:
        return "peak"
    return "flat" if 6.5 <= hour < 23.25 else "valley"


@pytest.mark.parametrize(
    ("zone", "month", "hours"),
    [
        ("Europe/Berlin", "2016-03", 743),
        ("America/Chicago", "2024-11", 721),
        ("Australia/Lord_Howe", "2024-04", 720.5),
        ("America/Sao_Paulo", "2018-11", 719),
        ("Asia/Kathmandu", "2021-07", 744),
    ],
)
def test_a_months_bill_is_that_of_its_quarter_hours(
    zone: str, month: str, hours: float, tmp_path: Path
) -> None:
    clock, (year, number) = ZoneInfo(zone), map(int, month.split("-"))
    start = datetime(year, number, 1, tzinfo=clock).astimezone(UTC)
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=clock).astimezone(UTC)
    assert (end - start) / timedelta(hours=1) == hours
    days = [date(year, number, day) for day in range(11, 25)]
    worked = next(day for day in days if day.weekday() == 5)
    dice, register = random.Random(month + zone), 0
    rows = ["t,P,Q,R", f"{start:%Y-%m-%dT%H:%MZ},,,0"]
    used: Counter[tuple[str, str]] = Counter()
    maximum = active = reactive = Fraction(0)
    moment = start
    while moment < end:
        local = moment.astimezone(clock)
        amounts = [dice.randrange(limit) for limit in (2_600_000, 900_000, 20_000)]
        register, moment = register + amounts[2], moment + QUARTER
        rows.append(
            f"{moment:%Y-%m-%dT%H:%MZ},{amounts[0] / 1000},{amounts[1] / 1000},{register % 10**9 / 1000}"
        )
        energy = Fraction(amounts[0] + 80 * amounts[2], 1000)
        period = band(local.date(), local.hour + local.minute / 60, worked)
        used[period, PRICES[period][local.day >= 15]] += energy  # type: ignore[assignment]
        maximum, active = max(maximum, 4 * energy), active + energy
        reactive += Fraction(amounts[1], 1000)
    (tmp_path / "plant.yaml").write_text(
        PLANT.format(zone=zone, month=month, worked=worked), encoding="utf-8"
    )
    (tmp_path / "readings.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with celadon.open_plant(tmp_path) as plant:
        assert not [item for item in plant.load().findings if item.severity != "notice"]
        [bill] = plant.bill(month).bills
    lines = {
        (line.period, str(line.price)): (Fraction(line.quantity or 0), line.money)
        for line in bill.lines
        if line.kind == "energy"
    }
    assert lines == {key: (amount, cents(amount * Fraction(key[1]))) for key, amount in used.items()}
    excess = maximum - Fraction("10500")
    money = [line for _, line in lines.values()] + [Decimal("380000.00")]
    money += [cents(excess * 76)] if excess > 0 else []
    with localcontext() as context:
        context.prec = 40
        ep, eq = (Decimal(one.numerator) / one.denominator for one in (active, reactive))
        factor = (ep / (ep * ep + eq * eq).sqrt()).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert bill.power_factor == factor
    assert bill.adjustment is not None
    funds = cents(active * Fraction("0.027635"))
    assert bill.funds == funds
    subtotal = sum(Fraction(one or 0) for one in money)
    adjusted = cents((subtotal - Fraction(funds)) * Fraction(bill.adjustment.percent) / 100)
    assert bill.total == Decimal(subtotal.numerator) / subtotal.denominator + adjusted

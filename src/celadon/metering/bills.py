"""The monthly electricity bill: energy by period, basic charge, power-factor adjustment, government funds.

total = energy + basic + (energy + basic − funds) × adjustment, with the adjustment of the 1983 table (cos φ of the
month from active and reactive energy, two decimals, half up). Listed prices already hold the funds. Each line is
rounded to 0.01 (half up), as bills print it. A line that cannot be computed is null, and so is the total.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.model import Flow, Meter, Plant, Price, Tariff
from celadon.core.periods import Grain, Period
from celadon.core.text import Text
from celadon.core.units import parse_unit
from celadon.metering.amounts import Calendars, load_rows, local_day
from celadon.metering.points import TICKS, ledger_unit
from celadon.metering.tariffs import TARIFF_UNIT, money_of, prices_on, span_rows, write_cells
from celadon.metering.tree import place

CHARGE_UNPRICED = FindingKind(
    "tariff.basic-price-gap",
    Severity.ERROR,
    Text(en="No price for a charge", zh="缺少基本电费单价或容量"),
    Text(
        en="{tariff}: {what} for {month} is missing: the bill has no total.",
        zh="{tariff}：{month} 缺少{what}，无法得出总额。",
    ),
    Text(
        en="Declare it under basic: (prices with dates, capacity or contract).",
        zh="请在 basic: 中声明（带日期的单价、容量或合同需量）。",
    ),
)
POWER_FACTOR_UNDEFINED = FindingKind(
    "tariff.power-factor-undefined",
    Severity.ERROR,
    Text(en="The power factor cannot be told", zh="无法确定功率因数"),
    Text(
        en="{tariff}, {month}: {why}: the bill has no adjustment and no total.",
        zh="{tariff} {month}：{why}，无法计算力调电费与总额。",
    ),
    Text(
        en="Load the readings of the reactive meters, or check active and reactive energy.",
        zh="请补充无功表读数，或核对有功、无功电量。",
    ),
)
DEMAND_COARSE = FindingKind(
    "tariff.demand-coarse",
    Severity.NOTICE,
    Text(en="Maximum demand from coarse intervals", zh="最大需量间隔偏粗"),
    Text(
        en="{tariff}: maximum demand is taken over {grid} min, bills take it over 15 min: it may be too low.",
        zh="{tariff}：最大需量按 {grid} 分钟计算，而账单按 15 分钟，可能偏低。",
    ),
    Text(en="Set `grid: 15min` in the plant file.", zh="请在工厂文件中设置 grid: 15min。"),
)
BILL_INCOMPLETE = FindingKind(
    "tariff.bill-incomplete",
    Severity.WARNING,
    Text(en="The bill's month is not complete", zh="账单月份数据不完整"),
    Text(
        en="{tariff}, {month}: meters and prices cover {percent} % of the month; energy is "
        "billed for what is there.",
        zh="{tariff} {month}：表计与电价仅覆盖当月 {percent} %；仅对已有电量计费。",
    ),
    Text(en="Load the missing readings, or complete the tariff.", zh="请补充缺失读数，或完善电价。"),
)

PRICE_WITHIN_MONTH = FindingKind(
    "tariff.price-within-month",
    Severity.WARNING,
    Text(en="A monthly price changes inside the month", zh="月度价格在月内变动"),
    Text(
        en="{tariff}: {what} changes on {day}; the bill of {month} takes what held on its first day.",
        zh="{tariff}：{what}于 {day} 变动；{month} 账单按当月首日的价格计算。",
    ),
    Text(
        en="Let the price change on the first of a month, or correct the bill by hand.",
        zh="请使价格自月初变动，或人工更正账单。",
    ),
)

_CENT = Decimal("0.01")
_KVARH = parse_unit("kvarh")


@dataclass(frozen=True, slots=True)
class PowerFactorRow:
    """One row of the 1983 adjustment table: percent of the bill at a power factor, with where it comes from."""

    percent: Decimal
    source: str
    clause: str
    confidence: str
    note: str


@dataclass(frozen=True, slots=True)
class EnergyUse:
    """Energy of one period at one price: amount in the bill's unit (kWh), price in money per that unit."""

    period: str
    amount: Fraction
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line: `kind` energy, basic, excess or power_factor; money is null where it cannot be told."""

    kind: str
    period: str
    quantity: Decimal | None
    unit: str
    price: Decimal | None
    money: Decimal | None


@dataclass(frozen=True, slots=True)
class Bill:
    """The bill of one tariff and month; `funds` are held in the energy lines, not added to them."""

    tariff: str
    month: date
    currency: str
    lines: tuple[BillLine, ...]
    funds: Decimal
    power_factor: Decimal | None
    adjustment: PowerFactorRow | None
    total: Decimal | None
    findings: tuple[Finding, ...] = ()


@lru_cache(maxsize=1)
def power_factor_table() -> Mapping[tuple[str, Decimal], PowerFactorRow]:
    """(standard, power factor) → adjustment, as published; read once."""
    text = (files("celadon.metering") / "tables" / "tariff_power_factor.csv").read_text(encoding="utf-8-sig")
    table = {}
    for row in csv.DictReader(text.splitlines()):
        values = (row["source"], row["clause"], row["confidence"], row["note"])
        table[row["pf_standard"], Decimal(row["pf_actual"])] = PowerFactorRow(
            Decimal(row["adjustment_pct"]), *values
        )
    return table


def power_factor(active: Fraction, reactive: Fraction) -> Decimal | None:
    """EP / √(EP² + EQ²), rounded half up to two decimals; None without active energy."""
    if active <= 0:
        return None
    with localcontext() as context:
        context.prec = 40
        ep, eq = _decimal(active), _decimal(reactive)
        return (ep / (ep * ep + eq * eq).sqrt()).quantize(_CENT, ROUND_HALF_UP)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _cents(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)


def make_bill(
    tariff: Tariff,
    month: date,
    energy: Sequence[EnergyUse],
    maximum_demand: Decimal | None = None,
    reactive: Fraction | None = None,
    currency: str = "CNY",
    unit: str = "kWh",
    fund_factor: Fraction = Fraction(1),
) -> Bill:
    """The bill from a month's amounts: energy by period, maximum demand in kW, reactive energy in kvarh (both ways).

    `energy` is in `unit`, which its prices are per; `fund_factor` brings the tariff's own prices to it.
    """
    findings: list[Finding] = []
    lines = [_energy_line(use, unit) for use in energy]
    lines += _basic_lines(tariff, month, maximum_demand, findings)
    for prices, what in (
        (tariff.basic_prices, Text("the basic charge", "基本电费")),
        (tariff.fund_prices, Text("a fund", "基金")),
    ):
        if day := _changes_inside(prices, month):
            where = Place(subject=f"tariff:{tariff.id}", period=f"{month:%Y-%m}")
            said = f"{month:%Y-%m}"
            findings.append(PRICE_WITHIN_MONTH.at(where, tariff=tariff.id, what=what, day=day, month=said))
    active = sum((use.amount for use in energy), Fraction(0))
    fund = sum((Decimal(str(price.price)) for price in _holding(tariff.fund_prices, month)), Decimal(0))
    funds = _cents(_decimal(active * fund_factor) * fund)
    sums = [line.money for line in lines]
    subtotal = None if None in sums else sum((money for money in sums if money is not None), Decimal(0))
    factor, row = None, None
    if tariff.power_factor_standard is not None:
        factor, row = _adjustment(tariff, month, active, reactive, findings)
        money = None if row is None or subtotal is None else _cents((subtotal - funds) * row.percent / 100)
        lines.append(BillLine("power_factor", "", row.percent if row else None, "%", None, money))
        subtotal = None if money is None or subtotal is None else subtotal + money
    return Bill(tariff.id, month, currency, tuple(lines), funds, factor, row, subtotal, tuple(findings))


def _changes_inside(prices: Sequence[Price], month: date) -> date | None:
    """The first day after the first of the month from which another price holds, or none does any longer."""
    first = month.replace(day=1)
    until = (price.until for price in prices if price.until is not None and price.until < date.max)
    ends = [day + timedelta(days=1) for day in until]
    days = [day for day in (*(price.since for price in prices), *ends) if day > first]
    return min((day for day in days if (day.year, day.month) == (month.year, month.month)), default=None)


def _energy_line(use: EnergyUse, unit: str) -> BillLine:
    amount = _decimal(use.amount)
    money = None if use.price is None else _cents(amount * use.price)
    return BillLine("energy", use.period, amount, unit, use.price, money)


def _holding(prices: Sequence[Price], day: date) -> list[Price]:
    return [
        price
        for name in dict.fromkeys(price.period for price in prices)
        for price in prices_on(prices, name, day)
    ]


def _basic_lines(
    tariff: Tariff, month: date, demand: Decimal | None, findings: list[Finding]
) -> list[BillLine]:
    """Capacity × price; or agreed demand × price with the excess at a multiple; or actual demand × price."""
    if tariff.basic is None:
        return []
    by_capacity = tariff.basic == "capacity"
    unit = "kVA" if by_capacity else "kW"
    declared = tariff.capacity if by_capacity else tariff.contract_demand
    quantity = Decimal(str(declared)) if declared is not None else None if by_capacity else demand
    prices = _holding(tariff.basic_prices, month)
    price = Decimal(str(prices[0].price)) if len(prices) == 1 else None
    what = Text("the price", "单价") if price is None else Text("the capacity or demand", "容量或需量")
    if price is None or quantity is None or (not by_capacity and demand is None):
        values = {"tariff": tariff.id, "month": f"{month:%Y-%m}"}
        findings.append(CHARGE_UNPRICED.at(Place(subject=f"tariff:{tariff.id}"), **values, what=what))
        return [BillLine("basic", tariff.basic, quantity, unit, price, None)]
    lines = [BillLine("basic", tariff.basic, quantity, unit, price, _cents(quantity * price))]
    if not by_capacity and declared is not None and demand is not None:
        excess = demand - quantity * Decimal(str(tariff.demand_excess_over))
        if excess > 0:
            dear = price * Decimal(str(tariff.demand_excess_factor))
            lines.append(BillLine("excess", "demand", excess, unit, dear, _cents(excess * dear)))
    return lines


def _adjustment(
    tariff: Tariff, month: date, active: Fraction, reactive: Fraction | None, findings: list[Finding]
) -> tuple[Decimal | None, PowerFactorRow | None]:
    where = Place(subject=f"tariff:{tariff.id}", period=f"{month:%Y-%m}")
    why = Text("reactive energy is absent", "无功电量缺失")
    factor = row = None
    if reactive is not None:
        factor = power_factor(active, reactive)
        why = Text("there is no active energy", "没有有功电量")
    if factor is not None:
        row = power_factor_table().get((_standard(tariff), factor))
        standard = tariff.power_factor_standard
        why = Text(
            f"{factor} at the standard {standard} is not in the table",
            f"标准 {standard} 下 {factor} 不在表内",
        )
    if row is None:
        values = {"tariff": tariff.id, "month": f"{month:%Y-%m}"}
        findings.append(POWER_FACTOR_UNDEFINED.at(where, **values, why=why))
    return factor, row


def _standard(tariff: Tariff) -> str:
    return str(Decimal(tariff.power_factor_standard or "0").quantize(_CENT))


def billed_meters(plant: Plant) -> set[str]:
    """The meters whose ledger `monthly_bills` reads."""
    reactive = {meter for tariff in plant.tariffs for meter in tariff.reactive_meters}
    return reactive | {meter.id for meter in plant.meters if meter.tariff}


def monthly_bills(
    con: duckdb.DuckDBPyConnection, plant: Plant, ledger: str, point_ids: Mapping[str, int], period: Period
) -> list[Bill]:
    """The bills of every tariff, site and local month of the period, from the ledger of its purchase meters."""
    bills = []
    for site in plant.sites:
        for tariff in plant.tariffs:
            meters = [
                meter for meter in plant.meters
                if meter.tariff == tariff.id and meter.site == site.id and meter.flow is Flow.PURCHASED and meter.id in point_ids
            ]  # fmt: skip
            if meters:
                alone = replace(plant, sites=(site,))
                bills += _site_bills(con, alone, tariff, meters, ledger, point_ids, period)
    return bills


def _site_bills(
    con: duckdb.DuckDBPyConnection,
    plant: Plant,
    tariff: Tariff,
    meters: Sequence[Meter],
    ledger: str,
    point_ids: Mapping[str, int],
    period: Period,
) -> list[Bill]:
    calendars = Calendars(plant, period, Grain.MONTH, {})
    calendars.write(con)
    counted = ledger_unit(meters[0])
    money = money_of(tariff, counted)
    if money is None:
        values = {"tariff": tariff.id, "unit": tariff.unit, "meter": meters[0].id, "counted": counted.text}
        finding = TARIFF_UNIT.at(place(meters[0]), **values)
        months = [local_day(segment.start, plant.sites[0].zone) for segment in calendars.segments]
        return [Bill(tariff.id, month, "", (), Decimal(0), None, None, None, (finding,)) for month in months]
    findings: list[Finding] = []
    write_cells(con, span_rows(0, tariff, plant.sites[0].zone, calendars, money[1], findings), calendars.grid)
    load_rows(con, "m_billed", {"point": "INTEGER"}, [(point_ids[meter.id],) for meter in meters])
    reactive = _reactive(con, plant, tariff, ledger, point_ids)
    energy, demand = _energy(con, ledger), _demand(con, ledger, calendars.grid)
    covered = _covered(con, ledger, len(meters), calendars.grid)
    bills = []
    for segment in calendars.segments:
        seg = segment.index
        local = local_day(segment.start, plant.sites[0].zone)
        bill = make_bill(
            tariff, local, energy.get(seg, []), demand.get(seg), reactive.get(seg), money[0], counted.text, money[1]
        )  # fmt: skip
        more = [*findings, *_completeness(tariff, covered.get(seg, 0.0), local)]
        if tariff.basic == "demand" and calendars.grid > 900:
            where = Place(subject=f"tariff:{tariff.id}")
            more.append(DEMAND_COARSE.at(where, tariff=tariff.id, grid=calendars.grid // 60))
        bills.append(replace(bill, findings=(*bill.findings, *more)))
        findings = []
    return bills


_CELLS = "{ledger} l JOIN m_billed b ON b.point = l.point JOIN m_cell c ON c.start = l.start"


def _energy(con: duckdb.DuckDBPyConnection, ledger: str) -> dict[int, list[EnergyUse]]:
    """Segment → what was bought in each period of the tariff."""
    rows = con.execute(
        f"""SELECT c.seg, p.period, p.price, sum(l.amount) FROM {_CELLS.format(ledger=ledger)}
        LEFT JOIN m_price p ON p.start = l.start GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    found: dict[int, list[EnergyUse]] = {}
    for seg, period, price, amount in rows:
        whole = None if price is None else Decimal(int(price)) / Decimal(10**9)
        found.setdefault(seg, []).append(EnergyUse(period or "", Fraction(int(amount), TICKS), whole))
    return found


def _demand(con: duckdb.DuckDBPyConnection, ledger: str, grid: int) -> dict[int, Decimal]:
    """Segment → the largest mean power (kW) of one cell, all meters together."""
    rows = con.execute(
        f"""SELECT seg, max(amount) FROM (SELECT c.seg, sum(l.amount) AS amount
        FROM {_CELLS.format(ledger=ledger)} GROUP BY c.seg, l.start) GROUP BY seg HAVING max(amount) IS NOT NULL"""
    ).fetchall()
    return {seg: _decimal(Fraction(int(peak) * 3600, grid * TICKS)) for seg, peak in rows}


def _reactive(
    con: duckdb.DuckDBPyConnection, plant: Plant, tariff: Tariff, ledger: str, point_ids: Mapping[str, int]
) -> dict[int, Fraction]:
    """Reactive energy (kvarh, forward and reverse) per segment where every reactive meter has data."""
    meters = [meter for meter in plant.meters if meter.id in tariff.reactive_meters and meter.id in point_ids]
    sums: dict[int, list[Fraction]] = {}
    for meter in meters:
        unit = ledger_unit(meter)
        if not unit.same_kind(_KVARH):
            continue  # its absence is found where the power factor is told
        factor = unit.factor_to(_KVARH) / TICKS
        rows = con.execute(
            f"""SELECT c.seg, sum(abs(l.amount)) FROM {ledger} l JOIN m_cell c ON c.start = l.start WHERE l.point = ?
            GROUP BY c.seg""",
            [point_ids[meter.id]],
        ).fetchall()
        for seg, amount in rows:
            sums.setdefault(seg, []).append(Fraction(int(amount)) * factor)
    wanted = len(tariff.reactive_meters)
    return {seg: sum(parts, Fraction(0)) for seg, parts in sums.items() if wanted and len(parts) == wanted}


def _covered(con: duckdb.DuckDBPyConnection, ledger: str, meters: int, grid: int) -> dict[int, float]:
    """Segment → the share of its time for which all meters have data and the tariff a price."""
    rows = con.execute(
        f"""SELECT seg, coalesce(covered, 0) / (cells * ? * ?) FROM (SELECT seg, count(*) AS cells FROM m_cell GROUP BY seg)
        LEFT JOIN (SELECT c.seg, sum(l.covered) AS covered FROM {_CELLS.format(ledger=ledger)}
            JOIN m_price p ON p.start = l.start AND p.price IS NOT NULL GROUP BY c.seg) USING (seg)""",
        [meters, grid],
    ).fetchall()
    return dict(rows)


def _completeness(tariff: Tariff, share: float, month: date) -> list[Finding]:
    if share >= 1:
        return []
    where = Place(subject=f"tariff:{tariff.id}", period=f"{month:%Y-%m}")
    percent = f"{min(share * 100, 99.99):.2f}"
    return [BILL_INCOMPLETE.at(where, tariff=tariff.id, month=f"{month:%Y-%m}", percent=percent)]

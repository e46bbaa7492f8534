"""Time-of-use tariffs: which period and price holds in each ledger cell, by the clock and calendar of the site.

A clock hour without a band, a band without a price, or two at once leave the cell without a price and are found;
no cell is ever given a price of zero because nothing was declared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import gcd

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.model import Flow, Meter, Plant, Price, Tariff
from celadon.core.periods import Validity, zone
from celadon.core.text import Text
from celadon.core.units import Unit, UnitError, did_you_mean, parse_unit
from celadon.metering.amounts import Calendars, day_edges, local_day, rows_sql
from celadon.metering.boundary import Boundary
from celadon.metering.tree import Tree, place

TARIFF_UNKNOWN = FindingKind(
    "tariff.unknown",
    Severity.ERROR,
    Text(en="Unknown tariff", zh="电价未定义"),
    Text(
        en="{meter} names the tariff “{tariff}”, which is not declared{hint}: its cost stays absent.",
        zh="{meter} 引用的电价“{tariff}”未定义{hint}：费用按缺失处理。",
    ),
    Text(en="Correct `tariff`, or declare it under tariffs:.", zh="请更正 tariff，或在 tariffs: 中定义。"),
)
BAND_GAP = FindingKind(
    "tariff.band-gap",
    Severity.ERROR,
    Text(en="Hours without a tariff period", zh="有时段未划分"),
    Text(
        en="{tariff}: {hours} on {day} ({day_type}) is in no period ({days} such days): its cost "
        "stays absent.",
        zh="{tariff}：{day}（{day_type}）{hours} 未划入任何时段（共 {days} 天）：费用按缺失处理。",
    ),
    Text(en="Add a band for these hours, months and day types.", zh="请补充该时间、月份和日类型的时段。"),
)
BAND_OVERLAP = FindingKind(
    "tariff.band-overlap",
    Severity.ERROR,
    Text(en="Hours in two tariff periods", zh="时段重叠"),
    Text(
        en="{tariff}: {hours} on {day} ({day_type}) is in {periods} at once ({days} such days): "
        "its cost stays absent.",
        zh="{tariff}：{day}（{day_type}）{hours} 同时属于 {periods}（共 {days} 天）：费用按缺失处理。",
    ),
    Text(en="Let each hour be in one period.", zh="请使每个时间只属于一个时段。"),
)
PRICE_GAP = FindingKind(
    "tariff.price-gap",
    Severity.ERROR,
    Text(en="A tariff period without a price", zh="时段缺少电价"),
    Text(
        en="{tariff}: no price of “{period}” on {day} ({days} such days): its cost stays absent, not zero.",
        zh="{tariff}：{day} 没有“{period}”电价（共 {days} 天）：费用按缺失处理，不作零。",
    ),
    Text(en="Add the price with its dates.", zh="请补充电价及其起止日期。"),
)
PRICE_OVERLAP = FindingKind(
    "tariff.price-overlap",
    Severity.ERROR,
    Text(en="Two prices at once", zh="电价日期重叠"),
    Text(
        en="{tariff}: two prices of “{period}” hold on {day} ({days} such days): its cost stays absent.",
        zh="{tariff}：{day} 有两个“{period}”电价（共 {days} 天）：费用按缺失处理。",
    ),
    Text(
        en="End the earlier price (until) before the later one begins.",
        zh="请为较早电价设置截止日期（until）。",
    ),
)
EDGE_OFF_GRID = FindingKind(
    "tariff.edge-off-grid",
    Severity.ERROR,
    Text(en="A tariff edge inside a ledger cell", zh="时段边界不在台账网格上"),
    Text(
        en="{tariff}: the edge at {edge} falls inside a ledger cell of {grid} min; the cost of "
        "such cells stays absent.",
        zh="{tariff}：边界 {edge} 落在 {grid} 分钟台账单元之内；该单元费用按缺失处理。",
    ),
    Text(
        en="Set a finer `grid` in the plant file (30min, 15min).",
        zh="请在工厂文件中设置更细的 grid（30min、15min）。",
    ),
)
TARIFF_UNIT = FindingKind(
    "tariff.unit",
    Severity.ERROR,
    Text(en="Prices per another kind of unit", zh="电价单位不符"),
    Text(
        en="{tariff} is in {unit}; {meter} counts {counted}: its cost stays absent.",
        zh="{tariff} 的单位为 {unit}，而 {meter} 以 {counted} 计量：费用按缺失处理。",
    ),
    Text(
        en="Write prices per unit of the carrier, for example CNY/kWh.",
        zh="请按能源单位书写价格，例如 CNY/kWh。",
    ),
)

CURRENCIES = ("CNY", "USD", "EUR", "GBP", "KRW")
PRICE_SCALE = 10**9
"""Prices are whole numbers of 10^-9 money per ledger unit."""


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end) UTC of one tariff period at one price; either is None where the tariff has a gap or an overlap."""

    start: datetime
    end: datetime
    period: str | None
    price: float | None


PriceSpan = tuple[int, datetime, datetime, str | None, int | None]
"""Tariff, start and end (naive UTC), its period, its whole price."""


@dataclass(slots=True)
class Prices:
    """Which tariff, by number, holds for each node, its money, its prices, and what was found."""

    of_node: dict[str, int] = field(default_factory=dict)
    money: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    spans: list[PriceSpan] = field(default_factory=list)

    def write(self, con: duckdb.DuckDBPyConnection, grid: int) -> None:
        """Table `m_price`, where there are any."""
        if self.of_node:
            write_cells(con, self.spans, grid)


def day_type(tariff: Tariff, day: date) -> str:
    """`workday`, `weekend`, `holiday`, or what the tariff's own day list says."""
    listed = dict(tariff.day_list).get(day)
    if listed is not None:
        return listed
    if day in tariff.holidays:
        return "holiday"
    return "weekend" if day.weekday() >= 5 and day not in tariff.workdays else "workday"


@lru_cache(maxsize=1024)
def clock(tariff: Tariff, month: int, kind: str) -> tuple[tuple[int, int, tuple[str, ...]], ...]:
    """The day's minutes as (from, to, periods), covering 0 to 1440; no period is a gap, two an overlap.

    Without bands the whole day is in the only period that has prices.
    """
    if not tariff.bands:
        only = tuple(dict.fromkeys(price.period for price in tariff.prices))
        return ((0, 1440, only),)
    pieces: list[tuple[int, int, str]] = []
    for band in tariff.bands:
        if month in band.months and kind in band.day_types:
            start, end = _minutes(band.start), _minutes(band.end) or 1440
            around = [(start, end)] if start < end else [(start, 1440), (0, end)]
            pieces += [(a, b, band.period) for a, b in around if a < b]
    edges = sorted({0, 1440, *(edge for a, b, _ in pieces for edge in (a, b))})
    found: list[tuple[int, int, tuple[str, ...]]] = []
    for start, end in pairwise(edges):
        here = tuple(dict.fromkeys(period for a, b, period in pieces if a <= start and end <= b))
        if found and found[-1][2] == here:
            found[-1] = (found[-1][0], end, here)
        else:
            found.append((start, end, here))
    return tuple(found)


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def prices_on(prices: Sequence[Price], period: str, day: date) -> list[Price]:
    """The prices of the period that hold on the day: one, or the tariff is wrong there."""
    return [
        price for price in prices if price.period == period and Validity(price.since, price.until).covers(day)
    ]


@lru_cache(maxsize=16)
def spans(
    tariff: Tariff, zone_name: str, start: datetime, end: datetime
) -> tuple[tuple[Span, ...], tuple[Finding, ...]]:
    """The tariff's periods and prices from `start` to `end` (UTC), neighbours alike merged; findings once per cause."""
    faults: dict[tuple[FindingKind, object], dict[str, object]] = {}
    merged: list[Span] = []
    day = local_day(start, zone_name)
    while day_edges(day, zone_name)[0] < end:
        for span in _day_spans(tariff, zone_name, day, faults):
            clipped = Span(max(span.start, start), min(span.end, end), span.period, span.price)
            if clipped.start >= clipped.end:
                continue
            last = merged[-1] if merged else None
            if last and last.end == clipped.start and (last.period, last.price) == (span.period, span.price):
                merged[-1] = Span(last.start, clipped.end, span.period, span.price)
            else:
                merged.append(clipped)
        day += timedelta(days=1)
    where = Place(subject=f"tariff:{tariff.id}")
    findings = (Finding(kind, where, {"tariff": tariff.id, **values}) for (kind, _), values in faults.items())
    return tuple(merged), tuple(findings)


def _day_spans(
    tariff: Tariff, zone_name: str, day: date, faults: dict[tuple[FindingKind, object], dict[str, object]]
) -> Iterator[Span]:
    kind = day_type(tariff, day)
    pattern = clock(tariff, day.month, kind)
    told: set[object] = set()
    chosen: list[tuple[int, int, str | None, float | None]] = []
    for start, end, periods in pattern:
        period = periods[0] if len(periods) == 1 else None
        price: float | None = None
        if period is None:
            fault = BAND_OVERLAP if periods else BAND_GAP
            values: dict[str, object] = {
                "hours": f"{_hhmm(start)}-{_hhmm(end)}",
                "day_type": kind,
                "periods": ", ".join(periods),
            }
            _count(faults, told, (fault, (start, end, kind, periods)), day, values)
        else:
            found = prices_on(tariff.prices, period, day)
            if len(found) == 1:
                price = found[0].price
            else:
                _count(faults, told, (PRICE_OVERLAP if found else PRICE_GAP, period), day, {"period": period})
        chosen.append((start, end, period, price))
    yield from _at_instants(chosen, zone_name, day)


def _count(
    faults: dict[tuple[FindingKind, object], dict[str, object]],
    told: set[object],
    key: tuple[FindingKind, object],
    day: date,
    values: dict[str, object],
) -> None:
    """One finding per cause, with the first day and the number of days."""
    if key in told:
        return
    told.add(key)
    entry = faults.setdefault(key, {**values, "day": day, "days": 0})
    entry["days"] = int(str(entry["days"])) + 1


def _hhmm(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _at_instants(
    chosen: list[tuple[int, int, str | None, float | None]], zone_name: str, day: date
) -> Iterator[Span]:
    """Clock minutes to instants. On a day of 23 or 25 hours each step is labelled by what the clock shows in it."""
    first, last = day_edges(day, zone_name)
    if last - first == timedelta(days=1):
        for start, end, period, price in chosen:
            yield Span(first + timedelta(minutes=start), first + timedelta(minutes=end), period, price)
        return
    step = timedelta(minutes=gcd(15, *(edge for start, end, _, _ in chosen for edge in (start, end))))
    tz, cursor = zone(zone_name), first
    while cursor < last:
        minute = _minutes(cursor.astimezone(tz).time())
        period, price = next((period, price) for start, end, period, price in chosen if start <= minute < end)
        yield Span(cursor, cursor + step, period, price)
        cursor += step


def money_of(tariff: Tariff, counted: Unit) -> tuple[str, Fraction] | None:
    """The tariff's currency and the factor from its prices to money per `counted`; None when they do not fit."""
    try:
        unit = parse_unit(tariff.unit)
    except UnitError:
        return None
    for currency in CURRENCIES:
        wanted = parse_unit(currency) / counted
        if unit.same_kind(wanted):
            return currency, unit.factor_to(wanted)
    return None


def price_nodes(plant: Plant, tree: Tree, boundary: Boundary, calendars: Calendars) -> Prices:
    """The prices of the purchase meters that name a tariff.

    What hangs below a purchase meter is priced as that meter is, so that costs split as amounts do.
    """
    result = Prices()
    numbers: dict[tuple[str, str, str], int] = {}
    declared = {tariff.id: tariff for tariff in plant.tariffs}
    zones = {site.id: site.zone for site in plant.sites}
    members = boundary.members(tree)
    for node_id in boundary.sources:
        node = tree.nodes[node_id]
        if node.flow is not Flow.PURCHASED or not isinstance(node.meter, Meter) or node.meter.tariff is None:
            continue
        tariff = declared.get(node.meter.tariff)
        if tariff is None:
            hint = did_you_mean(node.meter.tariff, list(declared))
            result.findings.append(
                TARIFF_UNKNOWN.at(place(node.meter), meter=node_id, tariff=node.meter.tariff, hint=hint)
            )
            continue
        money = money_of(tariff, node.unit)
        if money is None:
            values = {"tariff": tariff.id, "unit": tariff.unit, "meter": node_id, "counted": node.unit.text}
            result.findings.append(TARIFF_UNIT.at(place(node.meter), **values))
            continue
        key = (tariff.id, zones[node.site], node.unit.text)
        if key not in numbers:
            numbers[key] = len(numbers)
            result.spans += span_rows(numbers[key], tariff, key[1], calendars, money[1], result.findings)
        for member in (item for item, top in members.items() if top == node_id):
            result.of_node[member], result.money[member] = numbers[key], money[0]
        result.of_node[node_id], result.money[node_id] = numbers[key], money[0]
    return result


def span_rows(
    number: int,
    tariff: Tariff,
    zone_name: str,
    calendars: Calendars,
    factor: Fraction,
    findings: list[Finding],
) -> list[PriceSpan]:
    """Rows for `write_cells`."""
    first, last = calendars.window
    start, end = first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)
    rows: list[PriceSpan] = []
    off_grid: datetime | None = None
    whole: dict[float | None, int | None] = {None: None}
    found, said = spans(tariff, zone_name, start, end)
    findings += said
    for span in found:
        if span.price not in whole:
            whole[span.price] = round(Fraction(str(span.price)) * factor * PRICE_SCALE)
        start_, end_ = (edge.astimezone(UTC).replace(tzinfo=None) for edge in (span.start, span.end))
        rows.append((number, start_, end_, span.period, whole[span.price]))
        if off_grid is None and span.start > start and span.start.timestamp() % calendars.grid:
            off_grid = span.start
    if off_grid is not None:
        edge = off_grid.astimezone(zone(zone_name)).strftime("%Y-%m-%d %H:%M")
        where = Place(subject=f"tariff:{tariff.id}")
        findings.append(EDGE_OFF_GRID.at(where, tariff=tariff.id, edge=edge, grid=calendars.grid // 60))
    return rows


def write_cells(con: duckdb.DuckDBPyConnection, rows: Sequence[Sequence[object]], grid: int) -> None:
    """Table `m_price`: the ledger cells that lie wholly inside one span of a tariff, with its period and price."""
    columns: Mapping[str, str] = {
        "tariff": "INTEGER", "span_start": "TIMESTAMP", "span_end": "TIMESTAMP", "period": "VARCHAR", "price": "HUGEINT",
    }  # fmt: skip
    spans, values = rows_sql(columns, rows)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE m_price AS
        SELECT tariff, period, price, unnest(generate_series(
            epoch_ms((epoch_ms(span_start) + {grid * 1000 - 1}) // {grid * 1000} * {grid * 1000}),
            span_end - INTERVAL {grid} SECOND, INTERVAL {grid} SECOND)) AS start
        FROM ({spans})""",
        values,
    )

"""Tariffs from the tables that were read: bands that cover the day once, dated prices, basic charge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, time

from celadon.adapters.plant_file.common import amount, mismatch, name_of, without_overlap
from celadon.adapters.plant_file.reading import Entry, Reading, near
from celadon.adapters.plant_file.values import DAY_TYPES
from celadon.core.carriers import Carrier
from celadon.core.findings import FindingKind, Severity
from celadon.core.model import Price, Tariff, TimeBand
from celadon.core.text import Text
from celadon.core.units import parse_unit

BANDS_OVERLAP = FindingKind(
    "plant.bands-overlap",
    Severity.ERROR,
    Text("Two tariff periods at one time", "时段重叠"),
    Text(
        "{time} on a {day} in month {month} is in {first} and in {second}.",
        "{month} 月 {day} 的 {time} 同时属于 {first} 和 {second}。",
    ),
    Text(
        "Let each hour of a day type and month belong to one period.",
        "请使每个月份、日类型的每个钟点只属于一个时段。",
    ),
)
BANDS_GAP = FindingKind(
    "plant.bands-gap",
    Severity.ERROR,
    Text("Hours without a tariff period", "有钟点未划入时段"),
    Text(
        "{time} on a {day} in month {month} belongs to no tariff period.",
        "{month} 月 {day} 的 {time} 不属于任何时段。",
    ),
    Text("Add the hours to a period under `periods`.", "请在 `periods` 下补充该钟点。"),
)
PRICE_MISSING = FindingKind(
    "plant.price-missing",
    Severity.ERROR,
    Text("Tariff period without a price", "时段没有价格"),
    Text("The period {period} has hours but no price.", "时段 {period} 有钟点而无价格。"),
    Text("Add a price for {period} under `prices`.", "请在 `prices` 下补充 {period} 的价格。"),
)
PRICE_UNUSED = FindingKind(
    "plant.price-unused",
    Severity.ERROR,
    Text("Price without hours", "价格没有对应时段"),
    Text(
        "No hours belong to the period {period}, which has a price{hint}.",
        "时段 {period} 有价格，但没有对应的钟点{hint}。",
    ),
    Text("Add its hours under `periods`, or correct the name.", "请在 `periods` 下补充其钟点，或更正名称。"),
)
DAY_TYPE_TWICE = FindingKind(
    "plant.day-type-twice",
    Severity.ERROR,
    Text("Day of two types", "日类型重复"),
    Text("{day} is given as {first} and as {second}.", "{day} 同时列为 {first} 和 {second}。"),
    Text("Keep one of the two.", "请保留其中一个。"),
)
BASIC_INCOMPLETE = FindingKind(
    "plant.basic-incomplete",
    Severity.ERROR,
    Text("Capacity charge without a capacity", "容量电费缺少容量"),
    Text("A basic charge by capacity needs the `capacity`.", "按容量计的基本电费需要 `capacity`。"),
    Text("Add `capacity:`, for example 5000 kVA.", "请补充 `capacity:`，例如 5000 kVA。"),
)

FUND = "fund"
_MONEY = {"cny", "usd", "eur", "gbp", "krw"}
_DAY_WORDS = {"holidays": "holiday", "workdays": "workday"}


def build_tariffs(reading: Reading, entries: list[Entry], carriers: Mapping[str, Carrier]) -> list[Tariff]:
    """The tariffs that name their carrier, unit and prices, in the order written."""
    sound = [entry for entry in entries if entry.complete and entry["carrier"] in carriers]
    return [_tariff(reading, entry, carriers[entry["carrier"]]) for entry in sound]


def _tariff(reading: Reading, entry: Entry, carrier: Carrier) -> Tariff:
    per = parse_unit(entry["unit"]) * carrier.unit
    if [power for name, power in per.dimension if name in _MONEY] != [1] or len(per.dimension) != 1:
        mismatch(reading, entry, "unit", parse_unit(entry["unit"]), f"CNY/{carrier.unit}")
    prices = _prices(reading, entry.entries("prices"))
    bands = _bands(entry, prices)
    _bands_cover(reading, entry, bands)
    _bands_priced(reading, entry, bands, prices)
    basic: Entry | None = entry["basic"]
    power_factor: Entry | None = entry["power_factor"]
    has_basic = basic is not None and basic.complete
    return Tariff(
        id=entry["id"],
        name=name_of(entry),
        carrier=carrier.id,
        unit=entry["unit"],
        bands=bands,
        prices=prices,
        holidays=tuple(sorted(set(entry.values("holidays")))),
        workdays=tuple(sorted(set(entry.values("workdays")))),
        day_list=_day_list(reading, entry),
        basic=basic["by"] if basic and has_basic else None,
        capacity=amount(reading, basic, "capacity", parse_unit("kVA")) if basic else None,
        contract_demand=amount(reading, basic, "contract", parse_unit("kW")) if basic else None,
        basic_prices=_basic_prices(reading, basic) if basic and has_basic else (),
        demand_excess_over=basic["excess_over"] if basic else 1.05,
        demand_excess_factor=basic["excess_factor"] if basic else 2.0,
        power_factor_standard=power_factor["standard"] if power_factor else None,
        reactive_meters=tuple(power_factor.values("reactive")) if power_factor else (),
        fund_prices=_plain_prices(reading, entry.entries("funds"), FUND),
        source=entry["source"] or "",
        clause=entry["clause"] or "",
        confidence=entry["confidence"],
    )


def _prices(reading: Reading, entries: list[Entry]) -> tuple[Price, ...]:
    named = [(entry["period"], entry) for entry in entries]
    rows = [(name, Text(f"price {name}", f"{name} 价格"), entry) for name, entry in named]
    return tuple(_price(entry, entry["period"]) for entry in without_overlap(reading, rows))


def _plain_prices(reading: Reading, entries: list[Entry], period: str) -> tuple[Price, ...]:
    """Prices without a tariff period; several funds may hold at the same time, two basic prices may not."""
    if period == FUND:
        rows = [(index, period, entry) for index, entry in enumerate(entries)]
        return tuple(_price(entry, period) for entry in without_overlap(reading, rows))
    same = [(period, period, entry) for entry in entries]
    return tuple(_price(entry, period) for entry in without_overlap(reading, same))


def _price(entry: Entry, period: str) -> Price:
    return Price(period, entry["price"], entry["since"], entry["until"])


def _basic_prices(reading: Reading, basic: Entry) -> tuple[Price, ...]:
    """Money per kW or kVA and month. Demand may be billed as measured; capacity has to be known."""
    if basic["by"] == "capacity" and not basic.given("capacity"):
        reading.add(BASIC_INCOMPLETE, basic.node, basic.subject)
    return _plain_prices(reading, basic.entries("prices"), basic["by"])


# -- bands ---------------------------------------------------------------------------------------------------


def _bands(entry: Entry, prices: Iterable[Price]) -> tuple[TimeBand, ...]:
    """The bands as written; where none are and there is one tariff period, it has all hours."""
    if not entry.given("periods"):
        periods = {price.period for price in prices}
        return tuple(
            TimeBand(period, time(0, 0), time(0, 0)) for period in sorted(periods) if len(periods) == 1
        )
    return tuple(
        TimeBand(band["period"], start, end, months=band["months"], day_types=band["days"])
        for band in entry.entries("periods")
        if band.complete
        for start, end in band["hours"]
    )


def _minutes(band: TimeBand) -> tuple[int, int]:
    end = band.end.hour * 60 + band.end.minute
    return band.start.hour * 60 + band.start.minute, end or 24 * 60


def _bands_cover(reading: Reading, entry: Entry, bands: tuple[TimeBand, ...]) -> None:
    """Every minute of every month and day type is in one band; the first fault of each sort is told."""
    if not bands:
        return
    gap = overlap = False
    node = entry.at("periods")
    for month in range(1, 13):
        for day in DAY_TYPES:
            here = [band for band in bands if month in band.months and day in band.day_types]
            reached, last = 0, ""
            for (start, end), period in sorted((_minutes(band), band.period) for band in here):
                values = {"month": month, "day": day}
                if start > reached and not gap:
                    gap = True
                    reading.add(BANDS_GAP, node, entry.subject, time=_clock(reached), **values)
                elif start < reached and period != last and not overlap:
                    overlap = True
                    both = {"first": last, "second": period}
                    reading.add(BANDS_OVERLAP, node, entry.subject, time=_clock(start), **values, **both)
                if end > reached:
                    reached, last = end, period
            if reached < 24 * 60 and not gap:
                gap = True
                reading.add(BANDS_GAP, node, entry.subject, time=_clock(reached), month=month, day=day)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _bands_priced(
    reading: Reading, entry: Entry, bands: tuple[TimeBand, ...], prices: tuple[Price, ...]
) -> None:
    hours, priced = {band.period for band in bands}, {price.period for price in prices}
    for period in sorted(hours - priced):
        reading.add(PRICE_MISSING, entry.at("prices"), entry.subject, period=period)
    for period in sorted(priced - hours):
        hint = near(period, hours)
        reading.add(PRICE_UNUSED, entry.at("prices"), entry.subject, period=period, hint=hint)


def _day_list(reading: Reading, entry: Entry) -> tuple[tuple[date, str], ...]:
    """The explicit day types; the same day under `holidays` and `workdays`, or of two types, is a finding."""
    listed = [(got.value, word, got.node) for key, word in _DAY_WORDS.items() for got in entry[key] or ()]
    seen: dict[date, str] = {}
    for day, word, node in listed:
        if seen.setdefault(day, word) != word:
            reading.add(DAY_TYPE_TWICE, node, entry.subject, day=day, first=seen[day], second=word)
    days: list[tuple[date, str]] = []
    for day_got, types in entry.pairs("day_types"):
        if len(types.value) != 1:
            first, second = types.value[:2]
            reading.add(
                DAY_TYPE_TWICE, types.node, entry.subject, day=day_got.value, first=first, second=second
            )
            continue
        days.append((day_got.value, types.value[0]))
    return tuple(sorted(days))

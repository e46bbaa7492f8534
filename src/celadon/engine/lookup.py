"""Factor rows for a request: which row of which table holds for each site, month and key.

The plant's own entries go before the table. A missing row is a gap (Finding), or the latest earlier row where the
rulebook's clause says so. The result is small: only keys that occur in the facts, and months only where rows differ.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta
from enum import IntEnum
from fractions import Fraction
from functools import cached_property

from celadon.core.carriers import CARRIERS, Carrier
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.model import FactorEntry, Plant, Site
from celadon.core.periods import Grain, Period, Validity, floor, next_edge, zone
from celadon.core.text import Text
from celadon.core.units import Unit, UnitError, parse_unit
from celadon.rules.factors import FactorRow
from celadon.rules.rulebook import PREFIX, SITE_TABLE, FactorSpec, Rulebook
from celadon.rules.titles import titled

FACTOR_GAP = FindingKind(
    "factor.gap",
    Severity.ERROR,
    Text(en="No factor", zh="缺少因子"),
    Text(
        en="{label} has no row for {key} in {span}: {rule} stays absent where it needs one.",
        zh="{label} 在 {span} 没有 {key} 的数值：{rule} 在需要该值处缺失。",
    ),
    Text(
        en="Give the plant's own value under factors: in the plant file, with its source; or use a rulebook edition that has the row.",
        zh="请在工厂文件 factors: 中给出本企业数值及来源，或使用含该行的规则册版本。",
    ),
)
FACTOR_UNPUBLISHED = FindingKind(
    "factor.unpublished",
    Severity.NOTICE,
    Text(en="Nothing is published for it", zh="没有发布值"),
    Text(
        en="{label}: the document has no value for {key}, at any time: {rule} is not formed there.",
        zh="{label}：文件未给出 {key} 的数值（任何时期），不形成 {rule}。",
    ),
    Text(
        en="Nothing; or give the plant's own value under factors:, with its source.",
        zh="无需处理；也可在 factors: 中给出本企业数值及来源。",
    ),
)
FACTOR_CARRIED = FindingKind(
    "factor.carried-forward",
    Severity.WARNING,
    Text(en="An earlier factor is used", zh="沿用较早的因子"),
    Text(
        en="{what}: nothing is published for {span}; the row of {since} ({source}) is carried forward.",
        zh="{what}：{span} 尚无发布值，沿用 {since} 的数值（{source}）。",
    ),
    Text(
        en="Account again when the year's value is published; `celadon compare` will show the change.",
        zh="当年数值发布后请重新核算；`celadon compare` 会显示变化。",
    ),
)
FACTOR_RECALLED = FindingKind(
    "factor.unchecked",
    Severity.WARNING,
    Text(en="An unchecked factor is used", zh="使用了未核实的因子"),
    Text(
        en="{what} = {value} is recalled, not checked against {source}.",
        zh="{what} = {value} 为回忆值，未与 {source} 核对。",
    ),
    Text(
        en="Check the value in the document and give it under factors:, or treat the result as unofficial.",
        zh="请对照原文核实并写入 factors:，否则结果不得作为正式数据。",
    ),
)
FACTOR_REPLACED = FindingKind(
    "factor.replaced",
    Severity.WARNING,
    Text(en="The next factor in order is used", zh="采用顺位在后的因子"),
    Text(
        en="{label} has no row for {key} in {span}: {rule} uses the next in the standard's order.",
        zh="{label} 在 {span} 没有 {key} 的数值：{rule} 采用标准规定的下一顺位因子。",
    ),
    Text(
        en="Say so in the report, or give the value under factors: in the plant file.",
        zh="请在报告中说明，或在工厂文件 factors: 中给出数值。",
    ),
)
FACTOR_UNIT = FindingKind(
    "factor.unit",
    Severity.ERROR,
    Text(en="Factor in another kind of unit", zh="因子单位量纲不符"),
    Text(
        en="{label} for {key} is in {unit}; it must convert to {expected}: the row is not used.",
        zh="{label}（{key}）单位为 {unit}，应可换算为 {expected}：该行未使用。",
    ),
    Text(en="Correct the unit of the row or entry.", zh="请更正该行或条目的单位。"),
)
FACTOR_UNUSED = FindingKind(
    "factor.entry-unknown",
    Severity.WARNING,
    Text(en="Own factor is not used", zh="自有因子未被使用"),
    Text(
        en="factors: names “{name}”, which {book} does not ask for.",
        zh="factors: 中的“{name}”不是 {book} 所需因子。",
    ),
    Text(
        en="Correct the name (`celadon rulebooks {book}` lists the factors) or name its rulebook:.",
        zh="请更正名称（`celadon rulebooks {book}` 可列出因子），或注明 rulebook:。",
    ),
)


@dataclass(frozen=True, slots=True)
class Month:
    """One local month of one site: UTC edges and the calendar day it starts on."""

    site: str
    start: datetime
    end: datetime
    day: date


_Entries = Sequence[tuple[int, FactorEntry]]


class Level(IntEnum):
    """How well a factor is vouched for, best to worst; a result shows its worst along each product."""

    VERIFIED2 = 1
    VERIFIED1 = 2
    OWN = 3
    RECALLED = 4


_LEVELS = {
    "official": Level.VERIFIED2,
    "verified2": Level.VERIFIED2,
    "verified1": Level.VERIFIED1,
    "declared": Level.OWN,
    "recalled": Level.RECALLED,
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The value that holds for one site, month and key, in the factor's declared unit; with where it comes from."""

    site: str
    month: Month
    keys: tuple[str, ...]
    value: float | None
    row: FactorRow | None
    entry: FactorEntry | None
    carried: bool = False

    @property
    def recalled(self) -> bool:
        return self.level is Level.RECALLED

    @property
    def level(self) -> Level:
        """How well the value is vouched for; what the plant says of itself is its own word."""
        if self.row is not None:
            return _LEVELS[self.row.confidence]
        return _LEVELS.get(self.entry.confidence, Level.OWN) if self.entry is not None else Level.OWN


@dataclass
class Lookup:
    """All chosen values of one factor for one request."""

    spec: FactorSpec
    keys: tuple[str, ...]
    chosen: list[Chosen]
    gaps: list[tuple[str, Month, tuple[str, ...]]]
    unpublished: set[tuple[str, ...]] = field(default_factory=set, init=False)
    """Keys of which the table has no row at any time, where the rulebook says that this is no gap."""
    findings: list[Finding] = field(default_factory=list)
    marks: list[tuple[tuple[str, ...], Finding]] = field(default_factory=list)
    """What there is to say about a row (unchecked, carried forward), if a result comes to use it."""

    def at(self, site: str, month_start: datetime, keys: tuple[str, ...]) -> Chosen | None:
        """The choice for one cell."""
        for item in self.chosen:
            if item.site == site and item.keys == keys and item.month.start == month_start:
                return item
        return None

    @cached_property
    def by_site(self) -> bool:
        """Whether the value depends on the site."""
        return self._varies(lambda _site, month, keys: (month.day, keys))

    @cached_property
    def by_month(self) -> bool:
        """Whether the value depends on the month."""
        return self._varies(lambda site, _month, keys: (site, keys))

    def holds_through(self, span: Callable[[Month], object]) -> bool:
        """Whether the value is one for all months of each span; `span` names the span that a month is in."""
        return not self._varies(lambda site, month, keys: (site, span(month), keys))

    def _varies(self, rest: Callable[[str, Month, tuple[str, ...]], tuple[object, ...]]) -> bool:
        first: dict[tuple[object, ...], tuple[float | None, int]] = {}
        return any(
            first.setdefault(rest(site, month, keys), value) != value
            for site, month, keys, value in self._cells
        )

    @cached_property
    def _cells(self) -> list[tuple[str, Month, tuple[str, ...], tuple[float | None, int]]]:
        """Site, month and keys with the value and its level; a gap is a value of its own."""
        cells: list[tuple[str, Month, tuple[str, ...], tuple[float | None, int]]] = [
            (item.site, item.month, item.keys, (item.value, int(item.level))) for item in self.chosen
        ]
        return [*cells, *((site, month, keys, (None, 0)) for site, month, keys in self.gaps)]


@dataclass(frozen=True)
class LookupContext:
    """What a lookup needs besides the table."""

    book: Rulebook
    plant: Plant
    months: Sequence[Month]
    options: Mapping[str, str]
    items: Mapping[str, Sequence[str]]
    """Grain key -> the values that occur in the facts."""
    published_until: date | None = None

    def carrier(self, word: str) -> Carrier | None:
        return next((item for item in self.plant.carriers if item.id == word), CARRIERS.get(word))

    def item_unit(self, key: str, word: str) -> str | None:
        """The unit of one carrier or product, for `carrier_unit` and `product_unit`."""
        if key == "carrier" and (carrier := self.carrier(word)):
            return str(carrier.unit)
        if key == "product":
            return next((product.unit for product in self.plant.products if product.id == word), None)
        return None


def declared_unit(unit: Unit, context: LookupContext, keys: Mapping[str, str]) -> Unit:
    """`unit` with `carrier_unit`/`product_unit` replaced by the row's own carrier's or product's unit."""
    text = str(unit)
    for key in ("carrier", "product"):
        if f"{key}_unit" in text:
            own = context.item_unit(key, keys.get(key, ""))
            if own is None:
                word = keys.get(key, "?")
                raise UnitError(Text(f"{word} has no unit of its own", f"{word} 没有自己的单位"))
            text = text.replace(f"{key}_unit", f"({own})")
    return unit if text == str(unit) else parse_unit(text)


def look_up(spec: FactorSpec, context: LookupContext) -> Lookup:
    """Choose a row for every site, month and key that the facts hold."""
    chooser = _Chooser(spec, context)
    months: dict[str, list[Month]] = {}
    for month in context.months:
        months.setdefault(month.site, []).append(month)
    for site in context.plant.sites:
        rows_by_key = chooser.rows_by_key(site)
        for combo in chooser.combos(rows_by_key):
            chooser.choose_all(site, months.get(site.id, []), combo, chooser.rows_for(combo, rows_by_key))
    return chooser.lookup


@dataclass(frozen=True, slots=True)
class _Choice:
    """What holds for one site and key from one month on; `gap` where nothing does."""

    value: float | None = None
    row: FactorRow | None = None
    entry: FactorEntry | None = None
    carried: bool = False
    gap: bool = False


class _Chooser:
    """Fills one factor's lookup; says each thing once."""

    def __init__(self, spec: FactorSpec, context: LookupContext) -> None:
        self.spec, self.context = spec, context
        self.lookup = Lookup(spec, spec.row_keys, [], [])
        self.told: set[tuple[object, ...]] = set()
        self.file = context.book.table_file(spec.table)
        self.own = [
            (number, entry)
            for number, entry in enumerate(context.plant.factors)
            if entry.factor == spec.name
            and entry.rulebook in (None, *context.book.ids)
            and self._seen(entry.published)
        ]
        self.rows: dict[tuple[tuple[str, str], ...], dict[tuple[str, ...], list[FactorRow]]] = {}
        """Rows by key for each set of fixed cells: sites that ask for the same ones share them."""

    def rows_by_key(self, site: Site) -> dict[tuple[str, ...], list[FactorRow]]:
        """The table's rows under the options and the site, by the keys that the facts carry."""
        table = self.context.book.tables.get(self.spec.table)
        if table is None:
            return {}
        wanted: dict[str, str] = {}
        column_of: dict[str, str] = {}
        for column, selector in self.spec.keys:
            if selector.startswith("="):
                wanted[column] = selector[1:]
            elif selector.startswith("option:"):
                wanted[column] = self.context.options[selector[7:]]
            elif selector.startswith("site."):
                wanted[column] = str(getattr(site, selector[5:], "") or "")
            else:
                column_of[selector.removeprefix(PREFIX)] = column
        mark = tuple(wanted.items())
        if mark not in self.rows:
            found = self.rows[mark] = {}
            words = table.words([column_of[name] for name in self.spec.row_keys])
            for row in table.matching(wanted):
                if self._seen(row.published):
                    found.setdefault(words(row), []).append(row)
        return self.rows[mark]

    def rows_for(
        self, combo: tuple[str, ...], rows: Mapping[tuple[str, ...], list[FactorRow]]
    ) -> list[FactorRow]:
        """The rows of a key; where the key is read by prefix, those of its longest leading part that has any."""
        if combo in rows:
            return rows[combo]
        for place, name in enumerate(self.spec.row_keys):
            if name in self.spec.prefix_keys:
                for size in range(len(combo[place]) - 1, 0, -1):
                    shorter = (*combo[:place], combo[place][:size].rstrip(), *combo[place + 1 :])
                    if shorter in rows:
                        return rows[shorter]
        return []

    def _seen(self, published: date | None) -> bool:
        limit = self.context.published_until
        return limit is None or published is None or published <= limit

    def combos(self, rows: Mapping[tuple[str, ...], list[FactorRow]]) -> Iterator[tuple[str, ...]]:
        """Keys that occur in the facts; a key no fact has (a gas of a blend) comes from the table itself."""
        known = [self.context.items.get(name) for name in self.spec.row_keys]
        if all(values is not None for values in known):
            yield from itertools.product(*(values or () for values in known))
            return
        if any(
            values is None and f"{name}_unit" in str(self.spec.unit)
            for name, values in zip(self.spec.row_keys, known, strict=True)
        ):
            return  # per unit of a carrier or product that no fact has: nothing is counted in it
        for combo in sorted(rows):
            if all(values is None or word in values for word, values in zip(combo, known, strict=True)):
                yield combo

    def choose_all(
        self, site: Site, months: Sequence[Month], combo: tuple[str, ...], rows: list[FactorRow]
    ) -> None:
        """The choice for each month, in order of time; made anew only where a row or an entry begins or ends."""
        named = dict(zip(self.spec.row_keys, combo, strict=True))
        entries = self._entries(site, named)
        edges = sorted(
            _edges([row.validity for row in rows] + [Validity(e.since, e.until) for _, e in entries])
        )
        place, year, choice = 0, 0, None
        for month in months:
            past = bisect_right(edges, month.day)
            # What is carried forward is told of year by year.
            if choice is None or past != place or (choice.carried and month.day.year != year):
                choice = self._choose(site, month, combo, rows, entries)
            place, year = past, month.day.year
            if choice.gap:
                self.lookup.gaps.append((site.id, month, combo))
            else:
                self.lookup.chosen.append(
                    Chosen(site.id, month, combo, choice.value, choice.row, choice.entry, choice.carried)
                )

    def _choose(
        self, site: Site, month: Month, combo: tuple[str, ...], rows: list[FactorRow], entries: _Entries
    ) -> _Choice:
        """The plant's entry, else the row that holds, else the latest earlier one where the clause allows, else a gap."""
        spec = self.spec
        named = dict(zip(spec.row_keys, combo, strict=True))
        if spec.table == SITE_TABLE:
            return _Choice(float(getattr(site, spec.column)))
        if entry := _entry(entries, month.day):
            return _Choice(
                self._convert(Fraction(str(entry.value)), entry.unit, named, entry.where), entry=entry
            )
        covering = [row for row in rows if row.validity.covers(month.day)]
        row = max(covering, key=_published, default=None)
        amount = row.value(spec.column) if row else None
        carried = amount is None and spec.on_gap == "latest_earlier"
        if carried:
            row = self._latest_earlier(rows, month.day)
            amount = row.value(spec.column) if row else None
        if row is None or amount is None:
            if not rows and spec.on_gap == "unpublished":
                self.lookup.unpublished.add(combo)
            return _Choice(gap=True)
        where = Place(file=self.file, line=row.line, subject=spec.name)
        value = self._convert(amount, row.unit(spec.column), named, where)
        self._tell(row, carried, month, site, combo, where)
        return _Choice(value, row, None, carried)

    def _latest_earlier(self, rows: list[FactorRow], day: date) -> FactorRow | None:
        known = [row for row in rows if row.validity.since and row.value(self.spec.column) is not None]
        earlier = [row for row in known if row.validity.since and row.validity.since <= day]
        return max(earlier, key=lambda row: (row.validity.since or date.min, _published(row)), default=None)

    def _entries(self, site: Site, named: Mapping[str, str]) -> _Entries:
        """The plant's own entries for this site and key, whenever they hold; each with its place in the plant file."""
        cell = {"site": site.id, "region": site.region or "", **named}
        return [
            (number, entry)
            for number, entry in self.own
            if all(cell.get(name) == word for name, word in entry.keys)
        ]

    def _convert(self, amount: Fraction, unit: str, named: Mapping[str, str], where: Place) -> float | None:
        try:
            return float(
                amount * parse_unit(unit).factor_to(declared_unit(self.spec.unit, self.context, named))
            )
        except UnitError:
            if self._first("unit", unit, *named.values()):
                self.lookup.findings.append(
                    FACTOR_UNIT.at(
                        where,
                        clause=self.spec.clause,
                        label=self.spec.label,
                        key=_key_text(named),
                        unit=unit,
                        expected=str(self.spec.unit),
                    )
                )
            return None

    def _tell(
        self, row: FactorRow, carried: bool, month: Month, site: Site, combo: tuple[str, ...], where: Place
    ) -> None:
        what, unit = self._what(combo, site), row.unit(self.spec.column)
        if carried and self._first("carried", row.line, month.day.year, combo):
            self._mark(
                combo,
                FACTOR_CARRIED.at(
                    where,
                    clause=self.spec.clause,
                    what=what,
                    span=month.day.year,
                    since=row.validity.since,
                    source=titled(row.source),
                ),
            )
        if row.confidence == "recalled" and self._first("recalled", row.line, combo):
            self._mark(
                combo,
                FACTOR_RECALLED.at(
                    where,
                    clause=titled(row.clause) if row.clause else None,
                    what=what,
                    value=" ".join([row.cells.get(self.spec.column, ""), *([unit] if unit != "1" else [])]),
                    source=titled(row.source),
                ),
            )

    def _what(self, combo: tuple[str, ...], site: Site) -> Text:
        """The factor, and what the row is for where it depends on anything."""
        by_site = any(selector.startswith("site.") for _, selector in self.spec.keys)
        words = [word for word in combo if word] or ([site.region or site.id] if by_site else [])
        label, key = self.spec.label, ", ".join(words)
        return Text(f"{label.en} for {key}", f"{label.zh}（{key}）") if key else label

    def _mark(self, combo: tuple[str, ...], finding: Finding) -> None:
        self.lookup.marks.append((combo, finding))

    def _first(self, *mark: object) -> bool:
        if mark in self.told:
            return False
        self.told.add(mark)
        return True


def _entry(entries: _Entries, day: date) -> FactorEntry | None:
    """Of the entries that hold on a day, the one that names most keys, then the later."""
    found = [
        (len(entry.keys), entry.since or date.min, number, entry)
        for number, entry in entries
        if Validity(entry.since, entry.until).covers(day)
    ]
    return max(found, key=lambda item: item[:3])[3] if found else None


def _edges(spans: Sequence[Validity]) -> set[date]:
    """The days on which one of these begins to hold, or holds no more."""
    begun = {span.since for span in spans if span.since is not None}
    return begun | {span.until + timedelta(days=1) for span in spans if span.until not in (None, date.max)}


def _published(row: FactorRow) -> date:
    """When a row was published: of two that hold on one day, the later one does."""
    return row.published or date.min


def _key_text(named: Mapping[str, str]) -> str:
    return ", ".join(value for value in named.values() if value) or "—"


def months_of(plant: Plant, period: Period) -> list[Month]:
    """The local months of every site that touch the period as its own calendar has it."""
    months = []
    for site in plant.sites:
        span = period.moved(site.zone)
        cursor = floor(span.start, Grain.MONTH, site.zone)
        while cursor < span.end:
            edge = next_edge(cursor, Grain.MONTH, site.zone)
            months.append(Month(site.id, cursor, edge, cursor.astimezone(zone(site.zone)).date()))
            cursor = edge
    return months


def unknown_entries(book: Rulebook, plant: Plant) -> list[Finding]:
    """Own factors that name this rulebook but that it does not ask for."""
    return [
        FACTOR_UNUSED.at(entry.where, name=entry.factor, book=book.id)
        for entry in plant.factors
        if entry.rulebook == book.id and entry.factor not in book.factors
    ]

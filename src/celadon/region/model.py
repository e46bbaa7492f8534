"""What a region file says: where registry and facts are, what their columns mean, and the region's own policies."""

from __future__ import annotations

import re
from dataclasses import field

from celadon.core.dataclass import dataclass
from celadon.core.findings import Place
from celadon.core.model import FactorEntry, Product
from celadon.core.text import Text
from celadon.core.units import parse_unit

BY_PRODUCT = "="
"""Item of a column whose item is each enterprise's own product, as the registry has it."""


@dataclass(frozen=True, slots=True)
class TableSource:
    """Rows that stand in files (names or patterns from the region file's folder) or in a table of a database."""

    files: tuple[str, ...] = ()
    url: str | None = None
    table: str | None = None
    where: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class Registry:
    """Who reports. `columns`: enterprise, industry and region, and where given name, product and size → header."""

    source: TableSource
    columns: tuple[tuple[str, str], ...]

    def column(self, name: str) -> str | None:
        return dict(self.columns).get(name)


@dataclass(frozen=True, slots=True)
class ValueColumn:
    """One reported fact: its column in wide rows, or the word pattern it has in long rows."""

    quantity: str
    item: str
    purpose: str
    unit: str
    """As reported."""
    kept_unit: str
    """As kept: the carrier's or product's own, else `unit`."""
    factor: float
    """Reported → kept."""
    column: str = ""
    where: Place = field(default_factory=Place)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.quantity, self.item, self.purpose

    @property
    def name(self) -> str:
        """The column it is kept in."""
        return column_name(*self.key)

    def scale_to(self, other: ValueColumn) -> float:
        """By what its kept values are multiplied to be in the kept unit of another sender's column of the same fact (UnitError
        where they do not convert; the reader of the region file has refused that)."""
        if self.kept_unit == other.kept_unit:
            return 1.0
        return float(parse_unit(self.kept_unit).factor_to(parse_unit(other.kept_unit)))


def column_name(quantity: str, item: str = "", purpose: str = "") -> str:
    """`energy_consumed:raw_coal:combustion`; without what is empty at the end."""
    return re.sub(":+$", "", f"{quantity}:{item}:{purpose}")


@dataclass(frozen=True, slots=True)
class FactSource:
    """Monthly reports of one sender; a later report of an enterprise's month replaces the earlier one of this sender."""

    id: str
    source: TableSource
    enterprise: str
    month: str
    values: tuple[ValueColumn, ...]
    """The columns of wide rows; in long rows, the facts that may occur."""
    long: tuple[tuple[str, str], ...] = ()
    """Long rows: quantity, item, purpose, value, unit → header."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """Yearly quotas of enterprises. `columns`: enterprise, year, quantity, value, unit → header."""

    source: TableSource
    columns: tuple[tuple[str, str], ...]
    rulebook: str

    def column(self, name: str) -> str:
        return dict(self.columns)[name]


@dataclass(frozen=True, slots=True)
class Disclosure:
    """When a published cell is suppressed: fewer than `minimum` enterprises, or the `largest` ones hold `share` or more."""

    minimum: int = 3
    largest: int = 2
    share: float = 0.85


@dataclass(frozen=True, slots=True)
class Screening:
    """How strict screening is; shares are of the value they are about."""

    cross_check: float = 0.05
    """Allowed difference between reported and billed or metered electricity."""
    band: float = 0.5
    """How far outside a published or the peers' band a specific consumption may lie."""
    jump: float = 1.0
    """Smallest change against the own usual level that is told: 1 = doubling or halving."""
    false_discovery: float = 0.01
    """Expected share of false alarms among the alarms of the digit tests (Benjamini and Hochberg)."""


@dataclass(frozen=True, slots=True)
class WarningLevel:
    """A level and the share of the yearly quota from which the forecast is at it."""

    id: str
    name: Text
    share: float


LEVELS = (
    WarningLevel("blue", Text("blue", "蓝色"), 0.95),
    WarningLevel("yellow", Text("yellow", "黄色"), 1.0),
    WarningLevel("orange", Text("orange", "橙色"), 1.05),
    WarningLevel("red", Text("red", "红色"), 1.10),
)
"""Used where the region file names none: the region's policy goes before."""


@dataclass(frozen=True, slots=True)
class RegionFile:
    """Everything the region file says."""

    id: str
    name: Text
    zone: str
    store: str
    registry: Registry
    sources: tuple[FactSource, ...]
    products: tuple[Product, ...] = ()
    quotas: Quotas | None = None
    months: str | None = None
    """The months reports may be about, `2023-01..2024-12`; None = any."""
    disclosure: Disclosure = Disclosure()
    screening: Screening = Screening()
    levels: tuple[WarningLevel, ...] = LEVELS
    band: float = 0.8
    """Share of outcomes that a forecast's band is meant to hold."""
    factors: tuple[FactorEntry, ...] = ()
    options: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    exclusions: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    file: str = ""

    @property
    def columns(self) -> tuple[ValueColumn, ...]:
        """Every kept fact once, in the file's order, in the unit of the first sender that gives it."""
        found: dict[str, ValueColumn] = {}
        for source in self.sources:
            for value in source.values:
                found.setdefault(value.name, value)
        return tuple(found.values())

    def product_unit(self, product: str) -> str | None:
        return next((item.unit for item in self.products if item.id == product), None)

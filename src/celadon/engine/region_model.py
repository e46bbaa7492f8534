"""A region: a registry of enterprises and their monthly facts, wide, in two tables of the caller's database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date

from celadon.core.carriers import Carrier
from celadon.core.dataclass import dataclass
from celadon.core.facts import Status
from celadon.core.findings import FindingKind, Severity
from celadon.core.model import FactorEntry, Product
from celadon.core.text import Text

REGION_VARIES = FindingKind(
    "region.factor-varies",
    Severity.ERROR,
    Text(en="A ratio of a group meets what differs within it", zh="分组比率遇到组内不一致的值"),
    Text(
        en="{rule} uses {name}, which differs between the enterprises or months of one row: there is no one value, so it stays absent.",
        zh="{rule} 使用的 {name} 在同一行的企业或月份之间不同，没有统一数值，按缺失处理。",
    ),
    Text(
        en="Ask by enterprise, or group by what the factor depends on as well.",
        zh="请按企业查询，或把该因子所依据的属性也作为分组项。",
    ),
)
REGION_COLUMN = FindingKind(
    "region.unknown-column",
    Severity.ERROR,
    Text(en="The registry has no such column", zh="名录中没有该列"),
    Text(
        en="The registry has no column “{name}”{hint}; there are: {known}.",
        zh="名录中没有“{name}”列{hint}；已有：{known}。",
    ),
    Text(
        en="Group by a column of the registry, or add it there.",
        zh="请按名录中已有的列分组，或在名录中增加该列。",
    ),
)
REGION_PERIOD = FindingKind(
    "region.whole-months",
    Severity.ERROR,
    Text(en="A region's facts are monthly", zh="区域事实按月"),
    Text(
        en="{asked} is finer than a month or cuts one: the enterprises report by month.",
        zh="{asked} 比月更细或截断了某月：企业按月上报。",
    ),
    Text(
        en="Ask for whole months, by month, year or the whole period.",
        zh="请按整月提问，粒度可选月、年或整个期间。",
    ),
)


@dataclass(frozen=True, slots=True)
class FactColumn:
    """One column of the facts table: what it holds, and its companions (None: there is nothing of the kind).

    A NULL value that `absent` does not mark is no row: nothing was due."""

    quantity: str
    item: str
    purpose: str
    unit: str
    value: str
    """DOUBLE, in `unit`."""
    absent: str | None = None
    """BOOLEAN: due and missing."""
    estimated: str | None = None
    """DOUBLE: the part of |value| that is estimated."""
    defaulted: str | None = None
    """DOUBLE: the part of |value| that is a default."""
    coverage: str | None = None
    """DOUBLE, 0 to 1: the share of the month that data cover; NULL = all of it."""
    complete: bool = False
    """Known to have a value on every row (Parquet footers tell): nothing need be tested."""
    basis: Status = Status.DECLARED
    """What the values rest on, but for the parts that are estimated and defaulted."""


@dataclass(frozen=True, slots=True)
class FactorColumn:
    """A factor that each enterprise has for itself, in a column of the registry; goes before the rulebook's table."""

    factor: str
    column: str
    unit: str
    keys: tuple[str, ...] = ()
    """The words of the factor's own row keys (carrier, gas …), in their order by name."""


@dataclass(frozen=True)
class Region:
    """`registry` and `facts` are names of tables or views: `enterprise`, `region` and further attributes; `enterprise`,
    `month` (DATE, its first day) and the columns listed, one row per enterprise and month."""

    registry: str
    facts: str
    columns: tuple[FactColumn, ...]
    zone: str = "Asia/Shanghai"
    name: str = "region"
    factors: tuple[FactorEntry, ...] = ()
    """Own factors that hold for all: keys `region` and the row's own."""
    factor_columns: tuple[FactorColumn, ...] = ()
    products: tuple[Product, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    """Only what the built-in list lacks."""


@dataclass(frozen=True, slots=True)
class Output:
    """One asked quantity and key: which columns of the answer hold it.

    Coverage NULL: there is no row. Else the value may be absent (NULL)."""

    quantity: str
    item: str
    purpose: str
    unit: str
    value: str
    coverage: str
    shares: Mapping[str, str] = field(default_factory=dict)
    """Name in sql.QUALITIES (a kind of data or factor, or worse) -> column."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """… -> number, where the share is the same on every row that has a value."""


@dataclass(frozen=True, slots=True)
class Span:
    """One asked span: its first day, which the answer's column `start` holds, and its label."""

    start: date
    label: str

"""A plant's monthly facts, as a region takes them: what rulebooks ask for, added up or averaged by enterprise or site.

What rests on data for a part of its month only is left blank and told, never written as if it were the whole month's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import Grain, Period, asked_period, zone
from celadon.core.quantities import Space
from celadon.core.text import Text
from celadon.core.units import UnitError, parse_unit
from celadon.engine.run import unit_text
from celadon.metering.amounts import load_rows
from celadon.plant.account import Question
from celadon.plant.keeping import unique
from celadon.plant.opened import View
from celadon.plant.workspace import Workspace
from celadon.rules.rulebook import FactSpec, Rulebook
from celadon.store.tables_out import write_table

INCOMPLETE = FindingKind(
    "facts.incomplete",
    Severity.WARNING,
    Text(en="A month's fact is not whole", zh="月度事实不完整"),
    Text(
        en="{count} of {of} monthly facts have data for a part of their month only, or none; they are blank: {which}.",
        zh="{of} 项月度事实中有 {count} 项仅有部分时间的数据或无数据，留空：{which}。",
    ),
    Text(
        en="Load what is missing (`celadon balance` names the gaps); or take what is known with --partial.",
        zh="请补充缺失数据（`celadon balance` 列出缺口）；或用 --partial 取已知部分。",
    ),
)
LONGER = FindingKind(
    "facts.longer-than-a-month",
    Severity.WARNING,
    Text(en="A fact is longer than a month", zh="事实跨越多个月"),
    Text(
        en="{count} records reach over several months and have no place in monthly facts: {which}.",
        zh="{count} 条台账跨越多个月，无法列入月度事实：{which}。",
    ),
    Text(en="Record them by month.", zh="请按月记录。"),
)
_NAMED = 8
"""How many facts a finding names."""
_WHOLE = 1 - 1e-9
COLUMNS = ("enterprise", "month", "quantity", "item", "purpose", "value", "unit", "coverage", "estimated")


@dataclass(frozen=True)
class MonthlyFact:
    """One fact of one month; `value` None = absent, or not whole. `coverage`, `estimated`: shares, 0 to 1."""

    enterprise: str
    month: str
    quantity: str
    item: str
    purpose: str
    value: float | None
    unit: str
    coverage: float
    estimated: float

    def cells(self) -> tuple[Any, ...]:
        """In the order of COLUMNS."""
        return tuple(getattr(self, name) for name in COLUMNS)


@dataclass(frozen=True)
class MonthlyFacts:
    """The facts, by enterprise, month and what they are, with everything found on the way to them."""

    period: Period
    rows: tuple[MonthlyFact, ...]
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Shape `facts/1` without its findings."""
        return {
            "period": self.period.label,
            "rows": [dict(zip(COLUMNS, row.cells(), strict=True)) for row in self.rows],
            "values": self.values(),
        }

    def values(self) -> list[dict[str, str]]:
        """What occurs, as a region file lists it under `values` of a source with `long` rows."""
        kinds = {(row.quantity, row.item, row.purpose): row.unit for row in self.rows}
        return [
            {name: word for name, word in zip(("quantity", "item", "purpose", "unit"), (*kind, unit), strict=True) if word}
            for kind, unit in sorted(kinds.items())
        ]  # fmt: skip

    def write(self, con: duckdb.DuckDBPyConnection, file: Path) -> None:
        """To a Parquet file (by its ending) or CSV with a header; absent as an empty cell."""
        kinds = ["VARCHAR"] * 5 + ["DOUBLE", "VARCHAR", "DOUBLE", "DOUBLE"]
        load_rows(con, "monthly", dict(zip(COLUMNS, kinds, strict=True)), [row.cells() for row in self.rows])
        write_table(con, "FROM monthly", file)
        con.execute("DROP TABLE monthly")


def monthly_facts(
    work: Workspace, seen: View, books: Sequence[Rulebook], period: str, *, each: str, partial: bool
) -> MonthlyFacts:
    """The facts that `books` ask for; `each`: enterprise or site. `partial`: values of a part of a month are written too.

    Raises:
        FindingError: a period that cannot be read.
    """
    model = seen.model
    span = asked_period(period, model.zone)
    request = Question(period).request(books[0], model)
    table = work.facts_for(seen, books, request, (Space.SITE, Grain.MONTH))
    specs = {spec.name: spec for book in books for spec in book.facts.values()}
    sums, longer = _sums(work.con, table.name, model, specs, each)
    rows, gaps = [], []
    for key, one in sorted(sums.items()):
        row = one.fact(key, partial)
        rows.append(row)
        if row.coverage < _WHOLE:
            gaps.append(" ".join(word for word in key if word))
    said: list[Finding] = []
    where = Place(file=model.file or None, period=span.label)
    if gaps and not partial:
        said.append(INCOMPLETE.at(where, count=len(gaps), of=len(rows), which=_some(gaps)))
    if longer:
        said.append(LONGER.at(where, count=len(longer), which=_some(longer)))
    return MonthlyFacts(span, tuple(rows), tuple(unique([*seen.findings, *table.findings, *said])))


def _some(names: Sequence[str]) -> str:
    return "; ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")


class _Sum:
    """Rows of one key, added up or averaged."""

    __slots__ = ("adds", "covered", "due", "estimated", "size", "unit", "value", "weight")

    def __init__(self, unit: str, adds: bool) -> None:
        self.unit, self.adds = unit, adds
        self.value = self.weight = self.covered = self.due = self.estimated = self.size = 0.0

    def add(
        self, value: float | None, weight: float, covered: float, due: float, estimated: float, size: float
    ) -> None:
        """A part; `value` in this sum's unit, times its `weight` where it does not add."""
        if value is not None:
            self.value += value
            self.weight += weight
        self.covered += covered
        self.due += due
        self.estimated += estimated
        self.size += size

    def fact(self, key: _Key, partial: bool) -> MonthlyFact:
        # without a value in any part it is absent, whatever is covered
        known = self.value / (1.0 if self.adds else self.weight) if self.weight else None
        coverage = self.covered / self.due if self.due else 0.0
        whole = coverage >= _WHOLE or (partial and coverage > 0)
        share = self.estimated / self.size if self.size else 0.0
        return MonthlyFact(*key, known if whole else None, self.unit, coverage, share)


_Key = tuple[str, str, str, str, str]
"""Enterprise or site, month, quantity, item, purpose."""
_PARTS = """SELECT site, quantity, item, purpose, unit, time_start, time_end,
    CASE WHEN $adds THEN sum(value) ELSE sum(value * coalesce(weight, 1e0)) END,
    coalesce(sum(CASE WHEN value IS NULL THEN 0e0 ELSE coalesce(weight, 1e0) END), 0e0),
    sum(coverage * greatest(epoch(time_end) - epoch(time_start), 1)), sum(greatest(epoch(time_end) - epoch(time_start), 1)),
    coalesce(sum(estimated), 0e0), coalesce(sum(abs(value)), 0e0)
    FROM {facts} WHERE list_contains($names::VARCHAR[], quantity) GROUP BY ALL"""


def _sums(
    con: duckdb.DuckDBPyConnection, facts: str, model: PlantModel, specs: Mapping[str, FactSpec], each: str
) -> tuple[dict[_Key, _Sum], list[str]]:
    """By key; and the records that are longer than a month."""
    zones = {site.id: site.zone for site in model.sites}
    sums: dict[_Key, _Sum] = {}
    longer = []
    for adds in (True, False):
        names = [name for name, spec in specs.items() if spec.adds is adds]
        rows = con.execute(_PARTS.format(facts=facts), {"adds": adds, "names": names}).fetchall()
        for site, quantity, item, purpose, unit, start, end, value, weight, *shares in rows:
            first, last = month_of(start, end, zones.get(site, model.zone))
            if first != last:
                longer.append(" ".join(word for word in (site, first, quantity, item) if word))
                continue
            key = (site if each == "site" else model.enterprise, first, quantity, item, purpose)
            kept = sums.get(key)
            if kept is None:
                kept = sums[key] = _Sum(_unit(specs[quantity], item, unit, model), adds)
            factor = _factor(unit, kept.unit)
            covered, due, estimated, size = shares
            if factor is None:  # of another kind: nothing of it is known in the sum's unit
                kept.add(None, 0.0, 0.0, due, 0.0, 0.0)
            else:
                part = None if value is None else value * factor
                kept.add(part, weight, covered, due, estimated * factor, size * factor)
    return sums, longer


def month_of(start: datetime, end: datetime, zone_name: str) -> tuple[str, str]:
    """The local months that a span (naive, UTC) begins in and ends in; an end on the edge is in the month before."""
    local = zone(zone_name)
    first, last = (
        moment.replace(tzinfo=UTC).astimezone(local)
        for moment in (start, max(start, end - timedelta(microseconds=1)))
    )
    return f"{first:%Y-%m}", f"{last:%Y-%m}"


def _unit(spec: FactSpec, item: str, unit: str, model: PlantModel) -> str:
    """The unit a fact is written in: what the rulebook asks for, where what is recorded converts to it."""
    asked = unit_text(str(spec.unit), item, model)
    return asked if _factor(unit, asked) is not None else unit


@cache
def _factor(unit: str, to: str) -> float | None:
    """None where the units do not convert."""
    with suppress(UnitError):
        return float(parse_unit(unit).factor_to(parse_unit(to)))
    return None

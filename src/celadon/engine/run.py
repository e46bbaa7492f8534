"""Query + facts -> Result: run the one query and keep what makes the answer checkable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb

from celadon.core.carriers import CARRIERS
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding
from celadon.core.model import Plant
from celadon.core.periods import Period
from celadon.engine.backends import Backend
from celadon.engine.below_zero import BelowZeroQuestions
from celadon.engine.inputs import FACT_ABSENT
from celadon.engine.lookup import Lookup
from celadon.engine.plans import Plans, plan_of
from celadon.engine.quality import NO_QUALITY, Quality, quality_of
from celadon.engine.request import Request
from celadon.engine.small import answered
from celadon.engine.spans import ratio_findings, span_findings
from celadon.engine.steps import SUMMARY, Query, Summary, summary_of
from celadon.engine.variants import VariantQuestions
from celadon.rules.rulebook import Rulebook

__all__ = ["Result", "Row", "run", "summarise"]


@dataclass(frozen=True, slots=True)
class Row:
    """One number and what it rests on. Shares and `coverage` run from 0 to 1; absent is None, and its shares are 0."""

    quantity: str
    item: str
    purpose: str
    enterprise: str
    site: str
    process: str
    meter: str
    start: datetime
    end: datetime
    value: float | None
    unit: str
    quality: Quality
    coverage: float
    label: str
    """The span as a user writes it: 2024, 2024-03 …"""

    @property
    def estimated(self) -> float:
        """The share that rests on estimated data (and no default)."""
        return self.quality.estimated

    @property
    def defaulted(self) -> float:
        """The share that rests on a default."""
        return self.quality.defaulted

    @property
    def recalled(self) -> float:
        """The share that rests on a factor nobody has checked."""
        return self.quality.recalled

    @property
    def place(self) -> str:
        """The finest place named."""
        return self.meter or self.process or self.site or self.enterprise


@dataclass(frozen=True)
class Result:
    """Rows with what made them: rulebook and facts by digest, the as-of instant, options, findings and the query."""

    rows: tuple[Row, ...]
    request: Request
    book: Rulebook
    facts_digest: str
    as_of: datetime | None
    findings: tuple[Finding, ...]
    query: Query

    def rows_of(self, quantity: str) -> list[Row]:
        return [row for row in self.rows if row.quantity == quantity]

    def value(self, quantity: str, **where: str) -> float | None:
        """The one value of `quantity` where the named columns match (KeyError when there is not exactly one)."""
        found = [
            row
            for row in self.rows_of(quantity)
            if all(getattr(row, name) == word for name, word in where.items())
        ]
        if len(found) != 1:
            raise KeyError(f"{quantity} {where}: {len(found)} rows")
        return found[0].value

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


def run(
    con: duckdb.DuckDBPyConnection,
    book: Rulebook,
    plant: Plant,
    request: Request,
    *,
    facts_digest: str = "",
    as_of: datetime | None = None,
    facts: str = "facts",
    summary: Summary | None = None,
    lookups: Mapping[str, Lookup] | None = None,
    on: Backend | None = None,
    plans: Plans | None = None,
) -> Result:
    """Answer a request from the table `facts` (columns core.facts.FACT_COLUMNS) on `con`; `summary` is what that holds, where
    it is known; `on`: another engine that does the work; `plans`: those known, for where factors are the tables' own."""
    request = request.checked(book)
    summary = summarise(con, facts) if summary is None else summary
    if plans is not None and lookups is None:
        plan = plans.of(book, plant, request, summary, facts)
    else:
        plan = plan_of(book, plant, request, summary, facts, lookups)
    query, factors, variants, below = plan.query.over(facts), plan.factors, plan.variants, plan.below
    found: list[tuple[Any, ...]] = []
    if plan.also or any(not query.step(name).empty for _, name in query.outputs):
        if on is not None:
            on.share(con, facts)
            found = on.rows(query.sql(also=plan.also))
        else:
            found = answered(con, query, plan.last, lambda: plan.statements)
    rows = tuple(_rows(plant, request, query, [row for row in found if row[0]]))
    told = [row for row in found if not row[0]]
    findings = [
        *due_findings(query),
        *factors.findings(book, request.options, [row for row in told if row[1].isdigit()]),
        *variants.findings(row for row in told if row[1].startswith(VariantQuestions.MARK)),
        *below.findings([row for row in told if row[1].startswith(BelowZeroQuestions.MARK)], _labels(plant)),
        *(span_findings(con, query, book, plant, facts) if summary.long else ()),
        *ratio_findings(con, query, book, plant, facts),
    ]
    return Result(rows, request, book, facts_digest, as_of, tuple(findings), query)


def due_findings(query: Query) -> list[Finding]:
    """The query's findings; that a fact is missing is one only where what was asked leads to it: the calcium content of
    clinker is not due in a plant that declares no clinker."""
    if not any(finding.kind is FACT_ABSENT for finding in query.findings):
        return list(query.findings)
    live = query.live()
    due = {step.quantity for step in query.steps if step.kind == "fact" and step.name in live}
    return [item for item in query.findings if item.kind is not FACT_ABSENT or item.where.subject in due]


def summarise(con: duckdb.DuckDBPyConnection, facts: str = "facts") -> Summary:
    """What the facts hold."""
    found = con.execute(f"SELECT {SUMMARY} FROM {facts} GROUP BY quantity, item, purpose, unit").fetchall()
    return summary_of(sorted(found))


def _rows(plant: Plant, request: Request, query: Query, found: list[tuple[Any, ...]]) -> Iterator[Row]:
    label_of = _labels(plant)
    labels: dict[tuple[Any, ...], str] = {}
    order = {name: number for number, name in enumerate(request.wanted)}
    found.sort(key=lambda row: (order[row[0]], *row[3:9], row[1], row[2]))
    for (
        quantity,
        item,
        purpose,
        enterprise,
        site,
        process,
        meter,
        start,
        end,
        value,
        *shares,
        coverage,
    ) in found:
        mark = (start, end, site)
        if mark not in labels:
            labels[mark] = label_of(start, end, site)
        unit = query.unit_factors[quantity]
        yield Row(
            quantity,
            item,
            purpose,
            enterprise,
            site,
            process,
            meter,
            _utc(start),
            _utc(end),
            value,
            unit_text(str(unit), item, plant),
            quality_of(shares) if value is not None else NO_QUALITY,
            coverage or 0.0,
            labels[mark],
        )


def _labels(plant: Plant) -> Callable[[datetime, datetime, str], str]:
    """What a span is called at a site: 2024, 2024-03 …"""
    zones = {site.id: site.zone for site in plant.sites}
    return lambda start, end, site: Period(_utc(start), _utc(end), zones.get(site, plant.zone)).label


def unit_text(unit: str, item: str, plant: Plant) -> str:
    """`carrier_unit` and `product_unit` as the item's own unit."""

    if "carrier_unit" in unit:
        carrier = next((one for one in plant.carriers if one.id == item), CARRIERS.get(item))
        return unit.replace("carrier_unit", str(carrier.unit)) if carrier else unit
    if "product_unit" in unit:
        product = next((one for one in plant.products if one.id == item), None)
        return unit.replace("product_unit", product.unit) if product else unit
    return unit


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)

"""Query + facts -> Result: run the one query and keep what makes the answer checkable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from celadon.core.carriers import CARRIERS
from celadon.core.findings import Finding, Place
from celadon.core.model import Plant
from celadon.core.periods import Period
from celadon.engine.compile import compile_query
from celadon.engine.lookup import FACTOR_GAP, Lookup
from celadon.engine.request import Request
from celadon.engine.steps import Query, Step, Summary
from celadon.engine.variants import check_variants
from celadon.rules.expr import FirstGiven, Ref
from celadon.rules.rulebook import Rulebook

__all__ = ["Result", "Row", "run", "summarise"]


@dataclass(frozen=True, slots=True)
class Row:
    """One number. Shares (`estimated`, `defaulted`, `recalled`) and `coverage` run from 0 to 1; absent is None."""

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
    estimated: float
    defaulted: float
    recalled: float
    coverage: float
    label: str
    """The span as a user writes it: 2024, 2024-03 …"""

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
    lookups: Mapping[str, Lookup] | None = None,
) -> Result:
    """Answer a request from the table `facts` (columns core.facts.FACT_COLUMNS) on `con`."""
    request = request.checked(book)
    query = compile_query(book, plant, request, summarise(con, facts), facts=facts, lookups=lookups)
    rows = tuple(_rows(con, plant, request, query))
    findings = [*query.findings, *factor_gaps(con, book, query), *check_variants(con, query)]
    return Result(rows, request, book, facts_digest, as_of, tuple(findings), query)


def summarise(con: duckdb.DuckDBPyConnection, facts: str = "facts") -> Summary:
    """What the facts hold."""
    found = con.execute(f"SELECT DISTINCT quantity, item, purpose, unit FROM {facts} ORDER BY ALL").fetchall()
    return Summary(tuple((str(q), str(i), str(p), str(u)) for q, i, p, u in found))


def _rows(con: duckdb.DuckDBPyConnection, plant: Plant, request: Request, query: Query) -> Iterator[Row]:
    zones = {site.id: site.zone for site in plant.sites}
    labels: dict[tuple[Any, ...], str] = {}
    order = {name: number for number, name in enumerate(request.wanted)}
    found = con.execute(query.sql()).fetchall()
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
        estimated,
        defaulted,
        recalled,
        coverage,
    ) in found:
        mark = (start, end, site)
        if mark not in labels:
            labels[mark] = Period(_utc(start), _utc(end), zones.get(site, plant.zone)).label
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
            estimated or 0.0,
            defaulted or 0.0,
            recalled or 0.0,
            coverage or 0.0,
            labels[mark],
        )


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


def factor_gaps(con: duckdb.DuckDBPyConnection, book: Rulebook, query: Query) -> list[Finding]:
    """One Finding per factor and key whose missing row kept a value absent that data could have given."""
    findings = []
    absent: dict[str, list[dict[str, str]]] = {}
    for name, lookup in query.lookups.items():
        users = _users(query, name) if lookup.gaps else []
        for step in users:
            if step.name not in absent:
                absent[step.name] = _absent_keys(con, query, step)
        blamed = [
            gap
            for gap in lookup.gaps
            if any(_same_keys(row, lookup.keys, gap[2]) for step in users for row in absent[step.name])
        ]
        for keys in dict.fromkeys(gap[2] for gap in blamed):
            months = [month.day for _, month, other in blamed if other == keys]
            span = f"{min(months):%Y-%m}" + (f"..{max(months):%Y-%m}" if len(set(months)) > 1 else "")
            spec = book.factors[name]
            rules = ", ".join(dict.fromkeys(step.rule.name for step in users if step.rule))
            findings.append(
                FACTOR_GAP.at(
                    Place(file=f"{book.id}/tables/{spec.table}.csv", subject=name, period=span),
                    clause=spec.clause,
                    label=spec.label.en,
                    key=", ".join(keys) or "—",
                    span=span,
                    rule=rules,
                )
            )
    return findings


def _absent_keys(con: duckdb.DuckDBPyConnection, query: Query, step: Step) -> list[dict[str, str]]:
    """The keys at which a step's value is absent though its rows are there."""
    keys = ", ".join(step.keys) or "1"
    found = con.execute(
        f"{query.chain(step)} SELECT DISTINCT {keys} FROM {step.name} WHERE value IS NULL"
    ).fetchall()
    return [dict(zip(step.keys, row, strict=False)) for row in found]


def _same_keys(row: dict[str, str], names: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return all(row.get(name, word) == word for name, word in zip(names, words, strict=True))


def _users(query: Query, factor: str) -> list[Step]:
    """Counting steps whose formula, or a property it uses, cannot do without the factor."""
    direct = [
        step
        for step in query.steps
        if step.formula is not None and f"x_{factor}" in step.inputs.values() and not _has_spare(step, factor)
    ]
    found: dict[str, Step] = {}
    waiting = direct
    while waiting:
        step = waiting.pop()
        if step.describes:
            waiting.extend(other for other in query.steps if step.name in (*other.inputs.values(), *other.parts))
        else:
            found.setdefault(step.name, step)
    return list(found.values())


def _has_spare(step: Step, factor: str) -> bool:
    """Whether the factor is the first of first_given terms: a later term may stand in for it."""
    for node in step.formula.walk() if step.formula is not None else ():
        if isinstance(node, FirstGiven) and isinstance(node.terms[0], Ref) and node.terms[0].name == factor:
            return True
    return False

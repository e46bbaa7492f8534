"""Query + facts -> Result: run the one query and keep what makes the answer checkable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb

from celadon.core.carriers import CARRIERS
from celadon.core.findings import Finding, FindingKind, Place
from celadon.core.model import Plant
from celadon.core.periods import Period
from celadon.engine.compile import compile_query
from celadon.engine.lookup import FACTOR_GAP, FACTOR_RECALLED, FACTOR_REPLACED, Lookup
from celadon.engine.request import Request
from celadon.engine.steps import Query, Step, Summary
from celadon.engine.variants import check_variants
from celadon.rules.expr import FirstGiven, refs
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
    findings = [*query.findings, *factor_findings(con, book, query), *check_variants(con, query)]
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


def factor_findings(con: duckdb.DuckDBPyConnection, book: Rulebook, query: Query) -> list[Finding]:
    """What there is to say about factors that rows came to use: gaps, stand-ins, carried and unchecked rows."""
    teller = _FactorTeller(con, book, query)
    return [finding for name in query.lookups for finding in teller.about(name)]


@dataclass
class _FactorTeller:
    """Asks each step once which keys it has, and what became of them."""

    con: duckdb.DuckDBPyConnection
    book: Rulebook
    query: Query
    known: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def about(self, name: str) -> Iterator[Finding]:
        lookup = self.query.lookups[name]
        if not (lookup.gaps or lookup.marks):
            return
        users = _users(self.query, name)
        rows = [row for step in users for row in self.rows(step)]
        for keys, finding in lookup.marks:
            part = "recalled" if finding.kind is FACTOR_RECALLED else "given"
            if any(row[part] and _same_keys(row, lookup.keys, keys) for row in rows):
                yield finding
        spare = [step for step in users if _has_spare(self.query, step, name)]
        firm = [step for step in users if step not in spare]
        yield from self._gaps(
            name, FACTOR_GAP, [row for step in firm for row in self.rows(step) if not row["given"]], firm
        )
        if lookup.spec.on_gap in ("next", "latest_earlier"):
            taken = [row for step in spare for row in self.rows(step) if row["defaulted"]]
            yield from self._gaps(name, FACTOR_REPLACED, taken, spare)

    def _gaps(
        self, name: str, kind: FindingKind, rows: list[dict[str, Any]], users: list[Step]
    ) -> Iterator[Finding]:
        lookup, spec = self.query.lookups[name], self.book.factors[name]
        blamed = [gap for gap in lookup.gaps if any(_same_keys(row, lookup.keys, gap[2]) for row in rows)]
        rules = ", ".join(dict.fromkeys(step.rule.name for step in users if step.rule))
        for keys in dict.fromkeys(gap[2] for gap in blamed):
            months = [month.day for _, month, other in blamed if other == keys]
            span = f"{min(months):%Y-%m}" + (f"..{max(months):%Y-%m}" if len(set(months)) > 1 else "")
            sites = ", ".join(dict.fromkeys(site for site, _, other in blamed if other == keys))
            where = Place(file=f"{self.book.id}/tables/{spec.table}.csv", subject=name, period=span)
            yield kind.at(
                where,
                clause=spec.clause,
                label=spec.label.en,
                key=", ".join(keys) or sites,
                span=span,
                rule=rules,
            )

    def rows(self, step: Step) -> list[dict[str, Any]]:
        """The distinct keys of a step, and what became of them; rows whose own data are absent are nobody's fault."""
        if step.name not in self.known:
            keys = "".join(f"s.{key}, " for key in step.keys)
            joins, tests = self._drivers(step)
            sql = (
                f"{self.query.chain(step)} SELECT DISTINCT {keys}s.value IS NOT NULL, coalesce(s.recalled, 0e0) > 0e0, "
                f"coalesce(s.defaulted, 0e0) > 0e0 FROM {step.name} AS s{joins}{tests}"
            )
            names = (*step.keys, "given", "recalled", "defaulted")
            self.known[step.name] = [
                dict(zip(names, row, strict=True)) for row in self.con.execute(sql).fetchall()
            ]
        return self.known[step.name]

    def _drivers(self, step: Step) -> tuple[str, str]:
        """Joins to the counting inputs with the step's own rows, and the test that their values are there."""
        names = dict.fromkeys(step.inputs.values())
        inputs = [self.query.step(name) for name in names]
        drivers = [
            one
            for one in inputs
            if one.kind != "factor" and not one.describes and one.columns == step.columns
        ]
        joins = "".join(
            f" JOIN {one.name} AS d{n} USING ({', '.join(step.columns)})" for n, one in enumerate(drivers)
        )
        tests = " AND ".join(f"d{n}.value IS NOT NULL" for n in range(len(drivers)))
        return joins, f" WHERE {tests}" if tests else ""


def _same_keys(row: Mapping[str, Any], names: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return all(row.get(name, word) == word for name, word in zip(names, words, strict=True))


def _users(query: Query, factor: str) -> list[Step]:
    """Steps whose formula uses the factor, or a property that does: those that count, and properties that were asked for."""
    asked = {name for _, name in query.outputs}
    direct = [step for step in query.steps if f"x_{factor}" in step.inputs.values()]
    found: dict[str, Step] = {}
    waiting = direct
    while waiting:
        step = waiting.pop()
        if step.describes:
            waiting.extend(
                other for other in query.steps if step.name in (*other.inputs.values(), *other.parts)
            )
        if not step.describes or step.name in asked:
            found.setdefault(step.name, step)
    return list(found.values())


def _has_spare(query: Query, step: Step, factor: str) -> bool:
    """Whether a later term of first_given may stand in for the factor, here or in a property that is used here."""
    for node in step.formula.walk() if step.formula is not None else ():
        if isinstance(node, FirstGiven) and factor in refs(node.terms[0]):
            return True
    below = [query.step(name) for name in (*step.inputs.values(), *step.parts)]
    return any(
        other.describes and other.kind != "fact" and _has_spare(query, other, factor) for other in below
    )

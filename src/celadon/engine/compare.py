"""Two results -> what changed, by how much, and which fact, factor, option or rule moved it.

The way from before to after is walked in single swaps (each changed fact quantity, each changed factor, then the
rulebook with its options); every swap's effect is a line, and a row's lines sum to its difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import UTC
from itertools import pairwise
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.facts import FACT_COLUMNS
from celadon.core.findings import Finding
from celadon.core.model import Plant
from celadon.core.periods import Period
from celadon.engine.lookup import Lookup
from celadon.engine.request import Request
from celadon.engine.run import Result, Row, run
from celadon.rules.rulebook import Rulebook

Cell = tuple[str, str, str, str, str, str, str, str]
"""quantity, item, purpose, enterprise, site, process, meter, period label."""


@dataclass(frozen=True)
class Scenario:
    """One side of a comparison: a table of facts and what is asked of it."""

    book: Rulebook
    plant: Plant
    request: Request
    facts: str


@dataclass(frozen=True, slots=True)
class Cause:
    """What one swap did to one row; `kind`: fact, factor, option or rule."""

    kind: str
    name: str
    difference: float
    detail: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row before and after; the causes' differences sum to the difference (None = absent on a side)."""

    quantity: str
    item: str
    purpose: str
    site: str
    process: str
    meter: str
    period: str
    unit: str
    before: float | None
    after: float | None
    causes: tuple[Cause, ...]

    @property
    def difference(self) -> float:
        return (self.after or 0.0) - (self.before or 0.0)


@dataclass(frozen=True)
class Comparison:
    """All rows that changed, the count of those that did not, and both results."""

    lines: tuple[Line, ...]
    unchanged: int
    before: Result
    after: Result
    findings: tuple[Finding, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Shape `comparison/1`."""
        names = (
            "quantity",
            "item",
            "purpose",
            "site",
            "process",
            "meter",
            "period",
            "unit",
            "before",
            "after",
            "difference",
        )
        return {
            "shape": "comparison/1",
            "before": _side(self.before),
            "after": _side(self.after),
            "unchanged": self.unchanged,
            "lines": [
                {
                    **{name: getattr(line, name) for name in names},
                    "causes": [
                        {"kind": c.kind, "name": c.name, "difference": c.difference, "detail": c.detail}
                        for c in line.causes
                    ],
                }
                for line in self.lines
            ],
        }


def _side(result: Result) -> dict[str, Any]:
    return {
        "rulebook": result.book.id,
        "edition": result.book.edition,
        "digest": result.book.digest,
        "options": dict(result.request.options),
        "factors_as_of": result.request.factors_as_of.isoformat() if result.request.factors_as_of else None,
        "facts_digest": result.facts_digest,
        "as_of": result.as_of.isoformat() if result.as_of else None,
    }


def compare(con: duckdb.DuckDBPyConnection, before: Scenario, after: Scenario) -> Comparison:
    """Compare two scenarios whose fact tables are both on `con`."""
    first = run(con, before.book, before.plant, before.request, facts=before.facts)
    last = run(con, after.book, after.plant, after.request, facts=after.facts)
    units = {_cell(row): row.unit for row in (*first.rows, *last.rows)}
    states: list[tuple[str, str, str, dict[Cell, float | None]]] = [("", "", "", _values(first))]
    for name, detail, mixed in _fact_swaps(con, before, after):
        states.append(
            ("fact", name, detail, _values(run(con, before.book, before.plant, before.request, facts=mixed)))
        )
    states.extend(_factor_swaps(con, before, after, first, last))
    kind, name, detail = _rest(before, after)
    states.append((kind, name, detail, _values(last)))
    lines, unchanged = [], 0
    for cell in dict.fromkeys([*states[0][3], *states[-1][3]]):
        line = _line(cell, units[cell], states)
        if line is None:
            unchanged += 1
        else:
            lines.append(line)
    return Comparison(tuple(lines), unchanged, first, last, last.findings)


def _cell(row: Row) -> Cell:
    return (row.quantity, row.item, row.purpose, row.enterprise, row.site, row.process, row.meter, row.label)


def _values(result: Result) -> dict[Cell, float | None]:
    return {_cell(row): row.value for row in result.rows}


def _line(cell: Cell, unit: str, states: list[tuple[str, str, str, dict[Cell, float | None]]]) -> Line | None:
    before, after = states[0][3].get(cell), states[-1][3].get(cell)
    # Adding in another order moves the last bits of a sum: that is no change and no cause.
    noise = 1e-13 * max(abs(before or 0.0), abs(after or 0.0))
    if (before is None) == (after is None) and abs((after or 0.0) - (before or 0.0)) <= noise:
        return None
    causes = []
    for (_, _, _, earlier), (kind, name, detail, later) in pairwise(states):
        change = (later.get(cell) or 0.0) - (earlier.get(cell) or 0.0)
        if abs(change) > noise or (later.get(cell) is None) != (earlier.get(cell) is None):
            causes.append(Cause(kind, name, change, detail))
    quantity, item, purpose, _, site, process, meter, period = cell
    return Line(quantity, item, purpose, site, process, meter, period, unit, before, after, tuple(causes))


_ROW = ", ".join(FACT_COLUMNS)
_DATA = ", ".join(name for name in FACT_COLUMNS if name != "source")


def _fact_swaps(
    con: duckdb.DuckDBPyConnection, before: Scenario, after: Scenario
) -> Iterable[tuple[str, str, str]]:
    """One table of facts per changed quantity: what has been swapped so far from after, the rest from before."""
    if before.facts == after.facts:
        return
    changed = con.execute(
        f"SELECT DISTINCT quantity FROM ((SELECT {_DATA} FROM {before.facts} EXCEPT SELECT {_DATA} FROM {after.facts}) UNION ALL "
        f"(SELECT {_DATA} FROM {after.facts} EXCEPT SELECT {_DATA} FROM {before.facts})) ORDER BY 1"
    ).fetchall()
    swapped: list[str] = []
    for (name,) in changed:
        swapped.append(name)
        marks = ", ".join("?" for _ in swapped)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE facts_mixed AS SELECT {_ROW} FROM {after.facts} WHERE quantity IN ({marks}) "
            f"UNION ALL SELECT {_ROW} FROM {before.facts} WHERE quantity NOT IN ({marks})",
            [*swapped, *swapped],
        )
        yield name, _fact_detail(con, before, after, name), "facts_mixed"
    con.execute("DROP TABLE IF EXISTS temp.facts_mixed")


def _fact_detail(con: duckdb.DuckDBPyConnection, before: Scenario, after: Scenario, name: str) -> str:
    """How many facts changed, and the largest change with its place and local span."""
    rows = con.execute(
        "SELECT item, site, process, meter, time_start, time_end, unit, b.value, a.value, "
        "count(*) OVER () FROM (SELECT * FROM "
        + before.facts
        + " WHERE quantity = $1) b FULL JOIN (SELECT * FROM "
        + after.facts
        + " WHERE quantity = $1) a "
        "USING (item, purpose, enterprise, site, process, meter, time_start, time_end, unit) "
        "WHERE b.value IS DISTINCT FROM a.value ORDER BY abs(coalesce(a.value, 0) - coalesce(b.value, 0)) DESC LIMIT 1",
        [name],
    ).fetchone()
    if rows is None:
        return "status or coverage only"
    item, site, process, meter, start, end, unit, old, new, count = rows
    zone_name = next((one.zone for one in after.plant.sites if one.id == site), after.plant.zone)
    span = Period(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC), zone_name).label
    place = " ".join(word for word in (item, site, process, meter) if word)
    more = f" (+{count - 1})" if count > 1 else ""
    return f"{place} {span}: {_shown(old)} → {_shown(new)} {unit}{more}"


def _shown(value: float | None) -> str:
    return "absent" if value is None else f"{value:.10g}"


def _factor_swaps(
    con: duckdb.DuckDBPyConnection, before: Scenario, after: Scenario, first: Result, last: Result
) -> Iterable[tuple[str, str, str, dict[Cell, float | None]]]:
    """Swap the chosen values of each factor that both sides know and that differ, one by one, on the new facts."""
    lookups: dict[str, Lookup] = {}
    for name, old in first.query.lookups.items():
        new = last.query.lookups.get(name)
        if new is None or new.keys != old.keys or not new.spec.unit.same_kind(old.spec.unit):
            continue
        detail = _factor_detail(old, new)
        if not detail:
            continue
        lookups[name] = new
        result = run(con, before.book, before.plant, before.request, facts=after.facts, lookups=dict(lookups))
        yield "factor", name, detail, _values(result)


def _factor_detail(old: Lookup, new: Lookup) -> str:
    before = {(item.site, item.month.day, item.keys): item for item in old.chosen}
    after = {(item.site, item.month.day, item.keys): item for item in new.chosen}
    for mark in dict.fromkeys([*before, *after]):
        left, right = before.get(mark), after.get(mark)
        if (left.value if left else None) != (right.value if right else None):
            return f"{' '.join(mark[2])} {_factor_words(left)} → {_factor_words(right)}".strip()
    return ""


def _factor_words(item: Any) -> str:
    if item is None:
        return "absent"
    source = item.row.source if item.row else item.entry.source if item.entry else ""
    return f"{_shown(item.value)} ({source})" if source else _shown(item.value)


def _changed_rules(before: Rulebook, after: Rulebook) -> list[str]:
    """Rules that are in both and differ, each with both formulas; then names that only one of them has."""
    old, new = (
        {name: " | ".join(rule.formula_text for rule in rules) for name, rules in book.rules.items()}
        for book in (before, after)
    )
    said = [f"{name}: {old[name]} → {new[name]}" for name in old if name in new and old[name] != new[name]]
    return [
        *said,
        *(f"− {name}" for name in old if name not in new),
        *(f"+ {name}" for name in new if name not in old),
    ][:20]


def _rest(before: Scenario, after: Scenario) -> tuple[str, str, str]:
    """What is left when facts and common factors are the same: options, or the rules of another edition."""
    if before.book.digest != after.book.digest:
        return (
            "rule",
            f"{before.book.id} → {after.book.id}",
            f"{before.book.edition} {before.book.digest[:12]} → {after.book.edition} {after.book.digest[:12]}"
            + "".join(f"; {item}" for item in _changed_rules(before.book, after.book)),
        )
    old: Mapping[str, str] = before.request.checked(before.book).options
    new: Mapping[str, str] = after.request.checked(after.book).options
    changed = [f"{name}: {old[name]} → {new[name]}" for name in old if old[name] != new.get(name)]
    return "option", ", ".join(name.split(":")[0] for name in changed) or "topology", "; ".join(changed)

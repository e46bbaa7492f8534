"""Amounts recorded for several months at once, where what they are multiplied with changes from month to month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import duckdb

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.model import Plant
from celadon.core.periods import zone
from celadon.core.text import Text
from celadon.engine.chain_rows import utc
from celadon.engine.pieces import text
from celadon.engine.steps import Query, Step
from celadon.rules.rulebook import Rulebook

FACT_LONG = FindingKind(
    "fact.months-differ",
    Severity.WARNING,
    Text(en="One amount for months that differ", zh="多月合计数量遇到逐月变化的参数"),
    Text(
        en="{label} ({name}) is recorded for {first} to {last} at once, and {other} changes within it: "
        "that of the first month is used for the whole.",
        zh="{label}（{name}）按 {first} 至 {last} 合计录入，而期间内{other}有变化：整段均按首月取值。",
    ),
    Text(
        en="Record the amount by month, or give {other} as one mean for the same span.",
        zh="请按月录入数量，或为同一时段给出{other}的加权平均值。",
    ),
)
_LONGER = "INTERVAL 31 DAY"


def span_findings(
    con: duckdb.DuckDBPyConnection, query: Query, book: Rulebook, plant: Plant, facts: str
) -> list[Finding]:
    """A finding per amount and what changes while it lasts; `facts` names the table that the query reads."""
    zones = {site.id: zone(site.zone) for site in plant.sites}
    long = con.execute(
        f"SELECT DISTINCT quantity, site, item, time_start, time_end FROM {facts} "
        f"WHERE value IS NOT NULL AND time_end > time_start + {_LONGER} ORDER BY ALL"
    ).fetchall()
    long = [row for row in long if row[0] in book.facts and book.facts[row[0]].adds]
    if not long:
        return []
    found: dict[tuple[str, str], Finding] = {}
    for name, step in dict.fromkeys(_pairs(query)):
        other = query.step(step)
        for quantity, site, item, start, end in long:
            if quantity != name or (name, other.quantity) in found:
                continue
            if _changes(con, query, book, facts, name, other, (site, item, start, end)):
                days = [
                    utc(one).astimezone(zones[site]).date() for one in (start, end - timedelta(seconds=1))
                ]
                found[name, other.quantity] = FACT_LONG.at(
                    Place(subject=f"{name}:{item}" if item else name),
                    name=name,
                    label=book.label(name),
                    other=book.label(other.quantity),
                    first=days[0],
                    last=days[1],
                )
    return list(found.values())


def _pairs(query: Query) -> Iterator[tuple[str, str]]:
    """(amount, step of a property or factor) that one formula multiplies, of what was asked."""
    steps, live = {step.name: step for step in query.steps}, query.live()
    for step in query.steps:
        if step.name not in live or step.describes or step.kind not in ("rule", "term"):
            continue
        inputs = [steps[name] for name in step.inputs.values()]
        amounts = [one for one in inputs if one.kind != "factor" and not one.describes]
        for change in (one for one in inputs if one.kind == "factor" or one.describes):
            for name in _facts_below(steps, amounts):
                yield from ((name, one.name) for one in _changing(steps, change))


def _facts_below(steps: dict[str, Step], of: list[Step]) -> list[str]:
    found: dict[str, None] = {}
    waiting = list(of)
    while waiting:
        step = waiting.pop()
        if step.kind == "fact" and not step.describes:
            found[step.quantity] = None
        waiting += [
            below
            for name in (*step.inputs.values(), *step.parts)
            if (below := steps[name]).kind != "factor" and not below.describes
        ]
    return list(found)


def _changing(steps: dict[str, Step], of: Step) -> Iterator[Step]:
    waiting = [of]
    while waiting:
        step = waiting.pop()
        if step.kind in ("fact", "factor"):
            yield step
        waiting += [steps[name] for name in (*step.inputs.values(), *step.parts)]


def _changes(
    con: duckdb.DuckDBPyConnection,
    query: Query,
    book: Rulebook,
    facts: str,
    name: str,
    other: Step,
    span: tuple[str, str, datetime, datetime],
) -> bool:
    """Whether a property or a factor has several values in the months of one amount."""
    site, item, start, end = span
    if other.kind == "factor":
        lookup = query.lookups[other.quantity]
        values: dict[tuple[str, ...], set[float | None]] = {}
        for one in lookup.chosen:
            inside = one.month.site == site and one.month.end > utc(start) and one.month.start < utc(end)
            if inside and (item in one.keys or not set(other.keys) & set(book.facts[name].grain.keys)):
                values.setdefault(one.keys, set()).add(one.value)
        return any(len(some) > 1 for some in values.values())
    shared = set(book.facts[name].grain.keys) & set(other.keys) - {"purpose"}
    same = f"AND item = {text(item)}" if shared else ""
    rows = con.execute(
        f"SELECT count(DISTINCT value), min(time_start) > ? OR max(time_end) < ? FROM {facts} WHERE quantity = ? AND site = ? "
        f"AND time_start < ? AND time_end > ? {same} GROUP BY item, purpose",
        [start, end, other.quantity, site, end, start],
    ).fetchall()
    return any(count > 1 or partly for count, partly in rows)

"""The months of facts: amounts for several at once whose parameters change among them, ratios of what is not there in the same."""

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
from celadon.engine.steps import LONGER, Query, Step, item_key
from celadon.rules.expr import Binary, Expr, Ref, Total
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
        en="Record the amount by month: the mean of a longer span is weighted by the months' amounts, which only they tell. Or give "
        "{other} as one mean so weighted, for the same span.",
        zh="请按月录入数量：较长时段的平均值按各月数量加权，须有逐月数量才能得出。也可为同一时段给出如此加权的{other}平均值。",
    ),
)
MONTHS_UNEQUAL = FindingKind(
    "fact.months-unequal",
    Severity.WARNING,
    Text(en="A ratio of unequal months", zh="比率两侧的月份不一致"),
    Text(
        en="{label} ({rule}) divides {above} by {below}, which are not there in the same months: {lacking} lacks {months}.",
        zh="{label}（{rule}）以{above}除以{below}，两者月份不一致：{lacking}缺 {months}。",
    ),
    Text(
        en="Enter what is missing, or 0 where there was none; else the ratio compares different times.",
        zh="请补录缺失的数据，确无发生时录入 0；否则该比率比较的是不同时段。",
    ),
)
_SAID = 3
"""Months that are named; of more it says how many."""


def span_findings(
    con: duckdb.DuckDBPyConnection, query: Query, book: Rulebook, plant: Plant, facts: str
) -> list[Finding]:
    """A finding per amount and what changes while it lasts; `facts` names the table that the query reads."""
    zones = {site.id: zone(site.zone) for site in plant.sites}
    long = con.execute(
        f"SELECT DISTINCT quantity, site, item, time_start, time_end FROM {facts} "
        f"WHERE value IS NOT NULL AND time_end > time_start + {LONGER} ORDER BY ALL"
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
                asked = book.facts.get(other.quantity) or book.factors.get(other.quantity)
                found[name, other.quantity] = FACT_LONG.at(
                    Place(subject=f"{name}:{item}" if item else name),
                    clause=asked.clause if asked is not None else None,
                    name=name,
                    label=book.label(name),
                    other=book.label(other.quantity),
                    first=days[0],
                    last=days[1],
                )
    return list(found.values())


def ratio_findings(
    con: duckdb.DuckDBPyConnection, query: Query, book: Rulebook, plant: Plant, facts: str
) -> list[Finding]:
    """A finding per ratio whose two sides were not recorded in the same months: the energy of eleven, the output of twelve."""
    found: dict[tuple[str, str], Finding] = {}
    ratios = list(_ratios(query))
    rows = _recorded(con, facts, plant, {name for _, *sides in ratios for names in sides for name in names})
    for rule, above, below in ratios:
        sides = [_months(rows, book, names) for names in (above, below)]
        for group in sides[0].keys() & sides[1].keys():
            one, other = sides[0][group], sides[1][group]
            if min(len(one), len(other)) < _FEWEST or one == other:
                continue
            lacking = above if len(one - other) <= len(other - one) else below
            missing = [
                f"{at // 12}-{at % 12 + 1:02}"
                for at in sorted((one | other) - (one if lacking is above else other))
            ]
            months = ", ".join(missing[:_SAID]) + (f" … +{len(missing) - _SAID}" if missing[_SAID:] else "")
            site, item = group
            found[rule, f"{site}:{item}"] = MONTHS_UNEQUAL.at(
                Place(subject=f"{rule}:{item}" if item else rule),
                rule=rule,
                label=book.label(rule),
                above=_named(book, above),
                below=_named(book, below),
                lacking=_named(book, lacking),
                months=months,
            )
    return [found[mark] for mark in sorted(found)]


_FEWEST = 2
"""Months that both sides must have before they are compared: a year's sum may stand in any one month."""


def _named(book: Rulebook, names: tuple[str, ...]) -> Text:
    labels = [book.label(name) for name in names]
    return Text(" + ".join(label.en for label in labels), "＋".join(label.zh for label in labels))


def _ratios(query: Query) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """(rule, amounts above, amounts below) of the divisions of what was asked."""
    steps, live = {step.name: step for step in query.steps}, query.live()
    for step in query.steps:
        if step.name not in live or step.describes or step.kind != "rule" or step.formula is None:
            continue
        for node in step.formula.walk():
            if isinstance(node, Binary) and node.op == "/":
                above, below = (
                    tuple(sorted(_facts_below(steps, _inputs(steps, step, side))))
                    for side in (node.left, node.right)
                )
                if above and below and not set(above) & set(below):
                    yield step.quantity, above, below


def _inputs(steps: dict[str, Step], step: Step, side: Expr) -> list[Step]:
    """The amounts that one side of a division reads."""
    names = [
        step.inputs.get(node.name if isinstance(node, Ref) else f"total:{id(node)}", "")
        for node in side.walk()
        if isinstance(node, Ref | Total)
    ]
    found = [steps[name] for name in names if name]
    return [one for one in found if one.kind != "factor" and not one.describes]


Recorded = dict[str, dict[tuple[str, str], set[int]]]
"""Quantity -> (site, item) -> the local months (year × 12 + month − 1) in which it has a value."""


def _recorded(con: duckdb.DuckDBPyConnection, facts: str, plant: Plant, names: set[str]) -> Recorded:
    if not names:
        return {}
    rows = con.execute(
        f"SELECT DISTINCT quantity, site, item, time_start, time_end FROM {facts} "
        "WHERE value IS NOT NULL AND list_contains(?::VARCHAR[], quantity)",
        [sorted(names)],
    ).fetchall()
    zones = {site.id: zone(site.zone) for site in plant.sites}
    known: dict[tuple[str, datetime, datetime], range] = {}
    found: Recorded = {}
    for quantity, site, item, start, end in rows:
        if (site, start, end) not in known:
            first = utc(start).astimezone(zones[site])
            last = max(first, utc(end - timedelta(seconds=1)).astimezone(zones[site]))
            known[site, start, end] = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
        found.setdefault(quantity, {}).setdefault((site, item), set()).update(known[site, start, end])
    return found


def _months(rows: Recorded, book: Rulebook, names: tuple[str, ...]) -> dict[tuple[str, str], set[int]]:
    """(site, item) -> the months in which any of these amounts has a value; the item where all have the same key."""
    keys = {item_key(book.facts[name]) for name in names}
    apart = len(keys) == 1 and None not in keys
    found: dict[tuple[str, str], set[int]] = {}
    for name in names:
        for (site, item), months in rows.get(name, {}).items():
            found.setdefault((site, item if apart else ""), set()).update(months)
    return found


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

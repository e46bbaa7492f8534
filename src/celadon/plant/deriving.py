"""Facts that another rulebook calculates: what was measured once is not typed in again for the next rulebook.

The plant file's `derived` says which result of which rulebook is which fact: the comprehensive energy of the kiln is the
energy charged to clinker. A value that was recorded stands; the calculated one is then told beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.facts import FACT_COLUMNS, Status
from celadon.core.findings import Finding, FindingError, FindingKind, Severity
from celadon.core.model import Derived
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import Grain
from celadon.core.quantities import Space
from celadon.core.text import Text
from celadon.core.units import Unit
from celadon.engine.quality import NO_QUALITY, Quality
from celadon.engine.request import Request
from celadon.engine.run import Result, Row
from celadon.plant.opened import View
from celadon.rules.rulebook import Rulebook

DERIVED_CIRCLE = FindingKind(
    "derived.circle",
    Severity.ERROR,
    Text(en="A calculated fact needs itself", zh="推算量循环"),
    Text(
        en="{quantity} is calculated by {rulebook}, which needs it: {path}.",
        zh="{quantity} 由 {rulebook} 计算，而后者又需要它：{path}。",
    ),
    Text(en="Record it, or calculate it by another rulebook.", zh="请直接记录，或改用其他规则集计算。"),
)
DERIVED_SEVERAL = FindingKind(
    "derived.several",
    Severity.ERROR,
    Text(en="Several values for one calculated fact", zh="推算量有多个取值"),
    Text(
        en="{of} of {rulebook} has {count} values for {quantity} in one period, and they cannot be added.",
        zh="{rulebook} 的 {of} 在同一期间有 {count} 个值对应 {quantity}，且不可相加。",
    ),
    Text(
        en="Name the one meant under `where:` (carrier, purpose), `site:` or `process:`.",
        zh="请在 `where:`（品种、用途）、`site:` 或 `process:` 中指明。",
    ),
)
DERIVED_NOTHING = FindingKind(
    "derived.nothing",
    Severity.WARNING,
    Text(en="Nothing to calculate a fact from", zh="推算量无结果"),
    Text(
        en="{of} of {rulebook} has no value that {quantity} could be taken from.",
        zh="{rulebook} 的 {of} 没有可用于 {quantity} 的值。",
    ),
    Text(
        en="Look at it with `celadon account --rulebook {rulebook} --quantity {of}`; check `where:` and `process:`.",
        zh="可用 `celadon account --rulebook {rulebook} --quantity {of}` 查看；并检查 `where:` 与 `process:`。",
    ),
)
DERIVED_RECORDED = FindingKind(
    "derived.recorded",
    Severity.NOTICE,
    Text(en="A recorded value goes before the calculated one", zh="以记录值代替推算值"),
    Text(
        en="{quantity} {item} is recorded in {count} periods; {rulebook} would calculate {value} {unit} there.",
        zh="{quantity} {item} 在 {count} 个期间已有记录；{rulebook} 的推算值为 {value} {unit}。",
    ),
    Text(
        en="Nothing, where the record is the verified value; else take it out, or `derived` out of the plant file.",
        zh="若记录为核查值则无需处理；否则请删除该记录，或从工厂文件中去掉该推算项。",
    ),
)

SOURCE = "derived"
"""How the source of a calculated fact begins: `derived:<number in the plant file>`."""
Answer = Callable[[Rulebook, Request, tuple[str, ...]], tuple[Result, Sequence[Rulebook]]]
"""Runs a request on this view's facts: the result, and the rulebooks that calculated facts for it. The ids say on whose
behalf it runs (a circle ends there)."""


@dataclass
class Derivations:
    """The calculated facts that one rulebook asks for."""

    seen: View
    book: Rulebook
    load: Callable[[str], Rulebook]
    answer: Answer
    chain: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    books: list[Rulebook] = field(default_factory=list)
    """The rulebooks that calculated, directly or for another."""

    def due(self) -> list[tuple[int, Derived]]:
        """Those of the plant file that are facts of this rulebook."""
        wanted = [
            (number, item)
            for number, item in enumerate(self.seen.model.derived)
            if item.quantity in self.book.facts and item.rulebook != self.book.id
        ]
        return [(number, item) for number, item in wanted if not self._circle(item)]

    def rows(self, item: Derived, asked: Request, grain: Grain) -> list[Row]:
        """What the other rulebook gives for it, per place and `grain`; findings tell what is wrong."""
        try:
            book = self.load(item.rulebook)
            space = Space.PROCESS if item.process else Space.SITE
            options = dict(dict(self.seen.model.options).get(book.id, ()))
            request = Request(asked.period, space, grain, (item.of,), options, asked.factors_as_of)
            result, others = self.answer(book, request.checked(book), (*self.chain, self.book.id))
            self.books += [book, *others]
        except FindingError as error:
            self.findings += [replace(found, where=item.where) for found in error.findings]
            return []
        self.findings += result.findings
        rows = [row for row in result.rows_of(item.of) if meant(row, item)]
        if not rows:
            self._say(DERIVED_NOTHING, item)
        places: dict[tuple[str, str, datetime], list[Row]] = {}
        for row in rows:
            places.setdefault((row.site, row.process, row.start), []).append(row)
        if not _adds(book, item.of) and len(places) < len(rows):
            self._say(DERIVED_SEVERAL, item, count=max(map(len, places.values())))
            return []
        return [_added(same) for same in places.values()]

    def _circle(self, item: Derived) -> bool:
        path = (*self.chain, self.book.id)
        if item.rulebook not in path:
            return False
        self._say(DERIVED_CIRCLE, item, path=" → ".join([*path, item.rulebook]))
        return True

    def _say(self, kind: FindingKind, item: Derived, **values: Any) -> None:
        known: dict[str, Any] = {
            "quantity": item.quantity,
            "rulebook": item.rulebook,
            "of": item.of,
            "item": item.item,
        }
        names = {name for text in (kind.says.en, kind.fix.en) for name in known if f"{{{name}}}" in text}
        self.findings.append(kind.at(item.where, **{name: known[name] for name in names}, **values))

    def told(self, item: Derived, rows: Sequence[Row]) -> None:
        """Say that records stand in place of these rows."""
        value = sum(row.value or 0.0 for row in rows)
        shown = f"{value:.6g}"
        self._say(DERIVED_RECORDED, item, count=len(rows), value=shown, unit=rows[0].unit)


def derived_of(model: PlantModel, source: str) -> Derived:
    """What of the plant file a calculated fact's source means."""
    return model.derived[int(source.split(":")[1])]


def _adds(book: Rulebook, name: str) -> bool:
    return book.facts[name].adds if name in book.facts else all(rule.adds for rule in book.rules[name])


def _added(rows: Sequence[Row]) -> Row:
    """Rows of several keys as one: what is there adds, and coverage says what is not."""
    if len(rows) == 1:
        return rows[0]
    given = [row for row in rows if row.value is not None]
    size = sum(abs(row.value or 0.0) for row in given)
    weights = [abs(row.value or 0.0) / size if size else 1 / len(given) for row in given]
    quality = Quality(
        **{
            name: sum(weight * row.quality.shares()[name] for weight, row in zip(weights, given, strict=True))
            for name in NO_QUALITY.shares()
        }
    )
    value = sum(row.value or 0.0 for row in given) if given else None
    coverage = sum(row.coverage for row in rows) / len(rows)
    return replace(rows[0], value=value, quality=quality, coverage=coverage)


def meant(row: Row, item: Derived) -> bool:
    """Whether a row of the other rulebook's result is one that the plant file names."""
    where = dict(item.keys)
    return (
        (not item.site or row.site == item.site)
        and (not item.process or row.process == item.process)
        and row.purpose == where.get("purpose", row.purpose)
        and all(row.item == word for key, word in where.items() if key != "purpose")
    )


def insert(
    con: duckdb.DuckDBPyConnection,
    table: str,
    made: Derivations,
    due: Sequence[tuple[int, Derived]],
    asked: Request,
    grain: Grain,
) -> None:
    """Add the calculated facts to `table`, except where it holds recorded ones of the same key and place."""
    for number, item in due:
        rows = made.rows(item, asked, grain) or _absent(made, item, asked)
        recorded = _recorded(con, table, item)
        standing = [row for row in rows if any(_covers(span, row) for span in recorded)]
        if standing:
            made.told(item, standing)
        unit = made.book.facts[item.quantity].unit
        fresh = [list(_fact(row, item, number, unit)) for row in rows if row not in standing]
        if fresh:
            marks = ", ".join([f"({', '.join('?' * len(FACT_COLUMNS))})"] * len(fresh))
            con.execute(f"INSERT INTO {table} VALUES {marks}", [cell for row in fresh for cell in row])


def _absent(made: Derivations, item: Derived, asked: Request) -> list[Row]:
    """What cannot be calculated is due and missing, not nothing: a row without a value at each place meant."""
    model, span = made.seen.model, asked.period
    unit = made.book.facts[item.quantity].unit.text
    sites = [site for site in model.sites if item.site in (None, site.id)]
    places = [
        (site.id, item.process or "")
        for site in sites
        if item.process is None or item.process in {process.id for process in site.processes}
    ]
    where = (model.enterprise, "", span.start, span.end, None, unit, NO_QUALITY, 0.0, span.label)
    return [Row(item.of, "", "", where[0], site, process, *where[1:]) for site, process in places]


def _recorded(
    con: duckdb.DuckDBPyConnection, table: str, item: Derived
) -> list[tuple[str, datetime, datetime]]:
    found = con.execute(
        f"SELECT DISTINCT site, time_start, time_end FROM {table} WHERE quantity = ? AND item = ? AND purpose = ? "
        f"AND NOT starts_with(source, '{SOURCE}:')",
        [item.quantity, item.item, item.purpose],
    ).fetchall()
    return [(site, start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)) for site, start, end in found]


def _covers(span: tuple[str, datetime, datetime], row: Row) -> bool:
    site, start, end = span
    return (site == row.site and start < row.end and max(end, start) > row.start) or span == (
        row.site,
        row.start,
        row.end,
    )


def _in(unit: str, asked: Unit) -> str:
    """Carbon dioxide counts as its own equivalent: the warming potential of CO2 is 1 by definition (IPCC)."""
    as_equivalent = unit.replace("CO2", "CO2e") if "CO2e" not in unit else unit
    return as_equivalent if "CO2e" in asked.text else unit


def _fact(row: Row, item: Derived, number: int, asked: Unit) -> Iterator[object]:
    absent, size = row.value is None, abs(row.value or 0.0)
    status, quality = (Status.ABSENT if absent else Status.CALCULATED), row.quality
    values = {
        "quantity": item.quantity,
        "item": item.item,
        "purpose": item.purpose,
        "enterprise": row.enterprise,
        "site": row.site,
        "process": row.process,
        "meter": "",
        "time_start": row.start.astimezone(UTC).replace(tzinfo=None),
        "time_end": row.end.astimezone(UTC).replace(tzinfo=None),
        "value": row.value,
        "unit": _in(row.unit, asked),
        "weight": None,
        "estimated": size * quality.estimated,
        "defaulted": size * quality.defaulted,
        "factored": size * (1 - quality.factorless),
        "verified1": size * (quality.verified1 + quality.own + quality.recalled),
        "own": size * (quality.own + quality.recalled),
        "recalled": size * quality.recalled,
        "coverage": row.coverage,
        "status": int(status),
        "basis": None if absent else int(Status.CALCULATED),
        "source": f"{SOURCE}:{number}",
    }
    return (values[name] for name in FACT_COLUMNS)

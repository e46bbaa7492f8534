"""Two rulebooks on the same facts -> why their totals differ, line by line, summing to the difference exactly.

Each additive fact (quantity, carrier, purpose …) is taken out: what a total loses is that fact's contribution to it.
A fact that only one rulebook counts is a boundary line; one that both count with another effect per unit is a factor line,
with the factor rows each side used. What does not belong to one fact (products of facts, rounding) is a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

from celadon.core.carriers import CARRIERS
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.model import Plant
from celadon.core.text import Text
from celadon.core.units import parse_unit
from celadon.engine.request import Request
from celadon.engine.run import Result, Row, run
from celadon.rules.rulebook import Rulebook

RECONCILE_UNITS = FindingKind(
    "reconcile.units",
    Severity.ERROR,
    Text(en="Totals that measure different things", zh="两个总量量纲不同"),
    Text(
        en="{first} is in {first_unit} and {second} in {second_unit}: they cannot be reconciled.",
        zh="{first} 的单位为 {first_unit}，{second} 的单位为 {second_unit}：无法对账。",
    ),
    Text(
        en="Name the quantities to compare, for example --quantities total_emission,scope_1.",
        zh="请指定要比较的数量，例如 --quantities total_emission,scope_1。",
    ),
)

Group = tuple[str, str, str, str]
"""quantity, item, purpose, site."""
_ROWS_AT_ONCE = 1_000_000
"""Facts that one run is asked of, at most."""


@dataclass(frozen=True)
class Side:
    """One rulebook's total in a reconciliation."""

    book: Rulebook
    request: Request
    quantity: str


@dataclass(frozen=True, slots=True)
class ReconcileLine:
    """One reason. `kind`: boundary (one side counts it), factor (both count it, with another effect), biogenic, or
    interaction (what belongs to no single fact). `before` and `after` are contributions to the two totals."""

    kind: str
    fact: str
    item: str
    purpose: str
    site: str
    amount: float | None
    amount_unit: str
    before: float
    after: float
    before_factors: tuple[str, ...]
    after_factors: tuple[str, ...]

    @property
    def difference(self) -> float:
        return self.after - self.before


@dataclass(frozen=True)
class Reconciliation:
    """The lines sum to `after_total − before_total`, exactly as added here."""

    before: Side
    after: Side
    before_total: float
    after_total: float
    unit: str
    lines: tuple[ReconcileLine, ...]
    findings: tuple[Finding, ...]

    @property
    def difference(self) -> float:
        return self.after_total - self.before_total

    def to_json(self) -> dict[str, Any]:
        """Shape `reconciliation/1`."""
        names = (
            "kind",
            "fact",
            "item",
            "purpose",
            "site",
            "amount",
            "amount_unit",
            "before",
            "after",
            "difference",
        )
        return {
            "shape": "reconciliation/1",
            "before": {
                "rulebook": self.before.book.id,
                "quantity": self.before.quantity,
                "total": self.before_total,
            },
            "after": {
                "rulebook": self.after.book.id,
                "quantity": self.after.quantity,
                "total": self.after_total,
            },
            "unit": self.unit,
            "difference": self.difference,
            "lines": [
                {
                    **{name: getattr(line, name) for name in names},
                    "before_factors": list(line.before_factors),
                    "after_factors": list(line.after_factors),
                }
                for line in self.lines
            ],
        }


def reconcile(
    con: duckdb.DuckDBPyConnection, plant: Plant, before: Side, after: Side, facts: str = "facts"
) -> Reconciliation:
    """Explain why `before` and `after` give different totals for the facts on `con` (whole period, all sites)."""
    first, last = _Ledger(con, plant, before, facts), _Ledger(con, plant, after, facts)
    scale = _scale(before, after, first.unit, last.unit)
    ours, theirs = first.contributions, last.contributions
    lines = [
        line
        for group in dict.fromkeys([*ours, *theirs])
        if (line := _line(group, ours.get(group, 0.0), theirs.get(group, 0.0) * scale, first, last))
    ]
    before_total, after_total = first.total, last.total * scale
    rest = (after_total - before_total) - sum(line.difference for line in lines)
    if abs(rest) > 1e-12 * max(abs(before_total), abs(after_total), 1.0):
        lines.append(ReconcileLine("interaction", "", "", "", "", None, "", 0.0, rest, (), ()))
    lines.sort(key=lambda line: -abs(line.difference))
    findings = (*first.result.findings, *last.result.findings)
    return Reconciliation(before, after, before_total, after_total, first.unit, tuple(lines), findings)


def _scale(before: Side, after: Side, first: str, last: str) -> float:
    """Into the first side's unit; a mass of CO2 and one of CO2e meet one to one, as every GWP set says of CO2."""
    left, right = parse_unit(first.replace("CO2e", "CO2")), parse_unit(last.replace("CO2e", "CO2"))
    if not left.same_kind(right):
        where = Place(subject=f"{before.book.id}, {after.book.id}")
        raise FindingError(
            RECONCILE_UNITS.at(
                where, first=before.quantity, first_unit=first, second=after.quantity, second_unit=last
            )
        )
    return float(right.factor_to(left))


class _Ledger:
    """One side's total, and what each fact contributes to it."""

    def __init__(self, con: duckdb.DuckDBPyConnection, plant: Plant, side: Side, facts: str) -> None:
        self.con, self.plant, self.side, self.facts = con, plant, side, facts
        self.request = Request(
            side.request.period, wanted=(side.quantity,), options=side.request.options,
            factors_as_of=side.request.factors_as_of,
        )  # fmt: skip
        self.result = self._run(facts)
        self.total = _sum(self.result.rows)
        self.unit = str(side.book.rules[side.quantity][0].unit)
        read = {step.quantity for step in self.result.query.steps if step.kind == "fact"}
        self.counted = [name for name, spec in side.book.facts.items() if spec.adds and name in read]
        """The additive facts that the total reads."""
        self.groups = self._groups()
        self.contributions = self._contributions()

    def _run(self, facts: str) -> Result:
        return run(self.con, self.side.book, self.plant, self.request, facts=facts)

    def _groups(self) -> list[Group]:
        found = self.con.execute(
            f"SELECT DISTINCT quantity, item, purpose, site FROM {self.facts} WHERE list_contains($1, quantity) ORDER BY ALL",
            [self.counted],
        ).fetchall()
        return [(str(q), str(i), str(p), str(s)) for q, i, p, s in found]

    def _contributions(self) -> dict[Group, float]:
        """What the total loses without each fact."""
        found = self.con.execute(
            f"SELECT count(*) FROM {self.facts} WHERE list_contains($1, quantity)", [self.counted]
        ).fetchone()
        at_once = max(1, _ROWS_AT_ONCE // max(1, found[0] if found else 0))
        known: dict[Group, float] = {}
        for start in range(0, len(self.groups), at_once):
            groups = self.groups[start : start + at_once]
            known.update(zip(groups, self._lost(groups), strict=True))
        return known

    def _lost(self, groups: Sequence[Group]) -> list[float]:
        """The same without each of a few facts, in one run: enterprises beside each other of which each lacks one.

        Additive facts and all that follows from them are kept apart by enterprise; what describes (a calorific value) is
        joined by site and month, and so is there once for all of them."""
        marks = ", ".join(["(?, ?, ?, ?, ?)"] * len(groups))
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE facts_without AS WITH without(number, quantity, item, purpose, site) AS (VALUES {marks}) "
            f"SELECT f.* REPLACE (w.number AS enterprise) FROM {self.facts} AS f JOIN without AS w ON NOT (f.quantity = w.quantity "
            f"AND f.item = w.item AND f.purpose = w.purpose AND f.site = w.site) WHERE list_contains(?, f.quantity) "
            f"UNION ALL SELECT * FROM {self.facts} WHERE NOT list_contains(?, quantity)",
            [*(word for number, group in enumerate(groups) for word in (str(number), *group)), self.counted, self.counted],
        )  # fmt: skip
        rows: dict[str, list[Row]] = {}
        for row in self._run("facts_without").rows:
            rows.setdefault(row.enterprise, []).append(row)
        self.con.execute("DROP TABLE temp.facts_without")
        return [self.total - _sum(rows.get(str(number), ())) for number in range(len(groups))]

    def amount(self, group: Group) -> tuple[float | None, str]:
        found = self.con.execute(
            f"SELECT sum(value), min(unit) FROM {self.facts} WHERE quantity = ? AND item = ? AND purpose = ? AND site = ?",
            list(group),
        ).fetchone()
        return (found[0], str(found[1] or "")) if found else (None, "")

    def factors(self, group: Group) -> tuple[str, ...]:
        """The factor rows that speak of this fact's carrier, with their sources."""
        words: dict[str, None] = {}
        for name, lookup in self.result.query.lookups.items():
            for item in lookup.chosen:
                if item.site != group[3] or item.value is None or (lookup.keys and group[1] not in item.keys):
                    continue
                source = item.row.source if item.row else item.entry.source if item.entry else ""
                words.setdefault(f"{name} = {item.value:.8g} {lookup.spec.unit} ({source})")
        return tuple(words)


def _sum(rows: Iterable[Row]) -> float:
    return sum(row.value for row in rows if row.value is not None)


def _line(group: Group, before: float, after: float, first: _Ledger, last: _Ledger) -> ReconcileLine | None:
    size = max(abs(first.total), abs(last.total), 1.0) * 1e-12
    if abs(before) <= size and abs(after) <= size:
        return None
    if abs(after - before) <= size:
        return None
    one_sided = abs(before) <= size or abs(after) <= size
    carrier = CARRIERS.get(group[1])
    kind = "biogenic" if carrier is not None and carrier.biogenic else "boundary" if one_sided else "factor"
    amount, unit = first.amount(group)
    return ReconcileLine(kind, group[0], group[1], group[2], group[3], amount, unit, before, after,
                         first.factors(group), last.factors(group))  # fmt: skip


def lines_by_kind(reconciliation: Reconciliation) -> Mapping[str, float]:
    """The difference by kind of reason."""
    sums: dict[str, float] = {}
    for line in reconciliation.lines:
        sums[line.kind] = sums.get(line.kind, 0.0) + line.difference
    return sums

"""What there is to say about a region's factors, from the written-out quantities alone: gaps, stand-ins, unchecked rows.

A column stands in the facts because some enterprise reports it, so what its formula leads to is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from celadon.core.findings import Finding
from celadon.engine.active import ActiveRules
from celadon.engine.cells import Cells, Words
from celadon.engine.factor_findings import FactorTeller
from celadon.engine.run import due_findings
from celadon.engine.settled import settled
from celadon.engine.steps import Query
from celadon.rules.expr import (
    All,
    AtKey,
    Choose,
    Compare,
    Condition,
    Expr,
    FirstGiven,
    Ref,
    SumOf,
    Total,
    refs_here,
)

Rows = Mapping[str, Mapping[Words, bool]]
"""Step -> the words of its rows, and whether a factor may lack there."""


def lacking(
    expr: Expr, row: Mapping[str, str], inputs: Mapping[str, Cells | None], options: Mapping[str, str]
) -> bool:
    """Whether a formula may have no value on a row because a factor has none."""
    if isinstance(expr, Ref):
        cells = inputs.get(expr.name)
        return cells is not None and (
            cells.words(row) in cells.gaps or (cells.is_factor and cells.words(row) not in cells.rows)
        )
    if isinstance(expr, Total | AtKey):
        return False  # the rows it adds up tell for themselves
    if isinstance(expr, FirstGiven):
        return all(_reported(term, inputs) or lacking(term, row, inputs, options) for term in expr.terms)
    if isinstance(expr, SumOf):
        return all(lacking(term, row, inputs, options) for term in expr.terms)
    if isinstance(expr, Choose):
        for condition, value in expr.cases:
            known = settled(condition, options, row)
            sure = compared(condition)
            seen = {name: cells for name, cells in inputs.items() if name not in sure}
            if known is not False and lacking(value, row, seen, options):
                return True
            if known is True:
                return False
        return expr.otherwise is not None and lacking(expr.otherwise, row, inputs, options)
    return any(lacking(part, row, inputs, options) for part in expr.children() if isinstance(part, Expr))


def compared(condition: Condition) -> set[str]:
    """Inputs that have a value wherever the condition holds: `(x >= 0, x)` is how a formula asks for a stand-in."""
    if isinstance(condition, Compare):
        return {*refs_here(condition.left), *refs_here(condition.right)}
    if isinstance(condition, All):
        return {name for term in condition.terms for name in compared(term)}
    return set()


def _reported(term: Expr, inputs: Mapping[str, Cells | None]) -> bool:
    """A fact of its own, which not everybody reports."""
    cells = inputs.get(term.name) if isinstance(term, Ref) else None
    return cells is not None and not cells.is_factor


def region_findings(planner: ActiveRules, asked: Sequence[tuple[str, str]], rows: Rows) -> list[Finding]:
    """The planner's findings, and those about factors. `asked`: (quantity, step)."""
    query = Query(
        tuple(planner.steps.values()),
        tuple(asked),
        planner.lookups,
        tuple(planner.findings),
        tuple(planner.not_applicable),
    )
    told: dict[str, list[dict[str, Any]]] = {}
    for name, step in planner.steps.items():
        told[name] = []
        for words, gap in rows.get(name, {}).items():
            row: dict[str, Any] = dict(zip(step.keys, words, strict=True))
            told[name].append(row | {"given": True, "recalled": True, "defaulted": True})
            if gap:
                told[name].append(row | {"given": False, "recalled": False, "defaulted": True})
    teller = FactorTeller(planner.book, query, planner.request.options, told)
    names = [name for name, lookup in planner.lookups.items() if lookup.gaps or lookup.marks]
    of_lookups = [finding for lookup in planner.lookups.values() for finding in lookup.findings]
    return [*due_findings(query), *of_lookups, *(found for name in names for found in teller.about(name))]

"""What there is to say about the factors that rows came to use: gaps, stand-ins, carried and unchecked rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from celadon.core.findings import Finding, FindingKind, Place
from celadon.engine.lookup import FACTOR_GAP, FACTOR_RECALLED, FACTOR_REPLACED
from celadon.engine.steps import Query, Step
from celadon.engine.used import UsedFormula
from celadon.rules.expr import FirstGiven, refs
from celadon.rules.rulebook import Rulebook


def factor_findings(
    con: duckdb.DuckDBPyConnection, book: Rulebook, query: Query, options: Mapping[str, str]
) -> list[Finding]:
    """What there is to say about factors that rows came to use: gaps, stand-ins, carried and unchecked rows."""
    remarkable = [name for name, lookup in query.lookups.items() if lookup.gaps or lookup.marks]
    asked = {
        step.name: step for name in remarkable for step in (*_direct_users(query, name), *_users(query, name))
    }
    if not asked:
        return []
    teller = _FactorTeller(book, query, options, _rows(con, query, list(asked.values())))
    return [finding for name in remarkable for finding in teller.about(name)]


def _rows(
    con: duckdb.DuckDBPyConnection, query: Query, steps: Sequence[Step]
) -> dict[str, list[dict[str, Any]]]:
    """The distinct keys of each step, and what became of them; rows whose own data are absent are nobody's fault.

    One statement for all steps: planning the chain is what costs.
    """
    width = max(len(step.keys) for step in steps)
    selects = []
    for number, step in enumerate(steps):
        keys = "".join(f"s.{key} AS k{n}, " for n, key in enumerate(step.keys))
        keys += "".join(f"'' AS k{n}, " for n in range(len(step.keys), width))
        joins, tests = _drivers(query, step)
        selects.append(
            f"SELECT DISTINCT {number} AS step, {keys}s.value IS NOT NULL AS given, coalesce(s.recalled, 0e0) > 0e0 AS recalled, "
            f"coalesce(s.defaulted, 0e0) > 0e0 AS defaulted FROM {step.name} AS s{joins}{tests}"
        )
    wanted = {step.name for step in steps}
    last = next(step for step in reversed(query.steps) if step.name in wanted)
    found: dict[str, list[dict[str, Any]]] = {step.name: [] for step in steps}
    sql = f"{query.chain(last)}\n" + "\nUNION ALL\n".join(selects)
    for number, *cells in con.execute(sql).fetchall():
        step = steps[number]
        row = dict(zip(step.keys, cells, strict=False))
        row.update(zip(("given", "recalled", "defaulted"), cells[width:], strict=True))
        found[step.name].append(row)
    return found


def _drivers(query: Query, step: Step) -> tuple[str, str]:
    """Joins to the counting inputs with the step's own rows, and the test that their values are there."""
    inputs = [query.step(name) for name in dict.fromkeys(step.inputs.values())]
    drivers = [
        one for one in inputs if one.kind != "factor" and not one.describes and one.columns == step.columns
    ]
    joins = "".join(
        f" JOIN {one.name} AS d{n} USING ({', '.join(step.columns)})" for n, one in enumerate(drivers)
    )
    tests = " AND ".join(f"d{n}.value IS NOT NULL" for n in range(len(drivers)))
    return joins, f" WHERE {tests}" if tests else ""


@dataclass
class _FactorTeller:
    """Holds the rows of the steps that may have something to tell."""

    book: Rulebook
    query: Query
    options: Mapping[str, str]
    rows: Mapping[str, list[dict[str, Any]]]
    """Step -> distinct keys, and whether they are given, recalled, defaulted."""

    def about(self, name: str) -> Iterator[Finding]:
        lookup = self.query.lookups[name]
        users = _users(self.query, name)
        used = [
            row
            for step in _direct_users(self.query, name)
            for row in self.rows[step.name]
            if self._uses(step, row, name)
        ]
        counted = [row for step in users for row in self.rows[step.name]]
        for keys, finding in lookup.marks:
            part = "recalled" if finding.kind is FACTOR_RECALLED else "given"
            if all(
                any(row[part] and _same_keys(row, lookup.keys, keys) for row in rows)
                for rows in (used, counted)
            ):
                yield finding
        spare = [step for step in users if _has_spare(self.query, step, name)]
        firm = [step for step in users if step not in spare]
        yield from self._gaps(
            name, FACTOR_GAP, [row for step in firm for row in self.rows[step.name] if not row["given"]], firm
        )
        if lookup.spec.on_gap in ("next", "latest_earlier"):
            taken = [row for step in spare for row in self.rows[step.name] if row["defaulted"]]
            yield from self._gaps(name, FACTOR_REPLACED, taken, spare)

    def _uses(self, step: Step, row: dict[str, Any], name: str) -> bool:
        """Whether the branches that this row took lead to the factor."""
        return (
            name in UsedFormula(step, row, self.options, lambda other: self._given(step, other, row)).inputs()
        )

    def _given(self, step: Step, name: str, row: dict[str, Any]) -> bool:
        """Whether an input has a value on the row; one that is no factor may lack it where the row shows a default."""
        lookup = self.query.lookups.get(name)
        if lookup is None:
            return name in step.inputs and not row["defaulted"]
        return any(
            item.value is not None and _same_keys(row, lookup.keys, item.keys) for item in lookup.chosen
        )

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
                label=spec.label,
                key=", ".join(keys) or sites,
                span=span,
                rule=rules,
            )


def _same_keys(row: Mapping[str, Any], names: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return all(row.get(name, word) == word for name, word in zip(names, words, strict=True))


def _direct_users(query: Query, factor: str) -> list[Step]:
    return [step for step in query.steps if f"x_{factor}" in step.inputs.values()]


def _users(query: Query, factor: str) -> list[Step]:
    """Steps whose formula uses the factor, or a property that does: those that count, and properties that were asked for."""
    asked = {name for _, name in query.outputs}
    found: dict[str, Step] = {}
    waiting = _direct_users(query, factor)
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

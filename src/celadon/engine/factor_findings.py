"""What there is to say about the factors that rows came to use: gaps, stand-ins, carried and unchecked rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place
from celadon.core.items import word_name
from celadon.core.text import Named
from celadon.engine.lookup import FACTOR_GAP, FACTOR_RECALLED, FACTOR_REPLACED, FACTOR_UNPUBLISHED
from celadon.engine.pieces import QUALITIES, ZERO
from celadon.engine.steps import Query, Step, answer_select
from celadon.engine.used import UsedFormula
from celadon.rules.expr import FirstGiven, refs
from celadon.rules.rulebook import Rulebook

_MARKED = ("defaulted", "recalled")
_GIVEN = "CASE WHEN s.value IS NULL THEN 0e0 ELSE 1e0 END"
_BETWEEN = "\x1f"
"""Between the keys of a step's row, in one column."""


class FactorQuestions:
    """What must be known of a query's rows to tell about its factors; asked in the same statement as the rows themselves,
    since planning the chain is what costs."""

    def __init__(self, query: Query) -> None:
        self._query = query
        live = query.live()
        self._names = [name for name, lookup in query.lookups.items() if lookup.gaps or lookup.marks]
        asked = (step for name in self._names for step in (*_direct_users(query, name), *_users(query, name)))
        self._steps = list(
            {step.name: step for step in asked if step.name in live and not step.empty}.values()
        )

    def selects(self) -> list[str]:
        """SELECTs in the shape of the query's output with an empty quantity: the distinct keys of each step, and what became
        of them; rows whose own data are absent are nobody's fault."""
        found = []
        for number, step in enumerate(self._steps):
            keys = f" || '{_BETWEEN}' || ".join(f"s.{key}" for key in step.keys) or "''"
            joins, tests = _drivers(self._query, step)
            marks = [_mark(step, name) if name in _MARKED else ZERO for name in QUALITIES]
            found.append(
                answer_select(str(number), f"FROM {step.name} AS s{joins}{tests}", _GIVEN, keys, marks)
            )
        return found

    def findings(
        self, book: Rulebook, options: Mapping[str, str], answers: Iterable[Sequence[Any]]
    ) -> list[Finding]:
        """Gaps, stand-ins, carried and unchecked rows, from the rows that `selects` gave."""
        rows: dict[str, list[dict[str, Any]]] = {step.name: [] for step in self._steps}
        for _, number, keys, *cells in answers:
            step = self._steps[int(number)]
            row: dict[str, Any] = dict(zip(step.keys, str(keys).split(_BETWEEN), strict=False))
            marks = dict(zip(("given", *QUALITIES), cells[6:], strict=False))
            rows[step.name].append(
                row | {name: bool(marks[name]) for name in ("given", "recalled", "defaulted")}
            )
        teller = FactorTeller(book, self._query, options, rows)
        return [finding for name in self._names for finding in teller.about(name)]


def _mark(step: Step, name: str) -> str:
    """Whether a share is there at all, as 1 or 0."""
    return step.fixed.get(name, f"CASE WHEN s.{name} > {ZERO} THEN 1e0 ELSE 0e0 END")


def _drivers(query: Query, step: Step) -> tuple[str, str]:
    """Joins to the counting inputs with the step's own rows, and the test that their values are there."""
    inputs = [query.step(name) for name in dict.fromkeys(step.own_inputs.values())]
    drivers = [
        one for one in inputs if one.kind != "factor" and not one.describes and one.columns == step.columns
    ]
    joins = "".join(
        f" JOIN {one.name} AS d{n} USING ({', '.join(step.columns)})" for n, one in enumerate(drivers)
    )
    tests = " AND ".join(f"d{n}.value IS NOT NULL" for n in range(len(drivers)))
    return joins, f" WHERE {tests}" if tests else ""


@dataclass
class FactorTeller:
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
            for row in self.rows.get(step.name, [])
            if self._uses(step, row, name)
        ]
        counted = [row for step in users for row in self.rows.get(step.name, [])]
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
            name,
            FACTOR_GAP,
            [row for step in firm for row in self.rows.get(step.name, []) if not row["given"]],
            firm,
        )
        if lookup.spec.on_gap in ("next", "latest_earlier"):
            taken = [row for step in spare for row in self.rows.get(step.name, []) if row["defaulted"]]
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
        rules = Named.joined(Named.of(step.rule.name, step.rule.label) for step in users if step.rule)
        for keys in dict.fromkeys(gap[2] for gap in blamed):
            months = [month.day for _, month, other in blamed if other == keys]
            span = f"{min(months):%Y-%m}" + (f"..{max(months):%Y-%m}" if len(set(months)) > 1 else "")
            sites = ", ".join(dict.fromkeys(site for site, _, other in blamed if other == keys))
            where = Place(file=self.book.table_file(spec.table), subject=name, period=span)
            key = Named.joined(Named.of(word, word_name(word)) for word in keys) if keys else sites
            values: dict[str, Any] = {"label": spec.label, "key": key, "rule": rules}
            if keys in lookup.unpublished:
                yield FACTOR_UNPUBLISHED.at(where, clause=spec.clause, **values)
            else:
                yield kind.at(where, clause=spec.clause, span=span, **values)


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

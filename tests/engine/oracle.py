"""A second, independent evaluation of rulebooks: row by row, in exact fractions of base units, without SQL.

It shares with the engine only the parsed rulebook. Grain: site and month; anything finer is not its business.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any

from celadon.core.carriers import CARRIERS
from celadon.core.units import Unit, parse_unit
from celadon.rules import expr as e
from celadon.rules.factors import FactorRow
from celadon.rules.rulebook import FactorSpec, FactSpec, Rulebook


@dataclass(frozen=True)
class Fact:
    quantity: str
    item: str
    purpose: str
    site: str
    month: str
    value: Fraction | None
    unit: str


class Missing:
    """There is no row: nothing is due here."""


MISSING = Missing()
Value = Fraction | None | Missing
Cell = tuple[str, str, tuple[tuple[str, str], ...]]
"""site, month, keys"""


def in_force(rule: Any, cell: Cell) -> bool:
    """Whether an edition of a rule holds in the cell's month."""
    return rule.validity.covers(date.fromisoformat(f"{cell[1]}-01"))


@dataclass
class Oracle:
    book: Rulebook
    facts: list[Fact]
    options: Mapping[str, str]
    regions: Mapping[str, str]
    own: Mapping[tuple[str, str, str], tuple[Fraction, str]]
    """(factor, site, month) or (factor, '', '') -> value, unit."""
    products: Mapping[str, str] = field(default_factory=dict)
    """Product -> its unit, where it is not t."""
    by_key: dict[str, dict[tuple[str, ...], list[FactorRow]]] = field(default_factory=dict)
    """Tables by key, made when first asked."""
    known_cells: dict[str, set[Cell]] = field(default_factory=dict)
    """The rows of a quantity, once asked."""
    known_names: dict[str, bool] = field(default_factory=dict)
    """Whether a quantity applies in this plant, once asked."""
    words: Mapping[str, list[str]] = field(default_factory=dict)
    """What keys can be."""
    declared: Oracle | None = None
    """The same plant with every due fact declared, once asked."""

    # -- domains ---------------------------------------------------------------------------------------------------

    def cells(self, name: str) -> set[Cell]:
        """The rows a quantity has."""
        if name not in self.known_cells:
            self.known_cells[name] = self._cells(name)
        return self.known_cells[name]

    def owed_rule(self, name: str) -> bool:
        """The same, of what a total() adds up."""
        if name in self.book.factors or self.describes(name):
            return False
        if name in self.book.facts:
            given = any(fact.quantity == name for fact in self.facts)
            return not given and not self._may_lack(self.book.facts[name])
        return self.owed(name)

    def owed(self, name: str) -> bool:
        """Whether a quantity has no row only because facts that are due were never declared: with them it would have one."""
        if self.cells(name):
            return False
        if self.declared is None:
            given = {fact.quantity for fact in self.facts}
            due = [
                spec
                for spec in self.book.facts.values()
                if spec.adds and spec.name not in given and not self._may_lack(spec)
            ]
            more = [
                Fact(spec.name, item, purpose, "", "2021-02", None, "1")
                for spec in due
                for item in self._words(key for key in spec.grain.keys if key != "purpose")
                for purpose in self._words(key for key in spec.grain.keys if key == "purpose")
            ]
            self.declared = replace(
                self, facts=self.facts + more, known_cells={}, known_names={}, declared=None
            )
        return bool(self.declared.cells(name))

    def _words(self, keys: Iterator[str]) -> list[str]:
        return next((self.words[key] for key in keys), [""])

    def _cells(self, name: str) -> set[Cell]:
        if name in self.book.facts:
            return {
                (fact.site, fact.month, self._fact_keys(name, fact))
                for fact in self.facts
                if fact.quantity == name
            }
        found: set[Cell] = set()
        if not self.applicable(e.Ref(name)):
            return found
        for rule in self.variants(name):
            for cell in self._formula_cells(rule.formula, rule.grain.keys):
                if in_force(rule, cell) and (rule.when is None or self.holds(rule.when, cell)):
                    found.add(cell)
        return found

    def _fact_keys(self, name: str, fact: Fact) -> tuple[tuple[str, str], ...]:
        return tuple(
            (key, fact.purpose if key == "purpose" else fact.item) for key in self.book.facts[name].grain.keys
        )

    def _formula_cells(self, formula: e.Expr, keys: tuple[str, ...]) -> set[Cell]:
        """Union over the inputs that hold all keys; else the widest input widened by a factor's own keys."""
        inputs = list(self._row_inputs(formula))
        full = [cells for has, cells in inputs if set(has) == set(keys)]
        if full:
            return set().union(*full)
        wide = max(inputs, key=lambda pair: len(pair[0]), default=((), set()))
        found: set[Cell] = set()
        for name in e.refs(formula):
            spec = self.book.factors.get(name)
            if spec is None or {*spec.row_keys, *wide[0]} != set(keys):
                continue
            column_of = {selector: column for column, selector in spec.keys}
            for site, month, has in wide[1]:
                for row in self.book.tables[spec.table].rows:
                    extra = {key: row.cells[column_of[key]] for key in spec.row_keys}
                    if all(extra.get(key, word) == word for key, word in has):
                        found.add((site, month, tuple(sorted({**extra, **dict(has)}.items()))))
        return found

    def _row_inputs(self, node: e.Node) -> Iterator[tuple[tuple[str, ...], set[Cell]]]:
        if isinstance(node, e.Ref):
            if node.name in self.book.factors or self.describes(node.name):
                return
            cells = self.cells(node.name)
            if cells:
                yield tuple(key for key, _ in next(iter(cells))[2]), cells
        elif isinstance(node, e.Total):
            for keys, cells in self._row_inputs(node.expr):
                kept = tuple(key for key in keys if key not in node.over)
                held = [cell for cell in cells if node.when is None or self.holds(node.when, cell)]
                yield kept, {(s, m, tuple((k, w) for k, w in ks if k not in node.over)) for s, m, ks in held}
        elif isinstance(node, e.AtKey):
            return  # read on another row: it makes none here
        elif isinstance(node, e.Choose):
            for condition, value in node.cases:
                if self.known(condition) is not False:
                    yield from self._row_inputs(condition)
                    yield from self._row_inputs(value)
                if self.known(condition) is True:
                    return
            if node.otherwise is not None:
                yield from self._row_inputs(node.otherwise)
        else:
            for child in node.children():
                yield from self._row_inputs(child)

    def describes(self, name: str) -> bool:
        """A property of a carrier or place, not an amount."""
        if name in self.book.factors:
            return True
        if name in self.book.facts:
            return not self.book.facts[name].adds
        return all(
            not rule.adds and all(self.describes(ref) for ref in e.refs(rule.formula))
            for rule in self.book.rules[name]
        )

    def applicable(self, node: e.Node) -> bool:
        """Whether a formula applies in this plant at all: what it may lack and nobody declares takes its products along."""
        if isinstance(node, e.Ref):
            if node.name not in self.known_names:
                self.known_names[node.name] = True  # a chain that needs itself: the rest decides
                self.known_names[node.name] = self._declared(node.name)
            return self.known_names[node.name]
        if (isinstance(node, e.Binary) and node.op in "+-") or isinstance(node, e.SumOf | e.FirstGiven):
            return any(self.applicable(child) for child in node.children())
        if isinstance(node, e.Choose):
            values = [value for test, value in node.cases if self.known(test) is not False]
            values += [] if node.otherwise is None else [node.otherwise]
            return any(self.applicable(value) for value in values)
        return all(self.applicable(child) for child in node.children() if isinstance(child, e.Expr))

    def _declared(self, name: str) -> bool:
        if name in self.book.facts:
            given = any(fact.quantity == name for fact in self.facts)
            return given or not self._may_lack(self.book.facts[name])
        return name in self.book.factors or any(self.applicable(rule.formula) for rule in self.variants(name))

    def variants(self, name: str) -> list[Any]:
        return [
            rule for rule in self.book.rules[name] if rule.when is None or self.known(rule.when) is not False
        ]

    # -- conditions ------------------------------------------------------------------------------------------------

    def known(self, condition: e.Condition) -> bool | None:
        """What options alone say."""
        if isinstance(condition, e.OptionIn):
            return self.options[condition.name] in condition.values
        if isinstance(condition, e.Not):
            inner = self.known(condition.term)
            return None if inner is None else not inner
        if isinstance(condition, e.All | e.Any):
            words = [self.known(term) for term in condition.terms]
            if isinstance(condition, e.All):
                return False if False in words else None if None in words else True
            return True if True in words else None if None in words else False
        return None

    def holds(self, condition: e.Condition, cell: Cell) -> bool:
        if isinstance(condition, e.KeyIn):
            return dict(cell[2])[condition.name] in condition.values
        if isinstance(condition, e.OptionIn):
            return self.options[condition.name] in condition.values
        if isinstance(condition, e.Not):
            return not self.holds(condition.term, cell)
        if isinstance(condition, e.All):
            return all(self.holds(term, cell) for term in condition.terms)
        if isinstance(condition, e.Any):
            return any(self.holds(term, cell) for term in condition.terms)
        assert isinstance(condition, e.Compare)
        left, right = self.value(condition.left, cell), self.value(condition.right, cell)
        if not isinstance(left, Fraction) or not isinstance(right, Fraction):
            return False
        return {
            "=": left == right, "<>": left != right, "<": left < right,
            "<=": left <= right, ">": left > right, ">=": left >= right,
        }[condition.op]  # fmt: skip

    # -- values ----------------------------------------------------------------------------------------------------

    def quantity(self, name: str, cell: Cell) -> Value:
        """One cell in base units; MISSING where there is no row."""
        if name in self.book.factors:
            return self._factor(self.book.factors[name], cell)
        if name in self.book.facts:
            return self._fact(name, cell)
        keys = self.book.rules[name][0].grain.keys
        own = (cell[0], cell[1], tuple((key, word) for key, word in cell[2] if key in keys))
        if not self.describes(name) and own not in self.cells(name):
            return None if self.owed(name) else MISSING
        if not self.applicable(e.Ref(name)):
            return MISSING
        for rule in self.variants(name):
            if in_force(rule, own) and (rule.when is None or self.holds(rule.when, own)):
                value = self.value(rule.formula, own)
                # A row that is there is absent, not “not due”, whatever its inputs lack.
                return None if isinstance(value, Missing) and not self.describes(name) else value
        return MISSING

    def _fact(self, name: str, cell: Cell) -> Value:
        spec = self.book.facts[name]
        wanted = tuple((key, word) for key, word in cell[2] if key in spec.grain.keys)
        rows = [
            fact
            for fact in self.facts
            if fact.quantity == name
            and (fact.site, fact.month, self._fact_keys(name, fact)) == (cell[0], cell[1], wanted)
        ]
        if not rows:
            return MISSING if self._may_lack(spec) else None
        values = [
            self._base(fact.value, fact.unit, spec.unit, dict(wanted))
            for fact in rows
            if fact.value is not None
        ]
        if not values:
            return None
        return sum(values, Fraction(0)) if spec.adds else sum(values, Fraction(0)) / len(values)

    def _may_lack(self, spec: FactSpec) -> bool:
        """Whether no row means that nothing is due: the clause allows it, or the fact that it goes with is not given."""
        if spec.on_missing == "not_applicable":
            return True
        given = [fact for fact in self.facts if fact.quantity == spec.due_with]
        return bool(spec.due_with) and not any(
            not spec.due_for or fact.purpose in spec.due_for for fact in given
        )

    def _base(self, amount: Fraction, unit: str, declared: Unit, keys: Mapping[str, str]) -> Fraction:
        powers = dict(declared.dimension)
        base = amount * parse_unit(unit).ratio
        if power := powers.get("carrier_amount", 0):
            base /= CARRIERS[keys["carrier"]].unit.ratio ** power
        if power := powers.get("product_amount", 0):
            base /= parse_unit(self.products.get(keys["product"], "t")).ratio ** power
        return base

    def _factor(self, spec: FactorSpec, cell: Cell) -> Value:
        keys = dict(cell[2])
        for mark in ((spec.name, cell[0], cell[1]), (spec.name, "", "")):
            if mark in self.own:
                return self._base(*self.own[mark], spec.unit, keys)
        day = f"{cell[1]}-01"
        holding, earlier = [], []
        for row in self._rows(spec, cell):
            since, until = str(row.validity.since or ""), str(row.validity.until or "9999")
            if since <= day <= until:
                holding.append((str(row.published or ""), row))
            if row.value(spec.column) is not None and since and since <= day:
                earlier.append((since, str(row.published or ""), row))
        best = max(holding, key=lambda item: item[0])[-1] if holding else None
        if (best is None or best.value(spec.column) is None) and spec.on_gap == "latest_earlier" and earlier:
            best = max(earlier, key=lambda item: item[:2])[-1]
        if best is None or best.value(spec.column) is None:
            return None
        amount = best.value(spec.column)
        assert amount is not None
        return self._base(amount, best.unit(spec.column), spec.unit, keys)

    def _rows(self, spec: FactorSpec, cell: Cell) -> list[FactorRow]:
        """Rows of the cell's key; a key read by prefix is shortened until the table has it."""
        if spec.name not in self.by_key:
            index = self.by_key[spec.name] = {}
            for row in self.book.tables[spec.table].rows:
                index.setdefault(tuple(row.cells.get(column, "") for column, _ in spec.keys), []).append(row)
        index = self.by_key[spec.name]
        words = [self._selected(selector, cell) for _, selector in spec.keys]
        if tuple(words) in index:
            return index[tuple(words)]
        for place, (_, selector) in enumerate(spec.keys):
            while selector.startswith("prefix:") and words[place]:
                words[place] = words[place][:-1]
                tried = tuple(word.rstrip() for word in words)
                if tried in index:
                    return index[tried]
        return []

    def _selected(self, selector: str, cell: Cell) -> str:
        if selector.startswith("="):
            return selector[1:]
        if selector.startswith("option:"):
            return self.options[selector[7:]]
        if selector == "site.region":
            return self.regions.get(cell[0], "")
        if selector == "site.country":
            return self.regions.get(cell[0], "").split("-")[0]
        return dict(cell[2])[selector.removeprefix("prefix:")]

    def value(self, expr: e.Expr, cell: Cell) -> Value:
        """One formula at one cell."""
        if isinstance(expr, e.Ref):
            return self.quantity(expr.name, cell)
        if isinstance(expr, e.AtKey):
            return self.quantity(expr.expr.name, (cell[0], cell[1], expr.there(cell[2])))
        if isinstance(expr, e.Number):
            return expr.value * expr.unit.ratio
        if isinstance(expr, e.Binary):
            return self._binary(expr, cell)
        if isinstance(expr, e.Total):
            return self._total(expr, cell)
        if isinstance(expr, e.SumOf):
            values = [self.value(term, cell) for term in expr.terms]
            there = [value for value in values if isinstance(value, Fraction)]
            if there:
                return sum(there, Fraction(0))
            return None if None in values else MISSING
        if isinstance(expr, e.FirstGiven):
            return next((v for term in expr.terms if isinstance(v := self.value(term, cell), Fraction)), None)
        if isinstance(expr, e.Extreme):
            values = [self.value(term, cell) for term in expr.terms]
            known = [value for value in values if isinstance(value, Fraction)]
            if not self.applicable(expr):
                return MISSING
            return None if len(known) < len(values) else (min if expr.which == "least" else max)(known)
        if isinstance(expr, e.Ln):
            inner = self.value(expr.expr, cell)
            if not isinstance(inner, Fraction):
                return inner
            return Fraction(math.log(inner)) if inner > 0 else None
        if isinstance(expr, e.Power):
            base, exponent = self.value(expr.base, cell), self.value(expr.exponent, cell)
            if isinstance(base, Fraction) and isinstance(exponent, Fraction):
                return Fraction(math.pow(base, exponent)) if base > 0 else None
            return MISSING if isinstance(base, Missing) or isinstance(exponent, Missing) else None
        if isinstance(expr, e.Choose):
            for condition, branch in expr.cases:
                if self.holds(condition, cell):
                    return self.value(branch, cell)
            return None if expr.otherwise is None else self.value(expr.otherwise, cell)
        raise AssertionError(type(expr).__name__)

    def _binary(self, expr: e.Binary, cell: Cell) -> Value:
        left, right = self.value(expr.left, cell), self.value(expr.right, cell)
        if expr.op in "+-":
            if isinstance(left, Missing) or isinstance(right, Missing):
                if isinstance(left, Missing):
                    return right if expr.op == "+" or not isinstance(right, Fraction) else -right
                return left
            if left is None or right is None:
                return None
            return left + right if expr.op == "+" else left - right
        if not isinstance(left, Fraction) or not isinstance(right, Fraction):
            return MISSING if isinstance(left, Missing) or isinstance(right, Missing) else None
        if expr.op == "/":
            return None if right == 0 else left / right
        return left * right

    def _total(self, expr: e.Total, cell: Cell) -> Value:
        cell = (cell[0], cell[1], tuple(pair for pair in cell[2] if pair[0] not in expr.over))
        keys = tuple(key for key, _ in cell[2])
        inner = self._formula_cells(expr.expr, tuple(sorted({*expr.over, *keys})))
        values = [
            self.value(expr.expr, other)
            for other in sorted(inner)
            if other[:2] == cell[:2]
            and all(dict(other[2]).get(key) == word for key, word in cell[2])
            and (expr.when is None or self.holds(expr.when, other))
        ]
        there = [value for value in values if isinstance(value, Fraction)]
        if there:
            return sum(there, Fraction(0))
        owed = isinstance(expr.expr, e.Ref) and self.owed_rule(expr.expr.name)
        return None if values or owed else MISSING

    # -- answers ---------------------------------------------------------------------------------------------------

    def answer(self, name: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float | None]:
        """Site and keys -> the sum over months, in the rule's unit (additive quantities)."""
        unit = self.book.rules[name][0].unit
        sums: dict[tuple[str, tuple[tuple[str, str], ...]], Fraction | None] = {}
        for cell in self.cells(name):
            value = self.quantity(name, cell)
            mark = (cell[0], cell[2])
            known = sums.get(mark)
            # The row is there, whatever its inputs lack.
            sums[mark] = value + (known or 0) if isinstance(value, Fraction) else known
        return {mark: None if value is None else float(value / unit.ratio) for mark, value in sums.items()}


__all__ = ["Fact", "Oracle"]

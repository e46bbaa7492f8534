"""A formula at one row with its slopes: the value, and by how much it changes with each origin of its inputs.

The same meaning as the query's SQL: strict operators keep what is absent absent, `sum_of` adds what is there, and a row that
is not due adds nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from celadon.core.dataclass import dataclass
from celadon.core.units import ONE, Unit
from celadon.engine.chain_rows import ChainRows, Row
from celadon.engine.pieces import SAME
from celadon.engine.steps import Step
from celadon.rules import expr as e

Vector = Mapping[str, float]
"""Origin -> change of a value for one part more of that origin (∂y/∂ln x), in the value's unit."""


@dataclass(frozen=True, slots=True)
class Dual:
    """A value with its slopes."""

    value: float
    vector: Vector


@dataclass(frozen=True, slots=True)
class Nearness:
    """A difference on whose sign a branch, a minimum or a maximum turns, with its slopes."""

    difference: float
    vector: Vector


NO_ROW: Final = object()
"""Nothing is due here; None is what is due and absent."""
Found = Dual | None | object
Inputs = Callable[[str, Step, Row], Found]
"""(input name, step, row) -> the input at that row, in the input step's unit."""


def scaled(vector: Vector, factor: float) -> Vector:
    """The slopes of a value times a constant."""
    return vector if factor == 1 else {name: change * factor for name, change in vector.items()}


def added(*vectors: Vector) -> Vector:
    """The slopes of a sum."""
    if len(vectors) == 1:
        return vectors[0]
    found: dict[str, float] = {}
    for vector in vectors:
        for name, change in vector.items():
            found[name] = found.get(name, 0.0) + change
    return found


def input_name(node: e.Ref | e.Total | e.AtKey) -> str:
    """The name under which a step has an input: a total and what is read on another row are inputs of their own."""
    if isinstance(node, e.Ref):
        return node.name
    return f"{'total' if isinstance(node, e.Total) else 'at'}:{id(node)}"


@dataclass(slots=True)
class Slopes:
    """Evaluates the formulas of a query's steps."""

    options: Mapping[str, str]
    chain: ChainRows
    inputs: Inputs
    _units: dict[tuple[str, int], Unit | None] = field(default_factory=dict)
    _factors: dict[tuple[str, int, str], float] = field(default_factory=dict)

    def dual(self, step: Step, row: Row, near: list[Nearness]) -> Dual:
        """The step's formula at a row that has a value, in the step's unit; what turns on a sign is added to `near`."""
        found = None
        if step.formula is not None:
            found = _Cell(self, step, row, near).inside(step.formula, step.unit)
        if not isinstance(found, Dual):
            raise ArithmeticError(f"{step.name}: the query has a value where its formula has none")
        return found

    def unit(self, step: Step, node: e.Expr) -> Unit | None:
        """The unit of a part of a formula; None where it is not applicable in this plant."""
        mark = (step.name, id(node))
        if mark not in self._units:
            self._units[mark] = self._unit_of(step, node)
        return self._units[mark]

    def factor(self, step: Step, node: e.Expr, unit: Unit) -> float:
        """From a part's unit into another of its kind."""
        mark = (step.name, id(node), unit.text)
        if mark not in self._factors:
            own = self.unit(step, node)
            self._factors[mark] = float(own.factor_to(unit)) if own is not None else 1.0
        return self._factors[mark]

    def _unit_of(self, step: Step, node: e.Expr) -> Unit | None:
        if isinstance(node, e.Ref | e.Total | e.AtKey):
            name = input_name(node)
            return self.chain.step(step.inputs[name]).unit if name in step.inputs else None
        if isinstance(node, e.Number):
            return node.unit
        if isinstance(node, e.Binary):
            left, right = self.unit(step, node.left), self.unit(step, node.right)
            if node.op in "+-":
                return left if left is not None else right
            if left is None or right is None:
                return None
            return left * right if node.op == "*" else left / right
        if isinstance(node, e.Rounded):
            inner, own = self.unit(step, node.expr), step.rule.unit if step.rule else step.unit
            return own if inner is not None and inner.same_kind(own) else inner
        if isinstance(node, e.Ln | e.Power):
            parts = [node.expr] if isinstance(node, e.Ln) else [node.base, node.exponent]
            return None if any(self.unit(step, part) is None for part in parts) else ONE
        units = [self.unit(step, part) for part in _parts(node)]
        if isinstance(node, e.Extreme) and None in units:
            return None
        return next((unit for unit in units if unit is not None), None)


def _parts(node: e.Expr) -> Sequence[e.Expr]:
    """The values that a node may take."""
    if isinstance(node, e.Choose):
        return [
            *(value for _, value in node.cases),
            *([node.otherwise] if node.otherwise is not None else []),
        ]
    if isinstance(node, e.SumOf | e.FirstGiven | e.Extreme):
        return node.terms
    raise TypeError(f"no slopes for {type(node).__name__}")


@dataclass(slots=True)
class _Cell:
    """One formula at one row."""

    slopes: Slopes
    step: Step
    row: Row
    near: list[Nearness]

    def applies(self, node: e.Expr) -> bool:
        return self.slopes.unit(self.step, node) is not None

    def unit(self, node: e.Expr) -> Unit:
        """The unit of a part that applies."""
        found = self.slopes.unit(self.step, node)
        if found is None:
            raise ArithmeticError(f"{self.step.name}: a part that is not applicable was asked for")
        return found

    def inside(self, node: e.Expr, unit: Unit) -> Found:
        """A part of the formula, in `unit`."""
        found = self.at(node)
        if not isinstance(found, Dual):
            return found
        factor = self.slopes.factor(self.step, node, unit)
        return found if factor == 1 else Dual(found.value * factor, scaled(found.vector, factor))

    def at(self, node: e.Expr) -> Found:
        """A part of the formula, in its own unit."""
        if isinstance(node, e.Ref | e.Total | e.AtKey):
            return self.slopes.inputs(input_name(node), self.step, self.row)
        if isinstance(node, e.Number):
            return Dual(float(node.value), {})
        if isinstance(node, e.Binary):
            return self._sum(node) if node.op in "+-" else self._product(node)
        if isinstance(node, e.SumOf):
            return self._sum_of(node)
        if isinstance(node, e.FirstGiven):
            unit = self.unit(node)
            terms = (self.inside(term, unit) for term in node.terms if self.applies(term))
            return next((term for term in terms if isinstance(term, Dual)), None)
        if isinstance(node, e.Extreme):
            return self._extreme(node)
        if isinstance(node, e.Choose):
            return self._choose(node)
        return self._function(node)

    def _sum(self, node: e.Binary) -> Found:
        sign = -1.0 if node.op == "-" else 1.0
        unit = self.unit(node)
        left = self.inside(node.left, unit) if self.applies(node.left) else NO_ROW
        right = self.inside(node.right, unit) if self.applies(node.right) else NO_ROW
        if left is None or right is None:
            return None
        terms = [(term, factor) for term, factor in ((left, 1.0), (right, sign)) if isinstance(term, Dual)]
        if not terms:
            return NO_ROW
        value = sum(term.value * factor for term, factor in terms)
        return Dual(value, added(*(scaled(term.vector, factor) for term, factor in terms)))

    def _product(self, node: e.Binary) -> Found:
        left, right = self.at(node.left), self.at(node.right)
        if left is NO_ROW or right is NO_ROW:
            return NO_ROW
        if not isinstance(left, Dual) or not isinstance(right, Dual):
            return None
        if node.op == "*":
            vector = added(scaled(left.vector, right.value), scaled(right.vector, left.value))
            return Dual(left.value * right.value, vector)
        if right.value == 0:
            return None
        value = left.value / right.value
        return Dual(
            value, added(scaled(left.vector, 1 / right.value), scaled(right.vector, -value / right.value))
        )

    def _sum_of(self, node: e.SumOf) -> Found:
        unit = self.unit(node)
        terms = [self.inside(term, unit) for term in node.terms if self.applies(term)]
        there = [term for term in terms if isinstance(term, Dual)]
        if not there:
            return None if None in terms else NO_ROW
        return Dual(sum(term.value for term in there), added(*(term.vector for term in there)))

    def _extreme(self, node: e.Extreme) -> Found:
        unit = self.unit(node)
        terms = [term for part in node.terms if isinstance(term := self.inside(part, unit), Dual)]
        if len(terms) < len(node.terms):
            return None
        pick = min if node.which == "least" else max
        taken = pick(terms, key=lambda term: term.value)
        self.near += [_nearness(taken, term) for term in terms if term is not taken]
        return taken

    def _choose(self, node: e.Choose) -> Found:
        unit = self.unit(node)
        for condition, value in node.cases:
            if self.holds(condition):
                return self.inside(value, unit) if self.applies(value) else None
        last = node.otherwise
        return self.inside(last, unit) if last is not None and self.applies(last) else None

    def _function(self, node: e.Expr) -> Found:
        if isinstance(node, e.Rounded):
            inner = self.inside(node.expr, self.unit(node))
            return (
                Dual(_rounded(inner.value, node.digits), inner.vector) if isinstance(inner, Dual) else inner
            )
        if isinstance(node, e.Ln):
            inner = self.inside(node.expr, ONE)
            if not isinstance(inner, Dual):
                return inner
            return (
                Dual(math.log(inner.value), scaled(inner.vector, 1 / inner.value))
                if inner.value > 0
                else None
            )
        if not isinstance(node, e.Power):
            raise TypeError(f"no slopes for {type(node).__name__}")
        base, exponent = self.inside(node.base, ONE), self.inside(node.exponent, ONE)
        if not isinstance(base, Dual) or not isinstance(exponent, Dual):
            return NO_ROW if base is NO_ROW or exponent is NO_ROW else None
        if base.value <= 0:
            return None
        value = base.value**exponent.value
        by_base = scaled(base.vector, value * exponent.value / base.value)
        return Dual(value, added(by_base, scaled(exponent.vector, value * math.log(base.value))))

    def holds(self, condition: e.Condition) -> bool | None:
        """Whether a condition holds; None where a value it compares is absent."""
        if isinstance(condition, e.KeyIn):
            return self.row[condition.name] in condition.values
        if isinstance(condition, e.OptionIn):
            return self.slopes.options[condition.name] in condition.values
        if isinstance(condition, e.Not):
            inner = self.holds(condition.term)
            return None if inner is None else not inner
        if isinstance(condition, e.All | e.Any):
            decides = isinstance(condition, e.Any)
            known = [self.holds(term) for term in condition.terms]
            return decides if decides in known else None if None in known else not decides
        if isinstance(condition, e.Compare):
            return self._compare(condition)
        raise TypeError(f"no meaning for {type(condition).__name__}")

    def _compare(self, condition: e.Compare) -> bool | None:
        if not self.applies(condition.left) or not self.applies(condition.right):
            return False
        unit = self.unit(condition.left)
        left, right = self.at(condition.left), self.inside(condition.right, unit)
        if not isinstance(left, Dual) or not isinstance(right, Dual):
            return None
        self.near.append(_nearness(left, right))
        a, b = left.value, right.value
        a = b if abs(a - b) <= SAME * abs(b) else a
        return {"=": a == b, "<>": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[condition.op]


def _nearness(left: Dual, right: Dual) -> Nearness:
    return Nearness(left.value - right.value, added(left.vector, scaled(right.vector, -1.0)))


def _rounded(value: float, digits: int) -> float:
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))

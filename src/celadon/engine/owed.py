"""What a plant owes and nowhere declares: a quantity that would have rows if the facts it cannot do without were there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

from celadon.rules.expr import (
    Binary,
    Choose,
    Expr,
    Extreme,
    FirstGiven,
    Ln,
    Power,
    Ref,
    Rounded,
    SumOf,
    Total,
)


class Due(Enum):
    """What is known of the rows of a quantity before any fact is read."""

    THERE = "declared: its own rows say what is due"
    OWED = "due, and wholly undeclared"
    NOT_DUE = "the plant has no such flow, and its clause lets it lack it"
    SILENT = "a property, a factor or a number: it has no rows of its own"


def due_in(formula: Expr, of: Callable[[str], Due], kept: Callable[[Total], bool]) -> Due:
    """What a formula says of its rows. `of`: of the quantities it names; `kept`: whether a total() can have any row.

    A product has rows where every factor of it has; a sum where any term has, so it is owed only where nothing else is there.
    """

    def at(node: Expr) -> Due:
        if isinstance(node, Ref):
            return of(node.name)
        if isinstance(node, Total):
            return at(node.expr) if kept(node) else Due.NOT_DUE
        if isinstance(node, SumOf | FirstGiven):
            return any_of(map(at, node.terms))
        if isinstance(node, Choose):
            branches = [value for _, value in node.cases]
            return any_of(map(at, branches if node.otherwise is None else [*branches, node.otherwise]))
        if isinstance(node, Binary):
            return (any_of if node.op in "+-" else _all_of)(map(at, (node.left, node.right)))
        if isinstance(node, Extreme):
            return _all_of(map(at, node.terms))
        if isinstance(node, Power):
            return _all_of(map(at, (node.base, node.exponent)))
        return at(node.expr) if isinstance(node, Rounded | Ln) else Due.SILENT

    return at(formula)


def any_of(parts: Iterable[Due]) -> Due:
    """Of a sum, or of several rules of one name."""
    return _first((Due.THERE, Due.OWED, Due.NOT_DUE), set(parts))


def _all_of(parts: Iterable[Due]) -> Due:
    return _first((Due.NOT_DUE, Due.OWED, Due.THERE), set(parts))


def _first(order: Iterable[Due], found: set[Due]) -> Due:
    return next((one for one in order if one in found), Due.SILENT)

"""Parts: what a total is the sum of, read from its rulebook's own formula: (sign, quantity) for each term.

`total_emission` of GB/T 32150 is combustion + purchases − exports; each of these is known by carrier, process and month, so
that the parts lead to the total exactly. A term that is no plain sum (a product, a choice) is a part as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from celadon.rules.expr import Binary, Expr, Number, Ref, SumOf, Total
from celadon.rules.rule import Rule
from celadon.rules.rulebook import Rulebook

_DEEP = 6


def parts_of(book: Rulebook, quantity: str, day: date) -> list[tuple[int, str]]:
    """The terms of a quantity on a day, down to those that have a key of their own (carrier …) or are no sums of others."""
    found: dict[str, int] = {}
    for sign, name in _parts(book, quantity, day, 1, 0):
        found[name] = found.get(name, 0) + sign
    return [(sign, name) for name, sign in found.items() if sign]


def _parts(book: Rulebook, quantity: str, day: date, sign: int, depth: int) -> Iterator[tuple[int, str]]:
    rule = _rule(book, quantity, day)
    keyed = rule is not None and bool(rule.grain.keys) and depth > 0
    terms = list(_terms(rule.formula, sign)) if rule is not None and not keyed and depth < _DEEP else None
    if not terms or any(name is None or name not in book.rules for _, name in terms):
        yield sign, quantity
        return
    for each, name in terms:
        if name is not None:
            yield from _parts(book, name, day, each, depth + 1)


def _rule(book: Rulebook, quantity: str, day: date) -> Rule | None:
    return next((rule for rule in book.rules.get(quantity, ()) if rule.validity.covers(day)), None)


def _terms(formula: Expr, sign: int) -> Iterator[tuple[int, str | None]]:
    """(sign, name) of a plain sum; a name of None says that it is none."""
    match formula:
        case Ref(name=name):
            yield sign, name
        case SumOf(terms=terms):
            for term in terms:
                yield from _terms(term, sign)
        case Total(expr=expr, when=None):
            yield from _terms(expr, sign)
        case Binary(op="+" | "-" as op, left=left, right=right):
            yield from _terms(left, sign)
            yield from _terms(right, -sign if op == "-" else sign)
        case Binary(op="*", left=Number(value=value), right=right) if abs(value) == 1:
            yield from _terms(right, sign * int(value))
        case Number(value=value) if value == 0:
            return
        case _:
            yield sign, None

"""What options, and a row's keys, settle before anything is computed: conditions, and the branches they rule out."""

from __future__ import annotations

from collections.abc import Mapping

from celadon.rules.expr import (
    All,
    Any,
    Binary,
    Choose,
    Condition,
    Expr,
    Extreme,
    FirstGiven,
    KeyIn,
    Ln,
    Not,
    OptionIn,
    Power,
    Rounded,
    SumOf,
    Total,
)


def settled(
    condition: Condition, options: Mapping[str, str], row: Mapping[str, object] | None = None
) -> bool | None:
    """True or False where options (and the keys of `row`, if given) decide a condition; None where they do not."""
    if isinstance(condition, OptionIn):
        return options[condition.name] in condition.values
    if isinstance(condition, KeyIn) and row is not None and condition.name in row:
        return row[condition.name] in condition.values
    if isinstance(condition, Not):
        inner = settled(condition.term, options, row)
        return None if inner is None else not inner
    if isinstance(condition, All | Any):
        values = [settled(term, options, row) for term in condition.terms]
        decides = isinstance(condition, Any)
        if decides in values:
            return decides
        return None if None in values else not decides
    return None


NOTHING = Choose((), None)
"""What is left of a formula when the options rule all of it out: not applicable."""


def prune(expr: Expr, options: Mapping[str, str]) -> Expr:
    """The formula without the branches that the options rule out."""
    if isinstance(expr, Choose):
        return _prune_choose(expr, options)
    if isinstance(expr, Binary):
        left, right = prune(expr.left, options), prune(expr.right, options)
        if left is NOTHING or right is NOTHING:
            rest = right if left is NOTHING else left
            return NOTHING if expr.op in "*/" else rest if expr.op == "+" or right is NOTHING else -rest
        return Binary(expr.op, left, right)
    if isinstance(expr, Total):
        inner = prune(expr.expr, options)
        return NOTHING if inner is NOTHING else Total(inner, expr.over, expr.when)
    if isinstance(expr, Rounded):
        inner = prune(expr.expr, options)
        return NOTHING if inner is NOTHING else Rounded(inner, expr.digits)
    if isinstance(expr, Ln):
        inner = prune(expr.expr, options)
        return NOTHING if inner is NOTHING else Ln(inner)
    if isinstance(expr, Power):
        base, exponent = prune(expr.base, options), prune(expr.exponent, options)
        return NOTHING if base is NOTHING or exponent is NOTHING else Power(base, exponent)
    if isinstance(expr, SumOf | FirstGiven):
        terms = tuple(term for item in expr.terms if (term := prune(item, options)) is not NOTHING)
        return type(expr)(terms) if len(terms) > 1 else terms[0] if terms else NOTHING
    if isinstance(expr, Extreme):
        terms = tuple(prune(term, options) for term in expr.terms)
        return NOTHING if any(term is NOTHING for term in terms) else Extreme(expr.which, terms)
    return expr


def _prune_choose(expr: Choose, options: Mapping[str, str]) -> Expr:
    cases: list[tuple[Condition, Expr]] = []
    otherwise = NOTHING if expr.otherwise is None else prune(expr.otherwise, options)
    for condition, value in expr.cases:
        known = settled(condition, options)
        if known is True:
            otherwise = prune(value, options)
            break
        branch = NOTHING if known is False else prune(value, options)
        if branch is not NOTHING:
            cases.append((condition, branch))
    if not cases:
        return otherwise
    return Choose(tuple(cases), None if otherwise is NOTHING else otherwise)

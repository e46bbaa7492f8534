"""One formula as SQL: value, and what the value rests on, side by side.

Every expression becomes a `Piece`: the value with its unit, the shares of it that rest on each kind of data and of factor
or a worse one, and its coverage. Only SQL that means the same on the embedded and the distributed engine is emitted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import singledispatch

from celadon.core.units import ONE, Unit
from celadon.engine.pieces import (
    DATA,
    DEFAULTED,
    NO,
    NULL,
    QUALITIES,
    SAME,
    WHOLE,
    YES,
    ZERO,
    Piece,
    Scope,
    Shares,
    any_exists,
    combined,
    joined,
    least,
    literal,
    mean_coverage,
    means,
    number,
    text,
    times,
    worst,
)
from celadon.rules.expr import (
    All,
    Any,
    AtKey,
    Binary,
    Choose,
    Compare,
    Condition,
    Expr,
    Extreme,
    FirstGiven,
    KeyIn,
    Ln,
    Not,
    Number,
    OptionIn,
    Power,
    Ref,
    Rounded,
    SumOf,
    Total,
)


@singledispatch
def compile_expr(expr: Expr, scope: Scope) -> Piece | None:
    """The SQL of `expr`; None where it is not applicable in this plant."""
    raise TypeError(f"no SQL for {type(expr).__name__} in {scope}")


@compile_expr.register
def _ref(expr: Ref, scope: Scope) -> Piece | None:
    return scope.inputs[expr.name]


@compile_expr.register
def _total(expr: Total, scope: Scope) -> Piece | None:
    return scope.totals[id(expr)]


@compile_expr.register
def _at_key(expr: AtKey, scope: Scope) -> Piece | None:
    return scope.totals[id(expr)]


@compile_expr.register
def _number(expr: Number, _scope: Scope) -> Piece:
    return Piece(number(expr.value), expr.unit, optional=False, sure=True)


@compile_expr.register
def _binary(expr: Binary, scope: Scope) -> Piece | None:
    left, right = compile_expr(expr.left, scope), compile_expr(expr.right, scope)
    if expr.op in "*/":
        return None if left is None or right is None else _product(expr.op, left, right)
    if left is None or right is None:
        return _one_sided(expr.op, left, right)
    value = f"({_addend(left, left.unit)} {expr.op} {_addend(right, left.unit)})"
    both = (left, right)
    exists = any_exists(both)
    if exists not in (None, YES) and left.optional and right.optional:
        value = (
            f"CASE WHEN {exists} THEN {value} END"  # neither is due: there is no sum, not a sum of nothing
        )
    return Piece(
        value,
        left.unit,
        means(both, scope),
        coverage=least(both),
        exists=exists,
        optional=left.optional and right.optional,
    )


def _one_sided(op: str, left: Piece | None, right: Piece | None) -> Piece | None:
    if left is not None or right is None:
        return left
    return right if op == "+" else replace(right, value=f"(-1e0 * {right.value})")


def _addend(piece: Piece, unit: Unit) -> str:
    """A row that is not due adds nothing; one that is due and absent keeps the sum absent."""
    value = piece.in_unit(unit)
    if not piece.exists or not piece.optional:
        return value
    if piece.exists == NO:
        return ZERO
    if piece.sure:
        return f"coalesce({value}, {ZERO})"
    return f"CASE WHEN {piece.exists} THEN {value} ELSE {ZERO} END"


def _ratio(left: str, right: str) -> str:
    if NULL in (left, right):
        return NULL
    divisor = right if literal(right) else f"nullif({right}, {ZERO})"
    return f"({left} / {divisor})"


def _product(op: str, left: Piece, right: Piece) -> Piece:
    unit = left.unit * right.unit if op == "*" else left.unit / right.unit
    both = (left, right)
    parts = [item for item in dict.fromkeys((left.exists, right.exists)) if item and item != YES]
    exists = NO if NO in parts else " AND ".join(f"({item})" for item in parts) or None
    return Piece(
        times(left.value, right.value) if op == "*" else _ratio(left.value, right.value),
        unit,
        combined(both, worst),
        coverage=least(both),
        exists=exists,
        # Only an operand that can lack a row says what its lacking means; one that is owed and nowhere declared is absent.
        optional=any(piece.optional for piece in both if piece.exists) and not _owed(both),
        sure=left.sure and right.sure and (op == "*" or bool(literal(right.value))),
    )


def _owed(pieces: Sequence[Piece]) -> bool:
    """Whether what is there nowhere is due all the same, and nothing else in the product says that it is not."""
    nowhere = [piece for piece in pieces if piece.exists == NO]
    return bool(nowhere) and not any(piece.optional for piece in nowhere)


@compile_expr.register
def _sum_of(expr: SumOf, scope: Scope) -> Piece | None:
    terms = [piece for term in expr.terms if (piece := compile_expr(term, scope)) is not None]
    if not terms:
        return None
    if len(terms) == 1:
        return terms[0]
    unit = terms[0].unit
    sure = all(term.sure for term in terms)
    return Piece(
        sum_there([term.in_unit(unit) for term in terms], any_exists(terms) or YES if sure else None),
        unit,
        means(terms, scope),
        coverage=mean_coverage(terms),
        exists=any_exists(terms),
        optional=all(term.optional for term in terms),
        sure=sure,
    )


def sum_there(values: Sequence[str], exists: str | None = None) -> str:
    """The sum of the values that are there; absent where none is. `exists` says where one is, if it is known."""
    known = [value for value in values if value != NULL]
    if not known:
        return NULL
    added = " + ".join(f"coalesce({value}, {ZERO})" for value in known)
    if exists == YES or len(known) == 1:
        return known[0] if len(known) == 1 else f"({added})"
    if exists is not None:
        return f"CASE WHEN {exists} THEN {added} END"
    absent = " AND ".join(f"{value} IS NULL" for value in known)
    return f"CASE WHEN {absent} THEN NULL ELSE {added} END"


@compile_expr.register
def _first_given(expr: FirstGiven, scope: Scope) -> Piece | None:
    first = compile_expr(expr.terms[0], scope)
    later = [piece for term in expr.terms[1:] if (piece := compile_expr(term, scope)) is not None]
    later = [replace(piece, shares=replace(piece.shares, **DEFAULTED)) for piece in later]
    terms = [*([first] if first is not None else []), *later]
    if not terms:
        return None
    if len(terms) == 1:
        return terms[0]
    unit = terms[0].unit
    given = [(value, term) for term in terms if (value := term.in_unit(unit)) != NULL]
    firm = next((place for place, (value, _) in enumerate(given) if literal(value) is not None), len(given))
    given = given[: firm + 1]  # a number is always given: what comes after it is never taken
    if not given:
        return Piece(NULL, unit)
    values = [value for value, _ in given]

    def pick(name: str) -> str:
        parts = [getattr(term.shares, name) for _, term in given]
        if len(set(parts)) == 1:
            return str(parts[0])
        last = parts.pop() if literal(values[-1]) is not None else ZERO
        whens = " ".join(
            f"WHEN {value} IS NOT NULL THEN {part}" for value, part in zip(values, parts, strict=False)
        )
        return f"CASE {whens} ELSE {last} END"

    value = values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"
    return Piece(value, unit, Shares(*(pick(name) for name in QUALITIES)))


@compile_expr.register
def _extreme(expr: Extreme, scope: Scope) -> Piece | None:
    terms = [compile_expr(term, scope) for term in expr.terms]
    there = [term for term in terms if term is not None]
    if len(there) < len(terms):
        return None
    unit = there[0].unit
    values = [term.in_unit(unit) for term in there]
    given = " AND ".join(f"{value} IS NOT NULL" for value in values if literal(value) is None) or YES
    value = f"CASE WHEN {given} THEN {expr.which}({', '.join(values)}) END"
    return Piece(value, unit, combined(there, worst), coverage=least(there))


@compile_expr.register
def _rounded(expr: Rounded, scope: Scope) -> Piece | None:
    piece = compile_expr(expr.expr, scope)
    if piece is None:
        return None
    unit = scope.unit if piece.unit.same_kind(scope.unit) else piece.unit
    return replace(piece, value=f"round({piece.in_unit(unit)}, {expr.digits})", unit=unit)


@compile_expr.register
def _ln(expr: Ln, scope: Scope) -> Piece | None:
    piece = compile_expr(expr.expr, scope)
    if piece is None:
        return None
    value = piece.in_unit(ONE)
    return replace(piece, value=f"CASE WHEN {value} > {ZERO} THEN ln({value}) END", unit=ONE)


@compile_expr.register
def _power(expr: Power, scope: Scope) -> Piece | None:
    base, exponent = compile_expr(expr.base, scope), compile_expr(expr.exponent, scope)
    if base is None or exponent is None:
        return None
    value = base.in_unit(ONE)
    raised = f"CASE WHEN {value} > {ZERO} THEN power({value}, {exponent.in_unit(ONE)}) END"
    # Rows, coverage and shares are those of a product of the two.
    return replace(_product("*", base, exponent), value=raised, unit=ONE)


@compile_expr.register
def _choose(expr: Choose, scope: Scope) -> Piece | None:
    branches: list[tuple[str, Piece | None]] = []
    otherwise = expr.otherwise
    for condition, value in expr.cases:
        test = compile_condition(condition, scope)
        if test == "FALSE":
            continue
        if isinstance(condition, Compare) and NULL in _sides(condition, scope):
            test = NO  # nothing is more or less than what is nowhere
        if test == "TRUE":
            otherwise = value
            break
        branches.append((test, compile_expr(value, scope)))
    last = compile_expr(otherwise, scope) if otherwise is not None else None
    if not branches:
        return last
    there = [piece for piece in (*(piece for _, piece in branches), last) if piece is not None]
    if not there:
        return None
    unit = there[0].unit

    def pick(part: Callable[[Piece], str], none: str) -> str:
        final = part(last) if last is not None else none
        cases: list[tuple[str, str]] = []
        for test, piece in branches:
            value = part(piece) if piece is not None else none
            if test == YES:
                final = value
                break
            if test != NO:
                cases.append((test, value))
        if {value for _, value in cases} <= {final}:
            return final
        return f"CASE {' '.join(f'WHEN {test} THEN {value}' for test, value in cases)} ELSE {final} END"

    def share(name: str, also: Sequence[Piece]) -> str:
        return pick(lambda piece: worst((piece, *also), name), worst(also, name))

    compared = _compared(expr, scope)
    if all(isinstance(value, Number) for _, value in expr.cases):
        # A grade is a bare number: it rests on what was compared, and covers what that covers.
        grade = combined(compared, worst)
        return Piece(pick(lambda p: p.in_unit(unit), NULL), unit, grade, least(compared))
    coverage = (
        None
        if all(piece.coverage is None for piece in there)
        else pick(lambda piece: piece.coverage or WHOLE, NULL)
    )
    return Piece(
        pick(lambda piece: piece.in_unit(unit), NULL),
        unit,
        Shares(*(share(name, () if name in DATA else compared) for name in QUALITIES)),
        coverage,
        any_exists(there),
        all(piece.optional for piece in there),
    )


def _sides(condition: Compare, scope: Scope) -> list[str]:
    return [piece.value for side in (condition.left, condition.right) if (piece := compile_expr(side, scope))]


def _compared(expr: Choose, scope: Scope) -> list[Piece]:
    """Both sides of every comparison that chooses a branch: the choice is only as good as they are."""
    sides = [
        compile_expr(side, scope)
        for condition, _ in expr.cases
        if compile_condition(condition, scope) not in ("TRUE", "FALSE")
        for node in condition.walk()
        if isinstance(node, Compare)
        for side in (node.left, node.right)
    ]
    return [piece for piece in sides if piece is not None]


def compile_condition(condition: Condition, scope: Scope) -> str:
    """The SQL of a condition; `TRUE` or `FALSE` where options settle it before the query runs, YES or NO where the row's
    keys do."""
    if isinstance(condition, OptionIn):
        return "TRUE" if scope.options[condition.name] in condition.values else "FALSE"
    if isinstance(condition, KeyIn):
        if scope.row is not None:
            return YES if scope.row[condition.name] in condition.values else NO
        known = scope.words.get(condition.name)
        if known is not None and known.isdisjoint(condition.values):
            return NO
        if known is not None and known.issubset(condition.values):
            return YES
        listed = [text(value) for value in condition.values if known is None or value in known]
        return f"{scope.keys[condition.name]} IN ({', '.join(listed)})"
    if isinstance(condition, Not):
        test = compile_condition(condition.term, scope)
        return _NEGATED.get(test, f"NOT ({test})")
    if isinstance(condition, All):
        tests = [compile_condition(term, scope) for term in condition.terms]
        return joined("AND", tests, ("FALSE", NO), (YES, "TRUE"))
    if isinstance(condition, Any):
        tests = [compile_condition(term, scope) for term in condition.terms]
        return joined("OR", tests, ("TRUE", YES), (NO, "FALSE"))
    if isinstance(condition, Compare):
        left, right = compile_expr(condition.left, scope), compile_expr(condition.right, scope)
        if left is None or right is None:
            return "FALSE"
        return _comparison(left.value, condition.op, right.in_unit(left.unit))
    raise TypeError(f"no SQL for {type(condition).__name__}")


def _comparison(left: str, op: str, right: str) -> str:
    """Two numbers compared, those nearer than `SAME` of the second taken as equal; with zero as they are."""
    known = literal(right)
    if known == 0:
        return f"{left} {op} {right}"
    margin = f"{number(SAME)} * abs({right})" if known is None else number(SAME * abs(known))
    if op in ("=", "<>"):
        return f"abs({left} - ({right})) {'<=' if op == '=' else '>'} {margin}"
    sign = 1 if op in ("<=", ">") else -1
    if known is not None:
        return f"{left} {op} {number(known + sign * SAME * abs(known))}"
    return f"{left} {op} (({right}) {'+' if sign > 0 else '-'} {margin})"


_NEGATED = {"TRUE": "FALSE", "FALSE": "TRUE", YES: NO, NO: YES}

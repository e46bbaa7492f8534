"""One formula as SQL: value, and what the value rests on, side by side.

Every expression becomes a `Piece`: the value with its unit, the shares of it that rest on each kind of data and of factor
or a worse one, and its coverage. Only SQL that means the same on the embedded and the distributed engine is emitted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import singledispatch

from celadon.core.units import ONE, Unit
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

ZERO = "0e0"
FULL = "1.0e0"
WHOLE = "1e0"
NULL = "CAST(NULL AS DOUBLE)"
YES, NO = "1 = 1", "1 = 0"
"""A condition that the row's own keys settle; what options settle is TRUE or FALSE."""
NEXT_TO_NOTHING = "1e-300"
"""Added to every weight: it is lost in any other number, but zeros then weigh alike."""
DATA = ("calculated", "declared", "estimated", "defaulted")
"""Share of a value that rests on data of this kind or a worse one; what is left is measured."""
FACTORS = ("factored", "verified1", "own", "recalled")
"""Share that rests on any factor; on one verified by one source or worse; on the plant's own or worse; on a recalled one."""
QUALITIES = (*DATA, *FACTORS)


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def number(value: Fraction | float) -> str:
    """A DOUBLE literal (with an exponent, or both engines would read a decimal)."""
    literal = repr(float(value))
    return literal if "e" in literal else f"{literal}e0"


SAME = 1e-12
"""Numbers whose difference is a smaller share of the second than this are the same: 0.6, worked out in binary, may come out as
0.6000000000000001, and must not miss a published limit by that. No measurement is a thousandth as sharp."""


def literal(value: str) -> float | None:
    """The number that a DOUBLE literal writes; None where the SQL is anything else."""
    return float(value) if _LITERAL.fullmatch(value) else None


_LITERAL = re.compile(r"-?[0-9]+(\.[0-9]+)?e[+-]?[0-9]+")


@dataclass(frozen=True, slots=True)
class Shares:
    """SQL of the shares of a value in QUALITIES: each holds all worse ones, so a product takes the greater of two and a
    sum their mean, and the order is kept."""

    calculated: str = ZERO
    declared: str = ZERO
    estimated: str = ZERO
    defaulted: str = ZERO
    factored: str = ZERO
    verified1: str = ZERO
    own: str = ZERO
    recalled: str = ZERO

    @property
    def columns(self) -> str:
        """The shares as columns of a SELECT."""
        return ", ".join(f"{getattr(self, name)} AS {name}" for name in QUALITIES)

    def varying(self) -> list[str]:
        """The shares that are not the same on every row, as columns of a SELECT."""
        fixed = self.fixed
        return [f"{getattr(self, name)} AS {name}" for name in QUALITIES if name not in fixed]

    @property
    def fixed(self) -> dict[str, str]:
        """Those that are the same on every row, so that nobody need read the column."""
        return {name: part for name in QUALITIES if (part := getattr(self, name)) in (ZERO, FULL)}


DEFAULTED = dict.fromkeys(DATA, FULL)


@dataclass(frozen=True, slots=True)
class Piece:
    """The SQL of an expression. `exists` is None where a row is always there; `optional` says that a missing row means
    “not due here” (nothing to add) rather than “due and absent”."""

    value: str
    unit: Unit
    shares: Shares = Shares()
    coverage: str | None = None
    exists: str | None = None
    optional: bool = True
    sure: bool = False
    """Known to have a value wherever it exists, so that only the latter need be tested."""

    def in_unit(self, unit: Unit) -> str:
        """The value's SQL, converted exactly into `unit`."""
        factor = self.unit.factor_to(unit)
        return self.value if factor == 1 else _times(self.value, number(factor))


class Names:
    """Parts of a formula that are written once, as columns of its SELECT, and named where they are used again."""

    def __init__(self, taken: dict[str, None]) -> None:
        self._taken = taken
        self._parts: dict[str, str] = {}

    def of(self, part: str) -> str:
        """The name of a part; no other part of the query has it."""
        if part not in self._parts:
            self._parts[part] = f"w{len(self._taken)}"
            self._taken[self._parts[part]] = None
        return self._parts[part]

    def columns(self) -> list[str]:
        """The named parts as columns of a SELECT, each before it is used."""
        return [f"{part} AS {name}" for part, name in self._parts.items()]


@dataclass(frozen=True)
class Scope:
    """What names mean where a formula stands."""

    inputs: Mapping[str, Piece | None]
    """Input name -> its columns; None = not applicable in this plant."""
    totals: Mapping[int, Piece | None]
    """id of a Total or AtKey node -> the columns of its own step."""
    keys: Mapping[str, str]
    options: Mapping[str, str]
    unit: Unit
    """The unit the rule promises; a rounding step rounds in it."""
    row: Mapping[str, str] | None = None
    """The words of the keys where the formula is written out for one row of them."""
    words: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What some of the keys can be: what is true or false of all their words need not be tested."""
    names: Names | None = None
    """Where long parts may be named; None where they must stand as they are."""


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
    exists = _any_exists(both)
    if exists not in (None, YES) and left.optional and right.optional:
        value = (
            f"CASE WHEN {exists} THEN {value} END"  # neither is due: there is no sum, not a sum of nothing
        )
    return Piece(
        value,
        left.unit,
        _means(both, scope),
        coverage=_least(both),
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


def _times(left: str, right: str) -> str:
    """A product; of two literals, a literal."""
    if NULL in (left, right):
        return NULL
    one, other = literal(left), literal(right)
    if one is not None and other is not None:
        return number(one * other)
    if other is not None and (scaled := _SCALED.fullmatch(left)):
        return _times(scaled[1], number(float(scaled[2]) * other))
    return left if other == 1 else right if one == 1 else f"({left} * {right})"


_SCALED = re.compile(r"\((\w+) \* (-?[0-9.]+e[+-]?[0-9]+)\)")
"""A column already multiplied with a number: the numbers are multiplied once, not on every row."""


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
        _times(left.value, right.value) if op == "*" else _ratio(left.value, right.value),
        unit,
        _shares(both, _worst),
        coverage=_least(both),
        exists=exists,
        # Only an operand that can lack a row says what its lacking means.
        optional=any(piece.optional for piece in both if piece.exists),
        sure=left.sure and right.sure and (op == "*" or bool(literal(right.value))),
    )


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
        sum_there([term.in_unit(unit) for term in terms], _any_exists(terms) or YES if sure else None),
        unit,
        _means(terms, scope),
        coverage=_mean_coverage(terms),
        exists=_any_exists(terms),
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
    return Piece(value, unit, _shares(there, _worst), coverage=_least(there))


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
        return pick(lambda piece: _worst((piece, *also), name), _worst(also, name))

    compared = _compared(expr, scope)
    if all(isinstance(value, Number) for _, value in expr.cases):
        # A grade is a bare number: it rests on what was compared, and covers what that covers.
        grade = _shares(compared, _worst)
        return Piece(pick(lambda p: p.in_unit(unit), NULL), unit, grade, _least(compared))
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
        _any_exists(there),
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
    return f"{left} {op} ({right}) {'+' if sign > 0 else '-'} {margin}"


_NEGATED = {"TRUE": "FALSE", "FALSE": "TRUE", YES: NO, NO: YES}


def joined(word: str, tests: Sequence[str], deciding: Sequence[str], empty: Sequence[str]) -> str:
    """Tests joined by AND or OR: one that decides is the whole, one that says nothing is left out."""
    if found := next((one for one in deciding if one in tests), None):
        return found
    open_tests = [test for test in tests if test not in empty]
    if not open_tests:
        return next(one for one in empty if one in tests)
    return f" {word} ".join(f"({test})" for test in open_tests)


def _shares(pieces: Sequence[Piece], combine: Callable[[Sequence[Piece], str], str]) -> Shares:
    return Shares(*(combine(pieces, name) for name in QUALITIES))


def _worst(pieces: Sequence[Piece], name: str) -> str:
    parts = [part for part in dict.fromkeys(getattr(piece.shares, name) for piece in pieces) if part != ZERO]
    if FULL in parts:
        return FULL
    return ZERO if not parts else parts[0] if len(parts) == 1 else f"greatest({', '.join(parts)})"


def _means(pieces: Sequence[Piece], scope: Scope) -> Shares:
    """The share of a sum is the mean of its terms' shares, weighted by their size; of nothing but zeros, the plain mean."""
    pieces = [piece for piece in pieces if piece.value != NULL] or pieces
    if len(pieces) == 1:
        return pieces[0].shares
    unit, names = pieces[0].unit, scope.names
    found: dict[str, str] = {}
    whole = ""
    sizes: list[str] = []
    for quality in QUALITIES:
        parts = [getattr(piece.shares, quality) for piece in pieces]
        if set(parts) in ({ZERO}, {FULL}):
            found[quality] = parts[0]
            continue
        if not sizes:
            sizes = [f"coalesce(abs({piece.in_unit(unit)}) + {NEXT_TO_NOTHING}, {ZERO})" for piece in pieces]
            sizes = sizes if names is None else [names.of(size) for size in sizes]
            whole = f"nullif({' + '.join(sizes)}, {ZERO})"
            whole = whole if names is None else names.of(whole)
        top = " + ".join(
            size if part == FULL and names is not None else f"{size} * {_there(part)}"
            for size, part in zip(sizes, parts, strict=True)
            if part != ZERO
        )
        found[quality] = f"coalesce(({top}) / {whole}, {ZERO})"
    return Shares(**found)


def _there(part: str) -> str:
    """A share, none where there is no row."""
    return part if part.startswith("coalesce(") or literal(part) is not None else f"coalesce({part}, {ZERO})"


def _least(pieces: Sequence[Piece]) -> str | None:
    parts = dict.fromkeys(_covered(piece) for piece in pieces if piece.coverage is not None)
    if not parts:
        return None
    partial = [part for part in parts if part != WHOLE]
    return WHOLE if not partial else partial[0] if len(partial) == 1 else f"least({', '.join(partial)})"


def _covered(piece: Piece) -> str:
    """What is not due is not uncovered."""
    if piece.coverage == WHOLE or (piece.exists == NO and piece.optional):
        return WHOLE
    if piece.exists and piece.optional:
        return f"CASE WHEN {piece.exists} THEN {piece.coverage} ELSE {WHOLE} END"
    return str(piece.coverage)


def _mean_coverage(pieces: list[Piece]) -> str | None:
    """Terms that are not due do not count; terms that are due and absent count as uncovered."""
    counted = [piece for piece in pieces if piece.coverage is not None]
    if not counted:
        return None
    counted = [piece for piece in counted if not (piece.exists == NO and piece.optional)]
    if all(piece.coverage == WHOLE for piece in counted):
        return WHOLE
    if len(counted) == 1:
        only = counted[0]
        covered = _there(str(only.coverage))
        return f"CASE WHEN {only.exists} THEN {covered} END" if only.exists and only.optional else covered
    tops, bottoms = [], []
    for piece in counted:
        covered = _there(str(piece.coverage))
        if piece.exists and piece.optional:
            row = _ROW_COVERAGE.fullmatch(covered)
            known = row is not None and piece.exists == f"{row[1]}.seconds IS NOT NULL"
            tops.append(covered if known else f"CASE WHEN {piece.exists} THEN {covered} ELSE {ZERO} END")
            bottoms.append(f"CASE WHEN {piece.exists} THEN {WHOLE} ELSE {ZERO} END")
        else:
            tops.append(covered)
            bottoms.append(WHOLE)
    return f"(({' + '.join(tops)}) / nullif({' + '.join(bottoms)}, {ZERO}))"


_ROW_COVERAGE = re.compile(r"coalesce\((\w+)\.coverage, 0e0\)")
"""Of an input that may lack a row: none where there is none."""


def _any_exists(pieces: Sequence[Piece]) -> str | None:
    parts = [piece.exists for piece in pieces if piece.exists is not None]
    return None if len(parts) < len(pieces) else joined("OR", list(dict.fromkeys(parts)), (YES,), (NO,))

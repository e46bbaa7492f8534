"""What an expression is as SQL: the value with its unit, what it rests on and what it covers; and how those of several
operands become those of the whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from fractions import Fraction

from celadon.core.dataclass import dataclass
from celadon.core.units import Unit

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
        return self.value if factor == 1 else times(self.value, number(factor))


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

    @property
    def parts(self) -> dict[str, str]:
        """Name -> SQL, each before it is used."""
        return {name: part for part, name in self._parts.items()}

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


def times(left: str, right: str) -> str:
    """A product; of two literals, a literal."""
    if NULL in (left, right):
        return NULL
    one, other = literal(left), literal(right)
    if one is not None and other is not None:
        return number(one * other)
    if other is not None and (scaled := _SCALED.fullmatch(left)):
        return times(scaled[1], number(float(scaled[2]) * other))
    return left if other == 1 else right if one == 1 else f"({left} * {right})"


_SCALED = re.compile(r"\((\w+) \* (-?[0-9.]+e[+-]?[0-9]+)\)")
"""A column already multiplied with a number: the numbers are multiplied once, not on every row."""


def joined(word: str, tests: Sequence[str], deciding: Sequence[str], empty: Sequence[str]) -> str:
    """Tests joined by AND or OR: one that decides is the whole, one that says nothing is left out."""
    if found := next((one for one in deciding if one in tests), None):
        return found
    open_tests = [test for test in tests if test not in empty]
    if not open_tests:
        return next(one for one in empty if one in tests)
    return f" {word} ".join(f"({test})" for test in open_tests)


def combined(pieces: Sequence[Piece], combine: Callable[[Sequence[Piece], str], str]) -> Shares:
    return Shares(*(combine(pieces, name) for name in QUALITIES))


def worst(pieces: Sequence[Piece], name: str) -> str:
    parts = [part for part in dict.fromkeys(getattr(piece.shares, name) for piece in pieces) if part != ZERO]
    if FULL in parts:
        return FULL
    return ZERO if not parts else parts[0] if len(parts) == 1 else f"greatest({', '.join(parts)})"


def means(pieces: Sequence[Piece], scope: Scope) -> Shares:
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


def least(pieces: Sequence[Piece]) -> str | None:
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


def mean_coverage(pieces: list[Piece]) -> str | None:
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


def any_exists(pieces: Sequence[Piece]) -> str | None:
    parts = [piece.exists for piece in pieces if piece.exists is not None]
    return None if len(parts) < len(pieces) else joined("OR", list(dict.fromkeys(parts)), (YES,), (NO,))

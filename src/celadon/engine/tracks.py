"""When a formula has a value: which of its inputs must have a row, so that nothing is tested twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from celadon.core.dataclass import dataclass
from celadon.engine.pieces import (
    NO,
    YES,
    Piece,
    Scope,
    literal,
)
from celadon.engine.sql import compile_condition
from celadon.rules.expr import (
    AtKey,
    Binary,
    Choose,
    Expr,
    FirstGiven,
    Ln,
    Number,
    Power,
    Ref,
    Rounded,
    SumOf,
    Total,
)


@dataclass(frozen=True, slots=True)
class Track:
    """An expression has a value only where one of `inputs` has a row (None: wherever); and, if `exact`, at all those places."""

    inputs: frozenset[str] | None
    exact: bool


ALWAYS, UNKNOWN, NEVER = Track(None, True), Track(None, False), Track(frozenset(), True)
Compiled = Callable[[Expr], Piece | None]


def tracked(expr: Expr, known: Mapping[str, Track], scope: Scope, compiled: Compiled) -> Track:
    """Of a formula, from what is known of its inputs (a total by its id) and how each part compiles."""
    if isinstance(expr, Ref):
        return known[expr.name]
    if isinstance(expr, Total | AtKey):
        return known[str(id(expr))]
    if isinstance(expr, Number):
        return ALWAYS
    if isinstance(expr, Choose):
        return _choose(expr, known, scope, compiled)
    parts = [
        (piece, tracked(part, known, scope, compiled))
        for part in expr.children()
        if isinstance(part, Expr) and (piece := compiled(part)) is not None
    ]
    tracks = [track for _, track in parts]
    if isinstance(expr, SumOf | FirstGiven):
        return _either(tracks)
    if isinstance(expr, Binary) and expr.op in "+-":
        if len(parts) == 1:
            return tracks[0]
        if all(piece.exists not in (None, YES) and piece.optional for piece, _ in parts):
            return _either(tracks)  # where neither is due there is no sum
        return _all(_addend(piece, track) for piece, track in parts)
    whole = _all(tracks)
    if isinstance(expr, Ln | Power) or (
        isinstance(expr, Binary) and expr.op == "/" and not literal(parts[-1][0].value)
    ):
        return Track(whole.inputs, False)
    return whole if isinstance(expr, Binary | Rounded) or len(tracks) == len(expr.children()) else UNKNOWN


def _addend(piece: Piece, track: Track) -> Track:
    """A term of a strict sum adds zero where it is not due."""
    if not piece.exists or not piece.optional or piece.exists == YES:
        return track
    return ALWAYS if piece.exists == NO or track.exact else UNKNOWN


def _all(tracks: Iterable[Track]) -> Track:
    whole = ALWAYS
    for track in tracks:
        if NEVER in (whole, track):
            whole = NEVER
        elif whole == ALWAYS or track == ALWAYS:
            whole = track if whole == ALWAYS else whole
        elif whole != track:
            whole = Track(track.inputs if whole.inputs is None else whole.inputs, False)
    return whole


def _either(tracks: list[Track]) -> Track:
    if ALWAYS in tracks:
        return ALWAYS
    exact = all(track.exact for track in tracks)
    found: frozenset[str] = frozenset()
    for track in tracks:
        if track.inputs is None:
            return UNKNOWN
        found |= track.inputs
    return Track(found, exact)


def _choose(expr: Choose, known: Mapping[str, Track], scope: Scope, compiled: Compiled) -> Track:
    found: list[Track] = []
    last = expr.otherwise
    for condition, value in expr.cases:
        test = compile_condition(condition, scope)
        if test in (YES, "TRUE"):
            last = value
            break
        if test not in (NO, "FALSE"):
            found.append(_branch(value, known, scope, compiled))
    found.append(NEVER if last is None else _branch(last, known, scope, compiled))
    return found[0] if len(set(found)) == 1 else Track(_either(found).inputs, False)


def _branch(value: Expr, known: Mapping[str, Track], scope: Scope, compiled: Compiled) -> Track:
    return NEVER if compiled(value) is None else tracked(value, known, scope, compiled)

"""Quantities written out: a piece of SQL for each word of a quantity's keys, and how pieces add up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from enum import Enum
from functools import partial

from celadon.core.dataclass import dataclass
from celadon.core.units import Unit
from celadon.engine.layers import Layers
from celadon.engine.pieces import (
    FULL,
    NEXT_TO_NOTHING,
    NO,
    NULL,
    QUALITIES,
    WHOLE,
    YES,
    ZERO,
    Piece,
    Shares,
    joined,
)
from celadon.engine.settled import settled
from celadon.engine.sql import sum_there
from celadon.rules.expr import Condition

Words = tuple[str, ...]
"""The words of a quantity's keys, in the order of its keys."""


class Level(Enum):
    """Where a quantity stands: on the facts' own rows, or on what the request asks for."""

    FINE = "fine"
    ASKED = "asked"


@dataclass(frozen=True)
class Cells:
    """One quantity, written out. A piece's value is NULL wherever its row is not there."""

    step: str
    keys: tuple[str, ...]
    unit: Unit
    rows: Mapping[Words, Piece]
    optional: bool = True
    describes: bool = False
    is_factor: bool = False
    sure: frozenset[Words] = frozenset()
    """Where there is a value whenever there is a row."""
    gaps: frozenset[Words] = frozenset()
    """Where a value may lack because a factor does."""
    seconds: Mapping[Words, Callable[[], str]] = field(default_factory=dict)
    """What weighs coverage in a total over keys, where rows are not equally long."""

    def words(self, row: Mapping[str, str]) -> Words:
        return tuple(row[key] for key in self.keys)

    def row(self, words: Words) -> dict[str, str]:
        return dict(zip(self.keys, words, strict=True))

    def only(self, condition: Condition, options: Mapping[str, str]) -> Cells:
        """The rows whose keys fulfil a condition."""
        kept = {words for words in self.rows if settled(condition, options, self.row(words))}
        return replace(
            self,
            rows={words: piece for words, piece in self.rows.items() if words in kept},
            sure=self.sure & kept,
            gaps=self.gaps & kept,
            seconds={words: weigh for words, weigh in self.seconds.items() if words in kept},
        )

    def piece(self, words: Words, *, guard: bool) -> Piece:
        """As an input of a formula. `guard`: what is not there covers nothing, for whoever does not ask whether it is."""
        found = self.rows.get(words)
        if found is None:
            coverage = None if self.describes or self.is_factor else ZERO
            return Piece(NULL, self.unit, coverage=coverage, exists=NO, optional=self.optional, sure=True)
        found = replace(found, sure=words in self.sure)
        if self.describes or self.is_factor:
            return replace(found, coverage=None, optional=self.optional)
        if found.exists in (None, YES) or not guard:
            return replace(found, optional=self.optional)
        covered = f"CASE WHEN {found.exists} THEN {found.coverage} ELSE {ZERO} END"
        return replace(found, coverage=covered, optional=self.optional)


def settle(layers: Layers, piece: Piece) -> Piece:
    """The piece with its SQL named as columns."""
    value = layers.column(piece.value)
    exists = piece.exists if _short(piece.exists) else layers.column(str(piece.exists))
    shares = Shares(*(layers.column(getattr(piece.shares, name)) for name in QUALITIES))
    coverage = None if piece.coverage is None else layers.column(piece.coverage)
    return replace(piece, value=value, shares=shares, coverage=coverage, exists=exists)


def _short(exists: str | None) -> bool:
    return exists is None or exists in (YES, NO) or exists.count(" ") <= 3


def total(layers: Layers, inner: Cells, kept: tuple[str, ...], name: str) -> Cells:
    """The sum over the keys that are not kept, of what is there."""
    groups: dict[Words, list[Words]] = {}
    for words in inner.rows:
        row = inner.row(words)
        groups.setdefault(tuple(row[key] for key in kept), []).append(words)
    rows, sure, seconds = {}, set[Words](), dict[Words, Callable[[], str]]()
    for words, members in groups.items():
        pieces = [inner.rows[member] for member in members]
        weights = [inner.seconds[member] for member in members if member in inner.seconds]
        certain = all(member in inner.sure for member in members)
        rows[words] = settle(layers, _added(layers, pieces, weights, certain))
        if certain:
            sure.add(words)
        if weights:
            seconds[words] = partial(longest, layers, weights)
    gaps = frozenset(tuple(inner.row(words)[key] for key in kept) for words in inner.gaps)
    return Cells(
        name, kept, inner.unit, rows, inner.optional, inner.describes, False, frozenset(sure), gaps, seconds
    )


def longest(layers: Layers, weights: Sequence[Callable[[], str]]) -> str:
    """A row is as long as the longest of those it is made of."""
    found = list(dict.fromkeys(weight() for weight in weights))
    return found[0] if len(found) == 1 else layers.column(f"greatest({', '.join(found)})")


def _added(
    layers: Layers, pieces: Sequence[Piece], weights: Sequence[Callable[[], str]], sure: bool
) -> Piece:
    sizes = [layers.column(f"coalesce(abs({piece.value}) + {NEXT_TO_NOTHING}, {ZERO})") for piece in pieces]
    exists = joined("OR", list(dict.fromkeys(piece.exists or YES for piece in pieces)), (YES,), (NO,))
    exists = exists if _short(exists) else layers.column(exists)
    return Piece(
        sum_there([piece.value for piece in pieces], exists if sure else None),
        pieces[0].unit,
        Shares(*(_share([getattr(piece.shares, name) for piece in pieces], sizes) for name in QUALITIES)),
        _covered(pieces, weights),
        exists,
    )


def _share(shares: Sequence[str], sizes: Sequence[str]) -> str:
    if len(set(shares)) == 1 and shares[0] in (ZERO, FULL):
        return shares[0]
    terms = [f"{size} * {share}" for share, size in zip(shares, sizes, strict=True) if share != ZERO]
    return f"coalesce(({' + '.join(terms)}) / nullif({' + '.join(sizes)}, {ZERO}), {ZERO})"


def _covered(pieces: Sequence[Piece], weights: Sequence[Callable[[], str]]) -> str:
    if all(piece.coverage == WHOLE for piece in pieces):
        return WHOLE
    lengths = [weight() for weight in weights] or [WHOLE] * len(pieces)
    tops, bottoms = [], []
    for piece, length in zip(pieces, lengths, strict=True):
        there = piece.exists or YES
        tops.append(f"CASE WHEN {there} THEN {piece.coverage} * {length} ELSE {ZERO} END")
        bottoms.append(f"CASE WHEN {there} THEN {length} ELSE {ZERO} END")
    return f"(({' + '.join(tops)}) / nullif({' + '.join(bottoms)}, {ZERO}))"


def summed(fine: Layers, asked: Layers, cells: Cells, seconds: Callable[[], str]) -> Cells:
    """The same quantity on what is asked: rows of the fine layers added up."""
    rows: dict[Words, Piece] = {}
    lengths: dict[Words, Callable[[], str]] = {}
    for words, piece in cells.rows.items():
        sure = words in cells.sure
        size = f"(abs({piece.value}) + {NEXT_TO_NOTHING})"

        def share(name: str, piece: Piece = piece, size: str = size) -> str:
            part = getattr(piece.shares, name)
            if part in (ZERO, FULL):
                return str(part)
            top, bottom = (
                asked.source(f"sum({fine.column(f'{size} * {part}')})"),
                asked.source(f"sum({fine.column(size)})"),
            )
            return asked.column(f"coalesce({top} / nullif({bottom}, {ZERO}), {ZERO})")

        rows[words] = Piece(
            asked.source(f"sum({piece.value})"),
            piece.unit,
            Shares(*(share(name) for name in QUALITIES)),
            _summed_coverage(asked, piece, seconds),
            _summed_exists(asked, piece, sure),
        )
        lengths[words] = partial(_length, asked, piece, seconds)
    return replace(cells, rows=rows, seconds=lengths)


def _length(asked: Layers, piece: Piece, seconds: Callable[[], str]) -> str:
    return asked.source(f"max({_where(piece, seconds())})")


def _where(piece: Piece, value: str) -> str:
    return value if piece.exists in (None, YES) else f"CASE WHEN {piece.exists} THEN {value} END"


def _summed_coverage(asked: Layers, piece: Piece, seconds: Callable[[], str]) -> str:
    if piece.coverage == WHOLE:
        return WHOLE
    top = asked.source(f"sum({_where(piece, f'{piece.coverage} * {seconds()}')})")
    bottom = asked.source(f"sum({_where(piece, seconds())})")
    return asked.column(f"{top} / nullif({bottom}, {ZERO})")


def _summed_exists(asked: Layers, piece: Piece, sure: bool) -> str:
    if piece.exists in (None, YES):
        return YES
    return (
        f"{asked.source(f'sum({piece.value})')} IS NOT NULL"
        if sure
        else asked.source(f"bool_or({piece.exists})")
    )

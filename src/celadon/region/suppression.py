"""Which cells of a table may be published: none that shows one enterprise, nor lets it be worked out.

Primary suppression: fewer than `minimum` enterprises, or the (n, k) dominance rule: the `largest` n hold `share` or more of
the cell. Secondary: where a total and all but one of its parts are published, the last follows by subtraction; further cells
are left out until no suppressed cell, and no suppressed remainder that itself breaks the rules, follows from what is published.
Rules after A. Hundepool and others, Statistical Disclosure Control (Wiley 2012), chapter 4: threshold and dominance rules,
secondary suppression, auditing.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.region.model import Disclosure

Key = Any  # whatever tells cells apart
_PRIME = (1 << 61) - 1


@dataclass(frozen=True, slots=True)
class Cell:
    """How many enterprises, what they sum to, and the largest contributions (as many as the dominance rule looks at)."""

    count: int
    total: float
    largest: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A published total and the parts that sum to it."""

    total: Key
    parts: tuple[Key, ...]


@dataclass
class Suppressed:
    """What is not published: `primary` by the rules, `secondary` so that it cannot be worked out."""

    primary: set[Key] = field(default_factory=set)
    secondary: set[Key] = field(default_factory=set)

    @property
    def all(self) -> set[Key]:
        return self.primary | self.secondary


def unsafe(cell: Cell, rule: Disclosure) -> bool:
    """Whether the rules forbid the cell; an empty cell says nothing of anybody."""
    if cell.count == 0:
        return False
    if cell.count < rule.minimum:
        return True
    whole = abs(cell.total)
    return whole > 0 and sum(abs(part) for part in cell.largest[: rule.largest]) >= rule.share * whole


def joined(cells: Iterable[Cell], keep: int) -> Cell:
    """Several cells as one, as somebody sees them who knows only their sum."""
    found = list(cells)
    largest = heapq.nlargest(keep, (abs(part) for cell in found for part in cell.largest))
    return Cell(sum(cell.count for cell in found), sum(cell.total for cell in found), tuple(largest))


def suppress(cells: Mapping[Key, Cell], relations: Sequence[Relation], rule: Disclosure) -> Suppressed:
    """Suppress until nothing forbidden follows from what is published."""
    found = Suppressed({key for key, cell in cells.items() if unsafe(cell, rule)})
    hidden = set(found.primary)
    while True:
        more = _lines(cells, relations, rule, hidden)
        if not more:
            more = _exposed(cells, relations, hidden)
        if not more:
            found.secondary = hidden - found.primary
            return found
        hidden |= more


def _lines(
    cells: Mapping[Key, Cell], relations: Sequence[Relation], rule: Disclosure, hidden: set[Key]
) -> set[Key]:
    """One cell more in each relation whose hidden members could be worked out, or whose remainder is unsafe."""
    more: set[Key] = set()
    for relation in relations:
        out = [key for key in (relation.total, *relation.parts) if key in hidden or key in more]
        if not out or not _shows(relation, out, cells, rule):
            continue
        candidate = _smallest(cells, [key for key in relation.parts if key not in out])
        if candidate is None:
            candidate = relation.total if relation.total not in out else None
        if candidate is not None:
            more.add(candidate)
    return more


def _shows(relation: Relation, out: Sequence[Key], cells: Mapping[Key, Cell], rule: Disclosure) -> bool:
    if len(out) == 1:
        return True
    if relation.total in out:
        return False
    # the sum of the hidden parts is the total less the published parts
    return unsafe(joined((cells[key] for key in out), rule.largest), rule)


def _smallest(cells: Mapping[Key, Cell], keys: Sequence[Key]) -> Key | None:
    """The part whose absence loses least; empty parts hide nothing."""
    usable = [key for key in keys if cells[key].count]
    return min(usable, key=lambda key: (cells[key].count, abs(cells[key].total), str(key)), default=None)


def _exposed(cells: Mapping[Key, Cell], relations: Sequence[Relation], hidden: set[Key]) -> set[Key]:
    """A partner for a hidden cell that a combination of relations still determines."""
    determined = exposed_cells(relations, hidden)
    if not determined:
        return set()
    # where the relations of the cell itself have nobody left to hide, those that lead to it do
    for near in (determined, hidden):
        for relation in relations:
            if not near & {relation.total, *relation.parts}:
                continue
            partner = _smallest(cells, [key for key in relation.parts if key not in hidden])
            if partner is None and relation.total not in hidden:
                partner = relation.total
            if partner is not None:
                return {partner}
    return set()


def exposed_cells(relations: Sequence[Relation], hidden: set[Key]) -> set[Key]:
    """The hidden cells that follow from the published ones: those alone in a row of the reduced system of equations.

    Elimination modulo a large prime: an accident would need a pivot that is a multiple of it."""
    pivots: dict[Key, dict[Key, int]] = {}
    for relation in relations:
        row: dict[Key, int] = {}
        for key, sign in [(relation.total, 1), *((part, -1) for part in relation.parts)]:
            if key in hidden:
                row[key] = (row.get(key, 0) + sign) % _PRIME
        row = {key: value for key, value in row.items() if value}
        _reduce(row, pivots)
    return {key for key, row in pivots.items() if len(row) == 1}


def _reduce(row: dict[Key, int], pivots: dict[Key, dict[Key, int]]) -> None:
    for key in [key for key in row if key in pivots]:
        _take(row, pivots[key], row.get(key, 0))
    if not row:
        return
    pivot = min(row, key=str)
    inverse = pow(row[pivot], -1, _PRIME)
    for key in row:
        row[key] = row[key] * inverse % _PRIME
    for other in pivots.values():
        if pivot in other:
            _take(other, row, other[pivot])
    pivots[pivot] = row


def _take(row: dict[Key, int], other: Mapping[Key, int], times: int) -> None:
    """row − times × other, in place."""
    for key, value in other.items():
        left = (row.get(key, 0) - times * value) % _PRIME
        if left:
            row[key] = left
        else:
            row.pop(key, None)


def beyond(count: int, share: float, rule: Disclosure) -> bool:
    """Whether the percentile at `share` may be told of `count` enterprises: at least `minimum` lie on each side of it."""
    return count * min(share, 1 - share) >= rule.minimum - 1e-9

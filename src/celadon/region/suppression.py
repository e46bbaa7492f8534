"""Which cells of a table may be published: none that shows one enterprise, nor lets it be worked out.

Primary suppression: fewer than `minimum` enterprises, or the (n, k) dominance rule: the `largest` n hold `share` or more of
the cell. Secondary: where a total and all but one of its parts are published, the last follows by subtraction; further cells
are left out until no suppressed cell, and no suppressed remainder that itself breaks the rules, follows from what is published.
Rules after A. Hundepool and others, Statistical Disclosure Control (Wiley 2012), chapter 4: threshold and dominance rules,
secondary suppression, auditing.
"""

from __future__ import annotations

import heapq
import random
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
    """Partners for hidden cells that a combination of relations still determines: for some at a time, as one may serve several."""
    determined = exposed_cells(relations, hidden)
    if not determined:
        return set()
    most = 1 + len(determined) // _AT_ONCE
    # where the relations of the cell itself have nobody left to hide, those that lead to it do
    for near in (determined, hidden):
        found: set[Key] = set()
        for relation in relations:
            if near.isdisjoint((relation.total, *relation.parts)):
                continue
            partner = _smallest(cells, [key for key in relation.parts if key not in hidden])
            if partner is None and relation.total not in hidden:
                partner = relation.total
            if partner is not None:
                found.add(partner)
                if len(found) >= most:
                    return found
        if found:
            return found
    return set()


_AT_ONCE = 20
"""Of how many determined cells one gets a partner before it is seen what that hides."""
_Row = dict[Key, int]


def exposed_cells(relations: Sequence[Relation], hidden: set[Key]) -> set[Key]:
    """The hidden cells that follow from the published ones: those which every solution of the equations gives one value.

    The homogeneous equations are solved with random numbers for what stays free, modulo a large prime: a cell is determined
    where that comes to zero (but for an accident of one in 10^18).
    """
    rows = []
    for relation in relations:
        row: _Row = {}
        for key, sign in [(relation.total, 1), *((part, -1) for part in relation.parts)]:
            if key in hidden:
                row[key] = (row.get(key, 0) + sign) % _PRIME
        rows.append({key: value for key, value in row.items() if value})
    solved = _eliminate([row for row in rows if row])
    draw = random.Random(len(solved))  # noqa: S311 (nobody gains by guessing them)
    values = {
        key: draw.randrange(1, _PRIME) for key in sorted({key for _, row in solved for key in row}, key=str)
    }
    for pivot, row in reversed(solved):
        others = sum(value * values[key] for key, value in row.items() if key != pivot)
        values[pivot] = -others * pow(row[pivot], -1, _PRIME) % _PRIME
    return {key for key, value in values.items() if not value}


def _eliminate(rows: list[_Row]) -> list[tuple[Key, _Row]]:
    """Pivots and their rows, each free of the pivots before it; the shortest row and its rarest cell first, so that rows stay short."""
    within: dict[Key, set[int]] = {}
    for number, row in enumerate(rows):
        for key in row:
            within.setdefault(key, set()).add(number)
    waiting = [(len(row), number) for number, row in enumerate(rows)]
    heapq.heapify(waiting)
    alone = [key for key, numbers in within.items() if len(numbers) == 1]
    solved: list[tuple[Key, _Row]] = []
    while alone or waiting:
        if alone:  # a cell of one row takes that row out, and nothing changes in others
            pivot = alone.pop()
            number = next(iter(within[pivot]), -1)
        else:
            size, number = heapq.heappop(waiting)
            if not rows[number] or len(rows[number]) != size:
                continue
            pivot = min(rows[number], key=lambda key: len(within[key]))
        if number < 0:
            continue
        row = rows[number]
        for key in row:
            within[key].discard(number)
        for other in list(within[pivot]):
            _take(rows[other], row, rows[other][pivot] * pow(row[pivot], -1, _PRIME), other, within)
            heapq.heappush(waiting, (len(rows[other]), other))
        rows[number] = {}
        alone += [key for key in row if len(within[key]) == 1]
        solved.append((pivot, row))
    return solved


def _take(row: _Row, taken: _Row, times: int, number: int, within: dict[Key, set[int]]) -> None:
    """row − times × taken, in place; `within` follows."""
    for key, value in taken.items():
        left = (row.get(key, 0) - times * value) % _PRIME
        if left:
            row[key] = left
            within[key].add(number)
        elif key in row:
            del row[key]
            within[key].discard(number)


def beyond(count: int, share: float, rule: Disclosure) -> bool:
    """Whether the percentile at `share` may be told of `count` enterprises: at least `minimum` lie on each side of it."""
    return count * min(share, 1 - share) >= rule.minimum - 1e-9

"""Stretch: what is known for certain about when a point has readings, without opening a file.

To find the n-th reading before or after some instant, it is enough to know a place from which on there are
at least n: the cost then depends on how dense the readings are there, never on how much history there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import duckdb

from celadon.core.dataclass import dataclass
from celadon.store.rows import micros, month_of

ENOUGH = 64
"""Readings counted at either end of a stretch; so many neighbours are found within the nearest month."""
COLUMNS = "t_min, t_max, head_n, t_head, tail_n, t_tail"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Readings of one point, by their times in microseconds.

    There is one at each of the four instants, there are `head_n` distinct instants with readings in [t_min,
    t_head], and `tail_n` in [t_tail, t_max].
    """

    t_min: int
    t_max: int
    head_n: int
    t_head: int
    tail_n: int
    t_tail: int

    def row(self) -> tuple[int, int, int, int, int, int]:
        """The values of `COLUMNS`."""
        return self.t_min, self.t_max, self.head_n, self.t_head, self.tail_n, self.t_tail

    def joined(self, other: Stretch) -> Stretch:
        """What is certain when both stretches are of the same point and month."""
        first, second = (self, other) if self.t_min <= other.t_min else (other, self)
        heads = [(self.head_n, self.t_head), (other.head_n, other.t_head)]
        tails = [(self.tail_n, self.t_tail), (other.tail_n, other.t_tail)]
        if first.t_max < second.t_min:  # one after the other: counts add where they meet
            if first.t_head == first.t_max:
                heads.append((first.head_n + second.head_n, second.t_head))
            if second.t_tail == second.t_min:
                tails.append((first.tail_n + second.tail_n, first.t_tail))
        # a proof of enough readings is better the shorter it is
        head_n, t_head = max(heads, key=lambda proof: (min(proof[0], ENOUGH), -proof[1]))
        tail_n, t_tail = max(tails, key=lambda proof: (min(proof[0], ENOUGH), proof[1]))
        return Stretch(
            min(self.t_min, other.t_min), max(self.t_max, other.t_max), head_n, t_head, tail_n, t_tail
        )


def nth_before(stretches: Iterable[Stretch], moment: int, count: int) -> int | None:
    """An instant from which on there certainly are `count` distinct instants with readings before `moment`."""
    known: set[int] = set()
    starts: list[int] = []
    for item in stretches:
        known.update(t for t in (item.t_min, item.t_head, item.t_tail, item.t_max) if t < moment)
        proofs = ((item.head_n, item.t_min, item.t_head), (item.tail_n, item.t_tail, item.t_max))
        starts.extend(start for n, start, end in proofs if n >= count and end < moment)
    if len(known) >= count:
        starts.append(sorted(known)[-count])
    return max(starts, default=None)


def nth_from(stretches: Iterable[Stretch], moment: int, count: int) -> int | None:
    """An instant up to which there certainly are `count` distinct instants with readings at or after
    `moment`.
    """
    known: set[int] = set()
    ends: list[int] = []
    for item in stretches:
        known.update(t for t in (item.t_min, item.t_head, item.t_tail, item.t_max) if t >= moment)
        proofs = ((item.head_n, item.t_min, item.t_head), (item.tail_n, item.t_tail, item.t_max))
        ends.extend(end for n, start, end in proofs if n >= count and start >= moment)
    if len(known) >= count:
        ends.append(sorted(known)[count - 1])
    return min(ends, default=None)


def measure_few(rows: Iterable[tuple[int, datetime]]) -> list[tuple[int, int, int, Stretch]]:
    """`measure` of up to ENOUGH rows (point, t without a zone): all of a point's are counted at either end."""
    times: dict[tuple[int, int], list[int]] = {}
    for point, t in rows:
        instant = t.replace(tzinfo=UTC)
        times.setdefault((month_of(instant), point), []).append(micros(instant))
    found = []
    for (month, point), all_ in sorted(times.items()):
        first, last, instants = min(all_), max(all_), len(set(all_))
        found.append((point, month, len(all_), Stretch(first, last, instants, last, instants, first)))
    return found


def measure(con: duckdb.DuckDBPyConnection, source: str) -> list[tuple[int, int, int, Stretch]]:
    """(point, month, readings, stretch) of each point and UTC month in `source`, a relation with point and
    t.
    """
    rows = con.execute(
        "SELECT point, m, n, epoch_us(t_min), epoch_us(t_max), len(list_distinct(head)), epoch_us(list_max(head)), "
        "len(list_distinct(tail)), epoch_us(list_min(tail)) FROM (SELECT point, "
        "(year(t) * 12 + month(t) - 1)::INTEGER AS m, count(*) AS n, min(t) AS t_min, max(t) AS t_max, "
        f"min(t, {ENOUGH}) AS head, max(t, {ENOUGH}) AS tail FROM {source} GROUP BY ALL) ORDER BY m, point"
    ).fetchall()
    return [(point, month, n, Stretch(*rest)) for point, month, n, *rest in rows]

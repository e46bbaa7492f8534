"""Which segments a read must open: by the spans in the catalogue, never by looking at files.

Of a span it is known for certain that its point has a reading at `t_min` and one at `t_max`. That bounds
the search for the n-th reading before or after a window, so its cost does not depend on how much history
there is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from celadon.store.catalogue import Catalogue, int_list
from celadon.store.rows import Span, instant_of, month_of

_ALWAYS, _NEVER = -(2**62), 2**62  # before and after every instant, in microseconds
_SPAN = "point, segment, batch_min, batch_max, t_min, t_max"


@dataclass(slots=True)
class Edge:
    """What to open beyond one end of a window: segments, and per point the farthest instant (µs) needed."""

    segments: set[int] = field(default_factory=set)
    reach: dict[int, int] = field(default_factory=dict)


def month_at(micro: int) -> int:
    """The month that holds an instant given in microseconds."""
    return month_of(instant_of(micro))


def inside(catalogue: Catalogue, upto: int, points: Collection[int], start: int, end: int) -> set[int]:
    """Segments with readings of `points` in [start, end), microseconds."""
    sql = (
        f"SELECT DISTINCT segment FROM span WHERE point IN ({int_list(points)}) AND month BETWEEN ? AND ? "
        "AND batch_min <= ? AND t_max >= ? AND t_min < ?"
    )
    return {row[0] for row in catalogue.rows(sql, month_at(start), month_at(end), upto, start, end)}


def before(catalogue: Catalogue, upto: int, points: Collection[int], start: int, count: int) -> Edge:
    """What holds the last `count` instants with readings before `start`, for each of `points`."""
    month = month_at(start)
    near = _near(catalogue, upto, points, (month - 1, month), "t_min < ?", start)
    edge = Edge()
    for point in points:
        spans, further = near.get(point, []), month - 1
        known = _known(spans, upto, high=start)
        while len(known) < count and (found := _step(catalogue, upto, point, further, back=True)):
            further, spans = found[0], [*spans, *found[1]]
            known = _known(spans, upto, high=start)
        if spans:
            reach = known[-count] if len(known) >= count else min(span.t_min for span in spans)
            edge.reach[point] = reach
            edge.segments.update(span.segment for span in spans if span.t_max >= reach)
    return edge


def after(catalogue: Catalogue, upto: int, points: Collection[int], end: int, count: int) -> Edge:
    """What holds the first `count` instants with readings at or after `end`, for each of `points`."""
    month = month_at(end)
    near = _near(catalogue, upto, points, (month, month + 1), "t_max >= ?", end)
    edge = Edge()
    for point in points:
        spans, further = near.get(point, []), month + 1
        known = _known(spans, upto, low=end)
        while len(known) < count and (found := _step(catalogue, upto, point, further, back=False)):
            further, spans = found[0], [*spans, *found[1]]
            known = _known(spans, upto, low=end)
        if spans:
            reach = known[count - 1] if len(known) >= count else max(span.t_max for span in spans)
            edge.reach[point] = reach
            edge.segments.update(span.segment for span in spans if span.t_min <= reach)
    return edge


def touched_months(
    catalogue: Catalogue, new: Mapping[int, Sequence[tuple[int, int, int]]], reach: int
) -> Iterable[tuple[int, int]]:
    """(point, month) whose ledger the readings of a batch may change.

    `new`: point → (month, t_min, t_max) of the batch, which the catalogue's extents cover already. A month's ledger is
    a function of its readings, of those at the last `reach` instants before it and at the first `reach` instants from
    its end on. So a reading touches every month from that of its `reach`-th neighbour before to that of its `reach`-th
    neighbour after. Of a month, only its first and last reading are looked up: where they are not the neighbours, more
    is touched, never less.
    """
    for point, rows in new.items():
        first, last = min(row[0] for row in rows), max(row[0] for row in rows)
        pool = _extents(catalogue, point, first, last, reach)
        months: set[int] = set()
        for month, t_min, t_max in rows:
            earlier, later = bisect_left(pool, t_min) - reach, bisect_right(pool, t_max) - 1 + reach
            # the very first reading also closes the interval before it, which may lie in the month before
            low = month_at(pool[earlier]) if earlier >= 0 else month_at(pool[0] - 1)
            high = month_at(pool[min(later, len(pool) - 1)])
            months.update(range(min(low, month), max(high, month) + 1))
        yield from ((point, month) for month in sorted(months))


def _extents(catalogue: Catalogue, point: int, first: int, last: int, reach: int) -> list[int]:
    """First and last instants of the months first..last of a point, and of the `reach` nearest months beyond."""
    one = "SELECT t_min, t_max FROM extent WHERE point = ? AND month"
    rows = catalogue.rows(f"{one} BETWEEN ? AND ?", point, first, last)
    rows += catalogue.rows(f"{one} < ? ORDER BY month DESC LIMIT ?", point, first, reach)
    rows += catalogue.rows(f"{one} > ? ORDER BY month LIMIT ?", point, last, reach)
    return sorted({instant for row in rows for instant in row})


def data_range(catalogue: Catalogue, upto: int, point: int) -> tuple[int, int] | None:
    """First and last month that readings of `point` bear on, as of batch `upto`; None without any."""
    sql = (
        "SELECT {} FROM span WHERE point = ? AND batch_max <= ? AND month = "
        "(SELECT month FROM span WHERE point = ? AND batch_max <= ? ORDER BY month {} LIMIT 1)"
    )
    first = catalogue.one(sql.format("min(t_min)", "ASC"), point, upto, point, upto)
    last = catalogue.one(sql.format("max(t_max)", "DESC"), point, upto, point, upto)
    return None if first is None or last is None else (month_at(first - 1), month_at(last))


def _near(
    catalogue: Catalogue,
    upto: int,
    points: Iterable[int],
    months: tuple[int, int],
    condition: str,
    value: int,
) -> dict[int, list[Span]]:
    sql = (
        f"SELECT {_SPAN} FROM span WHERE point IN ({int_list(points)}) AND month BETWEEN ? AND ? "
        f"AND batch_min <= ? AND {condition}"
    )
    found: dict[int, list[Span]] = {}
    for row in catalogue.rows(sql, *months, upto, value):
        found.setdefault(row[0], []).append(Span(*row))
    return found


def _step(
    catalogue: Catalogue, upto: int, point: int, month: int, *, back: bool
) -> tuple[int, list[Span]] | None:
    """The next month beyond `month` in which the point has readings, with all its spans."""
    sign, order = ("<", "DESC") if back else (">", "ASC")
    beyond = f"point = ? AND month {sign} ? AND batch_min <= ?"
    found = catalogue.one(
        f"SELECT month FROM span WHERE {beyond} ORDER BY month {order} LIMIT 1", point, month, upto
    )
    if found is None:
        return None
    rows = catalogue.rows(
        f"SELECT {_SPAN} FROM span WHERE point = ? AND month = ? AND batch_min <= ?", point, found, upto
    )
    return int(found), [Span(*row) for row in rows]


def _known(spans: Iterable[Span], upto: int, low: int = _ALWAYS, high: int = _NEVER) -> list[int]:
    """Instants in [low, high) that certainly have a reading; a span shared by later batches proves none."""
    certain = {t for span in spans if span.batch_max <= upto for t in (span.t_min, span.t_max)}
    return sorted(t for t in certain if low <= t < high)

"""Which segments a read must open, and which months a batch touches: by the stretches in the catalogue
alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field

from celadon.core.dataclass import dataclass
from celadon.store.catalogue import Catalogue, int_list
from celadon.store.rows import instant_of, month_of
from celadon.store.stretch import COLUMNS, Stretch, nth_before, nth_from

_SPAN = f"point, segment, batch_max, {COLUMNS}"
_EXTENT = (
    "INSERT INTO extent VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (point, month) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS.split(", "))
)
New = Mapping[int, Sequence[tuple[int, Stretch]]]
"""Point → (month, stretch) of the readings of a batch."""


@dataclass(frozen=True, slots=True)
class Span:
    """The readings of one point in one segment."""

    point: int
    segment: int
    batch_max: int
    stretch: Stretch


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


def bounds(
    catalogue: Catalogue, upto: int, points: Collection[int], start: int, end: int
) -> dict[int, tuple[int, int]]:
    """Segments with readings of `points` in [start, end), microseconds: first and last instant there is of these points."""
    sql = (
        f"SELECT segment, min(t_min), max(t_max) FROM span WHERE point IN ({int_list(points)}) AND month BETWEEN ? AND ? "
        "AND batch_min <= ? GROUP BY segment HAVING max(t_max) >= ? AND min(t_min) < ?"
    )
    rows = catalogue.rows(sql, month_at(start), month_at(end), upto, start, end)
    return {segment: (first, last) for segment, first, last in rows}


def with_any(
    catalogue: Catalogue, upto: int, points: Collection[int], moment: int, *, back: bool
) -> list[int]:
    """Those of `points` that have readings before an instant (with `back`), or from it on."""
    beyond = "s.month <= ? AND s.t_min < ?" if back else "s.month >= ? AND s.t_max >= ?"
    sql = (
        f"SELECT id FROM point p WHERE id IN ({int_list(points)}) AND EXISTS "
        f"(SELECT 1 FROM span s WHERE s.point = p.id AND {beyond} AND s.batch_min <= ?)"
    )
    return [row[0] for row in catalogue.rows(sql, month_at(moment), moment, upto)]


def before(catalogue: Catalogue, upto: int, points: Collection[int], start: int, count: int) -> Edge:
    """What holds the last `count` instants with readings before `start`, for each of `points`."""
    month = month_at(start)
    near = _near(catalogue, upto, points, (month - 1, month), "t_min < ?", start)
    edge = Edge()
    for point in points:
        spans, further = near.get(point, []), month - 1
        reach = nth_before(_certain(spans, upto), start, count)
        while reach is None and (found := _step(catalogue, upto, point, further, back=True)):
            further, spans = found[0], [*spans, *found[1]]
            reach = nth_before(_certain(spans, upto), start, count)
        if spans:
            reach = min(span.stretch.t_min for span in spans) if reach is None else reach
            edge.reach[point] = reach
            edge.segments.update(span.segment for span in spans if span.stretch.t_max >= reach)
    return edge


def after(catalogue: Catalogue, upto: int, points: Collection[int], end: int, count: int) -> Edge:
    """What holds the first `count` instants with readings at or after `end`, for each of `points`."""
    month = month_at(end)
    near = _near(catalogue, upto, points, (month, month + 1), "t_max >= ?", end)
    edge = Edge()
    for point in points:
        spans, further = near.get(point, []), month + 1
        reach = nth_from(_certain(spans, upto), end, count)
        while reach is None and (found := _step(catalogue, upto, point, further, back=False)):
            further, spans = found[0], [*spans, *found[1]]
            reach = nth_from(_certain(spans, upto), end, count)
        if spans:
            reach = max(span.stretch.t_max for span in spans) if reach is None else reach
            edge.reach[point] = reach
            edge.segments.update(span.segment for span in spans if span.stretch.t_min <= reach)
    return edge


def extend(catalogue: Catalogue, new: New) -> None:
    """Take the readings of a batch into the extents: what is certain of each (point, month) over all
    batches.
    """
    months = [month for rows in new.values() for month, _ in rows]
    sql = f"SELECT point, month, {COLUMNS} FROM extent WHERE point IN ({int_list(new)}) AND month BETWEEN ? AND ?"
    known = {(row[0], row[1]): Stretch(*row[2:]) for row in catalogue.rows(sql, min(months), max(months))}
    rows = []
    for point, stretches in new.items():
        for month, stretch in stretches:
            old = known.get((point, month))
            rows.append((point, month, *(stretch if old is None else old.joined(stretch)).row()))
    catalogue.run_many(_EXTENT, rows)


def touched_months(catalogue: Catalogue, new: New, reach: int) -> Iterable[tuple[int, int]]:
    """(point, month) whose ledger the readings of a batch, already in the extents, may change.

    A month's ledger is a function of its readings, of those at the last `reach` instants before it and at
    the first `reach` instants from its end on. So a reading touches every month from that of its `reach`-th
    neighbour before to that of its `reach`-th neighbour after. Where these are not known exactly, more is
    touched, never less.
    """
    for point, rows in new.items():
        first, last = min(row[0] for row in rows), max(row[0] for row in rows)
        extents = _extents(catalogue, point, first, last, reach)
        t_first, t_last = min(item.t_min for item in extents), max(item.t_max for item in extents)
        months: set[int] = set()
        for month, stretch in rows:
            earlier = nth_before(extents, stretch.t_min, reach)
            later = nth_from(extents, stretch.t_max + 1, reach)
            # the very first reading also closes the interval before it, which may lie in the month before
            low = month_at(t_first - 1) if earlier is None else month_at(earlier)
            high = month_at(t_last if later is None else later)
            months.update(range(min(low, month), max(high, month) + 1))
        yield from ((point, month) for month in sorted(months))


def _extents(catalogue: Catalogue, point: int, first: int, last: int, reach: int) -> list[Stretch]:
    """The extents of a point from month `first` to `last`, and of the `reach` nearest months beyond."""
    one = f"SELECT {COLUMNS} FROM extent WHERE point = ? AND month"
    rows = catalogue.rows(f"{one} BETWEEN ? AND ?", point, first, last)
    rows += catalogue.rows(f"{one} < ? ORDER BY month DESC LIMIT ?", point, first, reach)
    rows += catalogue.rows(f"{one} > ? ORDER BY month LIMIT ?", point, last, reach)
    return [Stretch(*row) for row in rows]


def data_ranges(catalogue: Catalogue, upto: int, points: Collection[int]) -> dict[int, tuple[int, int]]:
    """First and last month that readings of each point bear on, as of batch `upto`; of those that have any."""
    known = f"point = p.id AND batch_max <= {int(upto)}"
    edge = f"(SELECT {{}} FROM span WHERE {known} AND month = (SELECT month FROM span WHERE {known} ORDER BY month {{}} LIMIT 1))"
    first, last = edge.format("min(t_min)", "ASC"), edge.format("max(t_max)", "DESC")
    rows = catalogue.rows(f"SELECT p.id, {first}, {last} FROM point p WHERE p.id IN ({int_list(points)})")
    return {point: (month_at(low - 1), month_at(high)) for point, low, high in rows if low is not None}


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
        found.setdefault(row[0], []).append(_span(row))
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
    return int(found), [_span(row) for row in rows]


def _span(row: Sequence[int]) -> Span:
    return Span(row[0], row[1], row[2], Stretch(*row[3:]))


def _certain(spans: Iterable[Span], upto: int) -> list[Stretch]:
    """What the spans prove at batch `upto`; a span that later batches share proves nothing."""
    return [span.stretch for span in spans if span.batch_max <= upto]

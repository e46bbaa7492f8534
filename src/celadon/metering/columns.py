"""Readings added up as columns: where all of a segment's lie in runs that are known, only the values are read.

The listed runs (core/runs.py) say which row is of which point and instant, so a segment is one array of values; the rows of
each hour are neighbours in it. For that numpy and nanoarrow must be installed (the extra `columns`); the statement of
`plain_amounts.py` gives the same integers, and does so for whatever is left here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import nanoarrow
import numpy as np

from celadon.core.dataclass import dataclass
from celadon.metering.scales import Life

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]

_HOUR = 3600
_EXACT = 2.0**53
"""Up to here float64 holds every integer."""
_LARGEST = 2.0**62


@dataclass(frozen=True, slots=True)
class Column:
    """Readings of a segment that all lie in its runs, and come in their order."""

    segment: int
    readings: str
    """Query of its readings."""
    points: frozenset[int]
    runs: Mapping[str, Any]
    """Arrays of its runs, in their order: point, t (end of the first, epoch seconds), span, n, value, v1, top."""


def columns(
    con: duckdb.DuckDBPyConnection,
    runs: str,
    points: Collection[int],
    segments: Mapping[int, tuple[int, str]],
) -> list[Column]:
    """The segments (number → rows, query of its readings by point and time) with the runs that the table `runs` (core/runs.py;
    `segment`) has of `points`."""
    among = ", ".join(map(str, segments))
    asked = ", ".join(map(str, sorted(points)))
    found = con.execute(
        f"""SELECT segment, point, epoch_us(t) // 1000000 AS t, span::BIGINT AS span,
            (epoch_us(t1) - epoch_us(t)) // (span::BIGINT * 1000000) + 1 AS n, value, v1, top
        FROM {runs} WHERE segment IN ({among}) AND point IN ({asked}) ORDER BY segment, point, t"""
    ).fetchnumpy()
    arrays = {name: np.asarray(found[name]) for name in found}
    of, firsts = np.unique(arrays.pop("segment"), return_index=True)
    ends = [*firsts[1:].tolist(), len(arrays["n"])]
    made = []
    for segment, first, end in zip(of.tolist(), firsts.tolist(), ends, strict=True):
        rows, readings = segments[segment]
        own = {name: array[first:end] for name, array in arrays.items()}
        there = frozenset(own["point"].tolist())
        if int(own["n"].sum()) < rows:
            readings = f"SELECT * FROM ({readings}) WHERE point IN ({', '.join(map(str, sorted(there)))})"
        made.append(Column(segment, readings, there, own))
    return made


def sum_columns(
    con: duckdb.DuckDBPyConnection,
    given: Sequence[Column],
    lives: Mapping[int, Life],
    of_point: Mapping[int, int],
    into: str,
) -> list[Column]:
    """Make the table `into` (grp, cell: hours since 1970, amount: ticks, covered: seconds) of the columns; those it leaves come back.

    One is left that holds numbers which float64 could not add up exactly, or that is not what its runs say.
    """
    groups, scale, left = _Groups(lives, of_point), _scales(lives), []
    found: list[tuple[Integers, ...]] = []
    setting = con.execute("SELECT current_setting('preserve_insertion_order')").fetchall()[0][0]
    con.execute("SET preserve_insertion_order = true")  # rows are known by their place
    try:
        for column in given:
            rows = _hours(con, column, groups, scale)
            if rows is None:
                left.append(column)
            else:
                found.append(rows)
    finally:
        con.execute(f"SET preserve_insertion_order = {'true' if setting else 'false'}")
    none = (np.zeros(0, np.int64),) * 4
    made = map(np.concatenate, zip(none, *found, strict=True))
    con.register("summed_columns", dict(zip(("grp", "cell", "amount", "covered"), made, strict=True)))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT * FROM summed_columns")
    con.unregister("summed_columns")
    return left


class _Groups:
    """The groups of points as places in a row: `names` of them in their order, `place` by point."""

    def __init__(self, lives: Mapping[int, Life], of_point: Mapping[int, int]) -> None:
        points = np.fromiter(lives, np.int64, len(lives))
        self.names, places = np.unique(
            np.fromiter((of_point[point] for point in lives), np.int64, len(lives)), return_inverse=True
        )
        self.place = np.zeros(int(points.max()) + 1, np.int64)
        self.place[points] = places


def _scales(lives: Mapping[int, Life]) -> Integers:
    """10^places, num and den of `Scale` by point."""
    scale = np.ones((3, max(lives) + 1), np.int64)
    for point, life in lives.items():
        of = life.epochs[0].scale
        scale[:, point] = (10**of.places, of.num, of.den)
    return scale


def _hours(
    con: duckdb.DuckDBPyConnection, column: Column, groups: _Groups, scale: Integers
) -> tuple[Integers, ...] | None:
    """Groups, hours, ticks and seconds of a column; None: it is to be read the other way."""
    runs = _Runs(column.runs, groups.place, scale)
    if not runs.fit():
        return None
    amount = np.zeros((len(groups.names), runs.last - runs.first + 1), np.int64)
    covered, row = np.zeros_like(amount), 0
    try:
        for array in nanoarrow.c_array_stream(con.sql(f"SELECT value FROM ({column.readings})")):
            child = array.child(0)
            values = np.frombuffer(child.view().buffer(1), np.float64)[
                child.offset : child.offset + len(child)
            ]
            if not runs.add(row, values, amount, covered):
                return None
            row += len(values)
    except duckdb.InterruptException:
        raise
    except (duckdb.Error, RuntimeError):  # it cannot be read: the other way says why
        return None
    group, cell = covered.nonzero()
    at = (group, cell)
    return (groups.names[group], cell + runs.first, amount[at], covered[at]) if row == runs.rows else None


class _Runs:
    """The runs of a column, by row."""

    def __init__(self, runs: Mapping[str, Any], group: Integers, scale: Integers) -> None:
        self.point, self.n, self.span = runs["point"], runs["n"], runs["span"]
        self.ends = np.cumsum(self.n)
        self.starts, self.rows = self.ends - self.n, int(self.ends[-1])
        self.slot, self.per = runs["t"] // self.span - 1, _HOUR // self.span
        self.first = int((self.slot // self.per).min())
        self.last = int(((self.slot + self.n - 1) // self.per).max())
        self.edges, self.top = (runs["value"], runs["v1"]), runs["top"]
        self.group = group[self.point]
        self.display, self.num, self.den = (of[self.point] for of in scale)

    def fit(self) -> bool:
        """Whether no reading's ticks pass 64 bits on the way."""
        return bool((self.top * self.display * self.num < _LARGEST).all())

    def add(self, row: int, values: Floats, amount: Integers, covered: Integers) -> bool:
        """Add the values from a row on to ticks and seconds by group and hour from `first`; False where that cannot be."""
        end = row + len(values)
        of = slice(int(self.ends.searchsorted(row, "right")), int(self.starts.searchsorted(end, "left")))
        low = np.maximum(self.starts[of], row)
        count = np.minimum(self.ends[of], end) - low
        if int(count.sum()) != len(values) or not self._as_listed(of, row, values):
            return False
        ticks = self._ticks(of, count, values)
        slot, per, low = self.slot[of] + (low - self.starts[of]), self.per[of], low - row
        # one row for each hour of each run, and where its readings begin
        hour = slot // per
        hours = (slot + count - 1) // per - hour + 1
        cell = np.arange(int(hours.sum())) + np.repeat(hour - (np.cumsum(hours) - hours), hours)
        starts = np.maximum(
            cell * np.repeat(per, hours) + np.repeat(low - slot, hours), np.repeat(low, hours)
        )
        upto = np.append(starts[1:], len(values)) - 1
        # a count modulo 2^64: what an hour adds to it is exact, however far it has come
        counted = np.cumsum(ticks)
        sums = counted[upto] - counted[starts] + ticks[starts]
        if float(sums.max()) * len(count) >= _EXACT:
            return False
        seconds = (upto - starts + 1) * np.repeat(self.span[of], hours)
        there, own = np.unique(self.group[of], return_inverse=True)
        begin, wide = int(hour.min()), int(cell.max() - hour.min()) + 1
        place = np.repeat(own * wide, hours) + (cell - begin)
        cells = (there, slice(begin - self.first, begin - self.first + wide))
        for into, each in ((amount, sums), (covered, seconds)):
            added = np.bincount(place, each, len(there) * wide)
            into[cells] += added.astype(np.int64).reshape(len(there), wide)
        return True

    def _as_listed(self, of: slice, row: int, values: Floats) -> bool:
        """Whether the first and last readings of the runs are those listed: were the order another, they would not be."""
        edges = zip((self.starts[of], self.ends[of] - 1), self.edges, strict=True)
        for places, listed in edges:
            here = (places >= row) & (places < row + len(values))
            if not np.array_equal(values[places[here] - row], listed[of][here]):
                return False
        return True

    def _ticks(self, of: slice, count: Integers, values: Floats) -> Integers:
        """T(value) of each (`Scale.ticks`), values not below zero."""
        display, num, den = self.display[of], self.num[of], self.den[of]
        alike = (display == display[0]).all()
        shown = values * (float(display[0]) if alike else np.repeat(display.astype(np.float64), count))
        whole = np.rint(shown)
        shown -= whole
        ties = shown == 0.5  # rint goes to the even neighbour, a tick away from zero
        ticks: Integers = whole.astype(np.int64)
        if ties.any():
            ticks += ties
        if (num != 1).any():
            ticks *= np.repeat(num, count)
        if (den != 1).any():
            by = np.repeat(den, count)
            ticks = (ticks + by // 2) // by
        return ticks

"""The ledger of a short stretch of a plain register, worked out in Python: what the statements of `registers.py`, `intervals.py` and
`events.py` make of it, at a fraction of the time.

For a month of one meter planning those forty statements is nearly all of the work. Whatever is surprising in the readings (an
implausible step, several readings at one instant, a value the display cannot show) is left to them. Tests derive random readings
both ways and compare every cell and event.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from celadon.core.model import PointKind
from celadon.metering.changes import Event
from celadon.metering.plain import is_plain
from celadon.metering.scales import Life, limits, value_range

Row = tuple[int, int, float, int, int]
"""A reading: point, microseconds since 1970, value, file, line."""
Cell = tuple[int, datetime, int, int, int, int, int, int]
"""A cell of the ledger: the columns of `intervals.LEDGER_COLUMNS`."""
_EPOCH = datetime(1970, 1, 1)
_SECOND = 10**6


@dataclass(slots=True)
class Brief:
    """Cells whose start is in the window, and what happened to the readings."""

    cells: list[Cell] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def may_be_brief(lives: Mapping[int, Life]) -> bool:
    """Whether these points are registers to which nothing was ever declared to happen."""
    return all(one.meter.kind is PointKind.REGISTER and is_plain(one) for one in lives.values())


def derive_briefly(
    rows: Sequence[Row], lives: Mapping[int, Life], window: tuple[datetime, datetime], grid: int
) -> Brief | None:
    """The ledger of such points' readings, in order of point and time; None where the general way must look at them.

    `window`: UTC without a zone; `grid`: seconds. What readings are needed says `intervals.derive`.
    """
    found = Brief()
    last: dict[int, Row] = {}
    for point, group in groupby(rows, key=lambda row: row[0]):
        readings = list(group)
        last[point] = readings[-1]
        one = _Point(lives[point], window, grid)
        if not one.take(readings):
            return None
        found.cells += one.cells()
        found.events += [*one.events, *_disorder(point, readings, one.edges)]
    found.events += _silence(lives, last, window)
    return found


class _Point:
    """One point's cells and events, while its steps are cut and added up."""

    def __init__(self, life: Life, window: tuple[datetime, datetime], grid: int) -> None:
        self.life, self.epoch, self.grid = life, life.epochs[0], grid
        self.bounds = limits(life.meter, self.epoch)
        self.rated = life.meter.max_rate is not None
        self.edges = (_micros(window[0]), _micros(window[1]))
        first, last = (-(-edge // _SECOND) for edge in self.edges)
        self.seconds = (first, last)
        self.sums: dict[int, list[int]] = {}
        """Cell → ticks, seconds and readings of the steps whose hours are certain."""
        self.vague: dict[int, list[int]] = {}
        """Cell → ticks, their bounds, seconds and readings of over-long steps."""
        self.point = 0
        self.events: list[Event] = []

    def take(self, readings: Sequence[Row]) -> bool:
        """Cut the steps between readings; False with a reading or a step that is surprising."""
        low, high = _micros(self.epoch.lo), _micros(self.epoch.hi)
        least, most = value_range(self.life.meter, self.epoch)
        bounds, grid, sums = self.bounds, self.grid, self.sums
        rate, base = bounds.rate, bounds.base
        gap, (first, last) = self.life.meter.max_gap_seconds * _SECOND, self.edges
        self.point = readings[0][0]
        before, t0, v0 = readings[0], -1, 0
        values = [row[2] for row in readings]
        # ordered by time; what compares with nothing (NaN) compares false with itself
        if not (
            low < readings[0][1] and readings[-1][1] < high and least <= min(values) and max(values) < most
        ):
            return False
        if any(value != value for value in values):
            return False
        for row, v in zip(readings, self.epoch.scale.all_ticks(values), strict=True):
            t = row[1]
            if t0 >= 0:
                d = v - v0
                if not 0 <= d <= rate * (t - t0) + base:  # as nearly no step is
                    turned = bounds.step(v0, v, t - t0)
                    if turned is None:
                        return False
                    d = turned
                if t == t0:
                    return False
                if t > first and t0 < last:
                    long = t - t0 > gap
                    if long or v < v0:
                        self._tell(before, row, d, v < v0, long)
                    s0, s1 = t0 // _SECOND, t // _SECOND
                    end = (s1 - 1) // grid
                    if s0 >= end * grid:  # nearly every step lies inside a cell
                        kept = sums.get(end)
                        if kept is None:
                            sums[end] = [d, s1 - s0, 1]
                        else:
                            kept[0] += d
                            kept[1] += s1 - s0
                            kept[2] += 1
                    else:
                        self._cut(s0, s1, d, long)
            before, t0, v0 = row, t, v
        return True

    def _cut(self, s0: int, s1: int, d: int, long: bool) -> None:
        """A step over an edge: each part is a difference of what it has counted at the cell's edges."""
        grid, s, end = self.grid, s1 - s0, (s1 - 1) // self.grid
        if not long and s0 // grid + 1 == end:
            cells = range(s0 // grid, end + 1)
        else:
            cells = range(
                max(s0 // grid, self.seconds[0] // grid), min(end, (self.seconds[1] - 1) // grid) + 1
            )
        for cell in cells:
            x0, x1 = max(cell * grid - s0, 0), min((cell + 1) * grid, s1) - s0
            amount, n = _upto(d, x1, s) - _upto(d, x0, s), int(cell == end)
            if not long:
                _add(self.sums, cell, (amount, x1 - x0, n))
                continue
            low, high = 0, d
            if self.rated:
                rate, base, covered = self.bounds.rate * 1000000, self.bounds.base, x1 - x0
                low = round(max(0.0, d - rate * (s - covered) - base))
                high = round(min(float(d), rate * covered + base))
            _add(self.vague, cell, (amount, min(low, amount), max(high, amount), x1 - x0, n))

    def cells(self) -> list[Cell]:
        """The cells whose start is in the window."""
        found = []
        for cell in sorted({*self.sums, *self.vague}):
            if self.seconds[0] <= cell * self.grid < self.seconds[1]:
                d, covered, n = self.sums.get(cell, (0, 0, 0))
                amount, low, high, more, ended = self.vague.get(cell, (0, 0, 0, 0, 0))
                start = _EPOCH + timedelta(seconds=cell * self.grid)
                found.append(
                    (self.point, start, d + amount, d + low, d + high, amount, covered + more, n + ended)
                )
        return found

    def _tell(self, before: Row, after: Row, d: int, wrapped: bool, long: bool) -> None:
        """What is said of a step that rolled over or is longer than the meter may be silent."""
        span = {
            "t": _instant(after[1]), "t_before": _instant(before[1]), "value_before": before[2], "value": after[2],
            "file": after[3], "line": after[4],
        }  # fmt: skip
        bounds, most = self.bounds, self.bounds.rate * (after[1] - before[1]) + self.bounds.base
        if wrapped:
            self._say("rollover", amount=bounds.modulus, **span)
        if long:
            self._say("outage", amount=d, **span)
        if bounds.modulus > 0 and self.rated and d + bounds.modulus <= most:
            self._say("rollover-uncertain", n=math.floor((most - d) / bounds.modulus), amount=d, **span)

    def _say(self, code: str, **values: Any) -> None:
        self.events.append(Event(self.point, code, **values))


def _add(sums: dict[int, list[int]], cell: int, values: Sequence[int]) -> None:
    kept = sums.setdefault(cell, [0] * len(values))
    for place, value in enumerate(values):
        kept[place] += value


def _upto(d: int, x: int, s: int) -> int:
    """What a step of `s` seconds and `d` ticks has counted after `x` seconds."""
    return d // s * x + d % s * x // s


def _disorder(point: int, readings: Sequence[Row], edges: tuple[int, int]) -> list[Event]:
    """Readings that a later line of the same file has before them in time."""
    found = [
        row
        for before, row in pairwise(readings)
        if before[3] == row[3] and before[4] > row[4] and row[1] > edges[0] and row[1] - 1 < edges[1]
    ]
    if not found:
        return []
    first, last = found[0], found[-1]
    return [
        Event(
            point, "out-of-order", _instant(last[1]), _instant(first[1]), len(found), None, first[2], last[2], None, last[3],
            last[4],
        )
    ]  # fmt: skip


def _silence(
    lives: Mapping[int, Life], last: Mapping[int, Row], window: tuple[datetime, datetime]
) -> list[Event]:
    """Points that stopped long before the window, or the data of the others, end; and points without any reading."""
    end = _micros(window[1])
    horizon = min(end, max((row[1] for row in last.values()), default=end))
    events = []
    for point, life in lives.items():
        since, until = _micros(life.epochs[0].lo), _micros(life.epochs[-1].hi)
        if point not in last:
            if since < end and until > _micros(window[0]):
                events.append(Event(point, "no-readings", n=0))
        elif min(horizon, until) - last[point][1] > life.meter.max_gap_seconds * _SECOND:
            _, t, value, file, line = last[point]
            events.append(Event(point, "silent", None, _instant(t), 1, None, value, value, None, file, line))
    return events


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)

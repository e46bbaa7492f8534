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

from celadon.core.model import PointKind
from celadon.metering.changes import Event
from celadon.metering.plain import is_plain
from celadon.metering.scales import Epoch, Life, Limits, limits, value_range

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


@dataclass(slots=True)
class _Step:
    """From one reading to the next: the amount, whether the display rolled over, whether it is longer than the meter may be silent."""

    before: Row
    after: Row
    amount: int
    wrapped: bool
    long: bool

    @property
    def t0(self) -> int:
        return self.before[1]

    @property
    def t(self) -> int:
        return self.after[1]


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
    first_edge, last_edge = (_micros(edge) for edge in window)
    for point, group in groupby(rows, key=lambda row: row[0]):
        readings = list(group)
        epoch = lives[point].epochs[0]
        bounds = limits(lives[point].meter, epoch)
        steps = _steps(readings, lives[point], epoch, bounds)
        if steps is None:
            return None
        last[point] = readings[-1]
        seen = [step for step in steps if step.after[1] > first_edge and step.before[1] < last_edge]
        rated = lives[point].meter.max_rate is not None
        found.cells += _cells(point, seen, (bounds, rated), window, grid)
        found.events += [event for step in seen for event in _step_events(point, step, bounds, rated)]
        found.events += _disorder(point, readings, (first_edge, last_edge))
    found.events += _silence(lives, last, window)
    return found


def _steps(readings: Sequence[Row], life: Life, epoch: Epoch, bounds: Limits) -> list[_Step] | None:
    """The steps between readings; None with a reading or a step that is not plain."""
    low, high = (_micros(moment) for moment in (epoch.lo, epoch.hi))
    least, most = value_range(life.meter, epoch)
    gap = life.meter.max_gap_seconds * _SECOND
    ticks = epoch.scale.ticks
    steps: list[_Step] = []
    before, count = None, 0
    for row in readings:
        _, t, value, _, _ = row
        if not (low < t < high and least <= value < most):
            return None
        counted = ticks(value)
        if before is not None:
            amount = bounds.step(count, counted, t - before[1])
            if amount is None or t == before[1]:
                return None
            steps.append(_Step(before, row, amount, counted < count, t - before[1] > gap))
        before, count = row, counted
    return steps


def _cells(
    point: int,
    steps: Sequence[_Step],
    limit: tuple[Limits, bool],
    window: tuple[datetime, datetime],
    grid: int,
) -> list[Cell]:
    """Steps cut at the edges of the grid and added up; see `intervals.py`."""
    first, last = (-(-_micros(edge) // _SECOND) for edge in window)
    sums: dict[int, list[int]] = {}

    def add(cell: int, amount: int, low: int, high: int, estimated: int, covered: int, n: int) -> None:
        kept = sums.get(cell)
        if kept is None:
            sums[cell] = [amount, low, high, estimated, covered, n]
            return
        for place, value in enumerate((amount, low, high, estimated, covered, n)):
            kept[place] += value

    for step in steps:
        s0, s1, d = step.t0 // _SECOND, step.t // _SECOND, step.amount
        end = (s1 - 1) // grid
        if s0 >= end * grid:
            add(end, d, d, d, 0, s1 - s0, 1)
        elif not step.long and s0 // grid + 1 == end:
            edge = end * grid
            early = _upto(d, edge - s0, s1 - s0)
            add(s0 // grid, early, early, early, 0, edge - s0, 0)
            add(end, d - early, d - early, d - early, 0, s1 - edge, 1)
        else:
            for cell in range(max(s0 // grid, first // grid), min(end, (last - 1) // grid) + 1):
                add(cell, *_part(step, s0, s1, cell, grid, limit))
    return [
        (point, _EPOCH + timedelta(seconds=cell * grid), *values)  # type: ignore[misc]
        for cell, values in sorted(sums.items())
        if first <= cell * grid < last
    ]


def _part(
    step: _Step, s0: int, s1: int, cell: int, grid: int, limit: tuple[Limits, bool]
) -> tuple[int, int, int, int, int, int]:
    """Of a step over several cells what falls into one: amount, its bounds, what of it is estimated, seconds, and whether it ends there."""
    (bounds, rated), d, s = limit, step.amount, s1 - s0
    x0, x1 = max(cell * grid - s0, 0), min((cell + 1) * grid, s1) - s0
    amount, covered = _upto(d, x1, s) - _upto(d, x0, s), x1 - x0
    n = int(cell == (s1 - 1) // grid)
    if not step.long:
        return amount, amount, amount, 0, covered, n
    lowest, highest = 0, d
    if rated:
        rate = bounds.rate * 1000000
        lowest = round(max(0.0, d - rate * (s - covered) - bounds.base))
        highest = round(min(float(d), rate * covered + bounds.base))
    return amount, min(lowest, amount), max(highest, amount), amount, covered, n


def _upto(d: int, x: int, s: int) -> int:
    """What a step of `s` seconds and `d` ticks has counted after `x` seconds."""
    return d // s * x + d % s * x // s


def _step_events(point: int, step: _Step, bounds: Limits, rated: bool) -> list[Event]:
    if not (step.wrapped or step.long):
        return []
    before, after = step.before, step.after
    span = {
        "t": _instant(step.t), "t_before": _instant(step.t0), "value_before": before[2], "value": after[2], "file": after[3],
        "line": after[4],
    }  # fmt: skip
    d, most = step.amount, bounds.rate * (step.t - step.t0) + bounds.base
    events = []
    if step.wrapped:
        events.append(Event(point, "rollover", amount=bounds.modulus, **span))  # type: ignore[arg-type]
    if step.long:
        events.append(Event(point, "outage", amount=d, **span))  # type: ignore[arg-type]
    if bounds.modulus > 0 and rated and d + bounds.modulus <= most:
        turns = math.floor((most - d) / bounds.modulus)
        events.append(Event(point, "rollover-uncertain", n=turns, amount=d, **span))  # type: ignore[arg-type]
    return events


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

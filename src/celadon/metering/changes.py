"""Boundaries between legs: which register closes the old leg and which opens the new one.

A declared register is an anchor: a reading nobody took from the file, which no plausibility rule may remove.
There are as many boundaries as declarations, so this is plain Python over a few small queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from itertools import pairwise

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.model import Meter
from celadon.metering.scales import Boundary, Epoch, Life, limits, utc

ANCHOR, VIRTUAL, ESTIMATED = 16, 32, 64
"""Bits of a reading: no rule removes it; it is no reading of a file; it is calculated, not read."""
NEIGHBOURS = 20
"""Readings at distinct instants that a derivation needs on each side of its window, where they exist.

Which reading is wrong is decided from the readings around it: a run of up to four equal wrong values, twice, with what
stands before and after them. With this many the parts derived month by month equal those of one long derivation.
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading as found: time (UTC), displayed value, where it came from."""

    t: datetime
    value: float
    file: int | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Fixed:
    """A reading at a boundary, on one side of it. `top` bounds the estimated amount next to it (ticks)."""

    point: int
    leg: int
    t: datetime
    ticks: int
    bits: int
    reading: Reading
    top: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the events table; see `events.py`."""

    point: int
    code: str
    t: datetime | None = None
    t_before: datetime | None = None
    n: int = 1
    amount: int | None = None
    value_before: float | None = None
    value: float | None = None
    detail: str | None = None
    file: int | None = None
    line: int | None = None


def resolve(
    con: duckdb.DuckDBPyConnection,
    readings: str,
    lives: Mapping[int, Life],
    window: tuple[datetime, datetime],
) -> tuple[list[Fixed], list[Event]]:
    """The anchors of register points whose boundaries the window can see, and what is to be said about them."""
    wanted = [(point, edge) for point, life in lives.items() for edge in life.boundaries]
    stamped = _stamped(con, readings, wanted)
    fixed: list[Fixed] = []
    events: list[Event] = []
    for point, edge in wanted:
        side = _Side(con, readings, point, lives[point], edge, stamped.get((point, edge.at)))
        side.settle()
        fixed += side.fixed
        events += [e for e in side.events if _touches(e, window)]
    return fixed, events


def _touches(event: Event, window: tuple[datetime, datetime]) -> bool:
    end = event.t or window[1]
    return end > window[0] and (event.t_before or end) <= window[1]


def _stamped(
    con: duckdb.DuckDBPyConnection, readings: str, wanted: Sequence[tuple[int, Boundary]]
) -> dict[tuple[int, datetime], Reading]:
    """The reading stamped exactly at each boundary, where there is one (the last written of several)."""
    if not wanted:
        return {}
    marks = ", ".join("(?, ?)" for _ in wanted)
    values = [item for point, edge in wanted for item in (point, edge.at)]
    rows = con.execute(
        f"SELECT point, t, value, file, line FROM {readings} WHERE (point, t) IN ({marks}) AND isfinite(value)"
        " ORDER BY batch, file, line, value",
        values,
    ).fetchall()
    return {(row[0], row[1]): Reading(*row[1:]) for row in rows}


def _ratios(meter: Meter, at: datetime) -> tuple[float, float]:
    """The meter's ratio before the change at `at`, and from then on."""
    before = ratio = meter.multiplier
    for change in sorted(meter.changes, key=lambda change: utc(change.at)):
        if utc(change.at) <= at:
            before, ratio = ratio, change.multiplier or ratio
    return float(before), float(ratio)


@dataclass(slots=True)
class _Side:
    """Settles one boundary."""

    con: duckdb.DuckDBPyConnection
    readings: str
    point: int
    life: Life
    edge: Boundary
    found: Reading | None

    fixed: list[Fixed] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def settle(self) -> None:
        closing, opening, found = self.edge.closing, self.edge.opening, self.found
        known = [value for value in (closing, opening) if value is not None]
        if self.edge.kind == "multiplier":
            before, after = _ratios(self.life.meter, self.edge.at)
            self._say("ratio-changed", value_before=before, value=after, found=found)
        elif self.edge.kind not in ("installed", "removed"):
            self._say(
                "change-applied", value_before=closing, value=opening, detail=self.edge.kind, found=found
            )
        if found is not None and found.value in known:
            self._anchors(closing, opening, found)
        elif found is not None and self._free(closing, opening):
            self._take(closing, opening, found)
        else:
            if found is not None:
                self._say(
                    "change-conflict",
                    value_before=closing,
                    value=opening,
                    found=found,
                    detail=str(found.value),
                )
            self._anchors(closing, opening, None)

    def _free(self, closing: float | None, opening: float | None) -> bool:
        """Whether a side is undeclared, so that a reading stamped at the boundary can be it."""
        return (self.edge.before is not None and closing is None) or (
            self.edge.after is not None and opening is None
        )

    def _take(self, closing: float | None, opening: float | None, found: Reading) -> None:
        """The reading at the boundary is the register that was not declared."""
        if self.edge.kind == "multiplier":
            closing = opening = found.value
        elif self.edge.after is not None and opening is None:
            opening = found.value  # stamped when the new one began; the old one's last stays unknown
        else:
            closing = found.value
        self._anchors(closing, opening, found)

    def _anchors(self, closing: float | None, opening: float | None, found: Reading | None) -> None:
        edge, real = self.edge, found
        if edge.kind == "multiplier" and closing is None:
            self._estimate()
            return
        for leg, value in ((edge.before, closing), (edge.after, opening)):
            if leg is None or value is None:
                continue
            taken = real is not None and real.value == value
            reading = real if taken and real is not None else Reading(edge.at, value)
            bits = ANCHOR | (0 if taken else VIRTUAL)
            self.fixed.append(Fixed(self.point, leg, edge.at, self._ticks(leg, value), bits, reading))
            real = None if taken else real  # a reading counts once
        if (edge.before is not None and closing is None) or (edge.after is not None and opening is None):
            self._unread(closing, opening)

    def _unread(self, closing: float | None, opening: float | None) -> None:
        """A side nobody read: what went through between is unknown, and stays so."""
        if self.edge.kind in ("installed", "removed"):
            return  # counting then begins (ends) with the first (last) reading, as without a declaration
        before, after = self._near(), self._near(later=True)
        start = before[0].t if closing is None and before else self.edge.at
        end = after[0].t if opening is None and after else self.edge.at
        if start < end:
            detail = self.edge.kind
            self._say(
                "change-unread", t_before=start, t=end, value_before=closing, value=opening, detail=detail
            )

    def _estimate(self) -> None:
        """A CT change without the register: the display is taken to have gone at one true rate, before and after."""
        pair = self._pair()
        if pair is None or self.edge.before is None or self.edge.after is None:
            return
        (low, high), old, new = pair, self._epoch(self.edge.before), self._epoch(self.edge.after, first=True)
        span_old = (self.edge.at - low.t) // timedelta(microseconds=1)
        span_new = (high.t - self.edge.at) // timedelta(microseconds=1)
        k_old, k_new = old.scale.per_unit, new.scale.per_unit
        places = 10**old.scale.places
        counts = [round(value * places) for value in (low.value, high.value)]
        modulus = 10**old.digits * places if old.digits is not None else 0
        moved = counts[1] - counts[0] + (modulus if counts[1] < counts[0] else 0)
        weight = (span_old / k_old) / (span_old / k_old + span_new / k_new)
        at = counts[0] + int(moved * weight)
        at -= modulus if modulus and at >= modulus else 0
        value = at / places
        for leg, scale in ((self.edge.before, old.scale), (self.edge.after, new.scale)):
            top = int(moved * scale.per_unit / places) + 1
            self.fixed.append(
                Fixed(
                    self.point, leg, self.edge.at, scale.ticks(value), ANCHOR | VIRTUAL | ESTIMATED,
                    Reading(self.edge.at, value), top,
                )
            )  # fmt: skip
        ends = sorted(int(moved * k / places) for k in (k_old, k_new))
        said = f"{ends[0]}..{ends[1]}"
        self._say(
            "change-estimated",
            t_before=low.t,
            t=high.t,
            value_before=low.value,
            value=high.value,
            detail=said,
        )

    def _pair(self) -> tuple[Reading, Reading] | None:
        """The nearest readings before and after that agree with each other and with their own neighbours."""
        before, after = self._near(), self._near(later=True)
        if self.edge.before is None or not before or not after:
            return None
        choices = sorted(
            ((i, j) for i in range(min(3, len(before))) for j in range(min(3, len(after)))), key=sum
        )
        for i, j in choices:
            low, high = before[i], after[j]
            chain = [*before[i + 1 : i + 2], low, high, *after[j + 1 : j + 2]]
            if all(self._follows(a, b) for a, b in pairwise(chain)):
                return low, high
        return None

    def _follows(self, low: Reading, high: Reading) -> bool:
        """Whether the display may have gone from `low` to `high` (judged on the old leg's scale)."""
        epoch = self._epoch(self.edge.before or 0)
        bounds = limits(self.life.meter, epoch)
        span = (high.t - low.t) // timedelta(microseconds=1)
        return bounds.step(epoch.scale.ticks(low.value), epoch.scale.ticks(high.value), span) is not None

    def _near(self, later: bool = False) -> list[Reading]:
        """Up to NEIGHBOURS readings of the leg on one side of the boundary, nearest first."""
        leg = self.edge.after if later else self.edge.before
        epochs = self.life.of_leg(leg) if leg is not None else []
        if not epochs:
            return []
        rows = self.con.execute(
            f"SELECT t, arg_max(value, (batch, file, line)), NULL, NULL FROM {self.readings}"
            " WHERE point = ? AND t > ? AND t < ? AND isfinite(value)"
            f" GROUP BY t ORDER BY t {'ASC' if later else 'DESC'} LIMIT {NEIGHBOURS}",
            [self.point, epochs[0].lo, epochs[-1].hi],
        ).fetchall()
        return [Reading(*row) for row in rows]

    def _epoch(self, leg: int, first: bool = False) -> Epoch:
        return self.life.of_leg(leg)[0 if first else -1]

    def _ticks(self, leg: int, value: float) -> int:
        return self._epoch(leg, first=leg == self.edge.after).scale.ticks(value)

    def _say(self, code: str, *, found: Reading | None = None, **values: object) -> None:
        place = {"file": found.file, "line": found.line} if found else {}
        details = {"t": self.edge.at, **place, **values}
        self.events.append(Event(self.point, code, **details))  # type: ignore[arg-type]

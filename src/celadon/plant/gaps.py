"""What a gap in a meter's readings leaves open: how much of its amount was counted before an edge of a fact's span.

A gap that lies inside a span leaves nothing open, its total is known. Where an edge cuts it, the part before the edge lies
between two bounds (no part negative, none above max_rate): the part after it is the rest, so it errs the other way. Of a
meter that gives rates, and of a change of multiplier without a register, the total itself is not known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.model import Meter, PointKind
from celadon.core.periods import Period, zone
from celadon.core.text import Text
from celadon.engine.uncertainty import Origin
from celadon.metering.scales import Epoch, life, limits
from celadon.plant.ledger import Deriver, Piece, months_of
from celadon.plant.opened import View

_EVENTS = ("outage", "coarse", "change-estimated")
_RECTANGLE = 1 / math.sqrt(3)
"""Half-width at 95 % of what lies evenly between two bounds, as a share of their distance: two standard uncertainties of
distance / √12 (JCGM 100:2008 4.3.7)."""


@dataclass(frozen=True, slots=True)
class _Gap:
    """A step between two readings with an exact amount and unknown hours; or, `open_`, with an unknown amount."""

    start: datetime
    end: datetime
    amount: float
    open_: float = 0.0


@dataclass(slots=True)
class Gaps:
    """The gaps of one view's meters in a period, each meter derived once; `ledger` names the table of its cells."""

    con: duckdb.DuckDBPyConnection
    seen: View
    period: Period
    points: Mapping[str, int]
    ledger: str
    _known: dict[str, list[_Gap]] = field(default_factory=dict, init=False)

    def parts(self, meter: Meter, start: datetime, end: datetime) -> Iterator[tuple[Origin, float]]:
        """Origins of what the meter's gaps leave open in [start, end), each with its amount in ticks of the ledger.

        The amount is the gap's whole, positive where the span would have more of it were the origin larger.
        """
        if meter.id not in self._known:
            self._known[meter.id] = self._find(meter)
        for gap in self._known[meter.id]:
            if gap.open_ and start <= gap.end < end:
                label = Text(
                    f"meter {meter.id}: what it counted unread from {_said(gap.start, self.period.zone)}",
                    f"计量点 {meter.id}：自 {_said(gap.start, self.period.zone)} 起未读出的用量",
                )
                yield _origin(meter, gap.start, gap.open_ / gap.amount, label), gap.amount
            for edge, sign in ((start, -1.0), (end, 1.0)):
                if not gap.open_ and gap.start < edge < gap.end and (width := _width(meter, gap, edge)):
                    label = Text(
                        f"meter {meter.id}: of its gap, the part before {_said(edge, self.period.zone)}",
                        f"计量点 {meter.id}：缺口中 {_said(edge, self.period.zone)} 之前的部分",
                    )
                    yield _origin(meter, edge, width / abs(gap.amount), label), sign * abs(gap.amount)

    def _find(self, meter: Meter) -> list[_Gap]:
        if meter.kind is PointKind.RATE:
            return self._held(meter)
        months = months_of(self.period)
        piece = Piece(frozenset({self.points[meter.id]}), months[0], months[-1])
        Deriver.of(self.con, self.seen).derive(piece, "gap_ledger", "gap_events")
        rows = self.con.execute(
            "SELECT code, t_before, t, amount, detail FROM gap_events WHERE list_contains(?, code)", [_EVENTS]
        ).fetchall()
        self.con.execute("DROP TABLE gap_ledger; DROP TABLE gap_events")
        found = []
        for code, start, end, amount, detail in rows:
            start, end = start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)
            if code == "change-estimated":
                low, high = (float(word) for word in detail.split(".."))
                if high > low:
                    found.append(_Gap(start, end, high, high - low))
            elif amount:
                found.append(_Gap(start, end, float(amount)))
        return found

    def _held(self, meter: Meter) -> list[_Gap]:
        """Of rates: the cells in which one was taken to hold on, by the distance of their bounds; a run of them errs together."""
        rows = self.con.execute(
            f"SELECT start, high - low FROM {self.ledger} WHERE point = ? AND high > low ORDER BY start",
            [self.points[meter.id]],
        ).fetchall()
        found: list[_Gap] = []
        grid = timedelta(seconds=self.seen.model.grid_seconds)
        for start, open_ in rows:
            cell = start.replace(tzinfo=UTC)
            follows = bool(found) and found[-1].end + grid == cell
            found.append(_Gap(found[-1].start if follows else cell, cell, float(open_), float(open_)))
        return found


def _width(meter: Meter, gap: _Gap, edge: datetime) -> float:
    """How far apart the least and the most are that the meter can have counted before `edge`, in ticks."""
    low, high = sorted((0.0, gap.amount))
    if meter.max_rate is not None and gap.amount > 0:
        bound = limits(meter, _epoch(meter, edge))
        before, after = ((b - a).total_seconds() * 1e6 for a, b in ((gap.start, edge), (edge, gap.end)))
        low = max(low, gap.amount - bound.rate * after - bound.base)
        high = min(high, bound.rate * before + bound.base)
    return max(high - low, 0.0)


def _epoch(meter: Meter, at: datetime) -> Epoch:
    naive = at.astimezone(UTC).replace(tzinfo=None)
    epochs = life(meter).epochs
    return next((epoch for epoch in epochs if epoch.lo < naive < epoch.hi), epochs[-1])


def _origin(meter: Meter, at: datetime, width: float, label: Text) -> Origin:
    moment = f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
    return Origin("estimate", f"gap:{meter.id}:{moment}", label, width * _RECTANGLE)


def _said(moment: datetime, zone_name: str) -> str:
    return f"{moment.astimezone(zone(zone_name)):%Y-%m-%d %H:%M}"

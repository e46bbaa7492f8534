"""The conservation proof: last − first + roll-overs × modulus = attributed + named gaps, in whole ticks.

It is worked out apart from the ledger: from the first and last raw readings of each leg in the period, the readings around its
edges, the declared registers, and the events (what was said to have happened). If a step was lost, doubled or cut wrongly,
or an event does not tell the truth, `difference` is not 0.

A rate is integrated, not counted: there is nothing it conserves, and it has no proof. For amounts per interval the proof is
that all amounts of the period, each interval once, = attributed + named gaps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.model import Meter, PointKind
from celadon.core.periods import Period
from celadon.core.units import UnitError
from celadon.metering.changes import Fixed, Reading, resolve
from celadon.metering.events import GAPS
from celadon.metering.points import ledger_unit
from celadon.metering.registers import declare, in_force, insert, ticks_sql
from celadon.metering.scales import Life, life, utc

_EPOCH = datetime(1970, 1, 1)
_NAMED = (*GAPS, "change-unread")
_COUNTED = (PointKind.REGISTER, PointKind.INTERVAL, PointKind.COUNT)


@dataclass(frozen=True, slots=True)
class Gap:
    """A span in which nothing is attributed: `amount` ticks lie in it (None = unknown), for the reason `code`."""

    code: str
    since: datetime
    until: datetime
    amount: int | None


@dataclass(frozen=True, slots=True)
class Piece:
    """One leg inside the period: its first and last reading, and what the steps over the period's edges add.

    `declared` readings have no file: they are registers of the declaration. Without readings in the period first and last
    are None, and `edges` is the period's part of the one step over it.
    """

    leg: int
    first: Reading | None
    last: Reading | None
    counted: int
    """Last − first, ticks."""
    rollovers: int
    rolled: int
    """Roll-overs × modulus, ticks."""
    edges: int
    """Parts of the steps over the period's edges that lie inside, ticks."""

    @property
    def total(self) -> int:
        return self.counted + self.rolled + self.edges


@dataclass(frozen=True, slots=True)
class Proof:
    """One point and period. `intervals` is the sum of amounts of an interval or count point (its pieces are empty)."""

    meter: str
    unit: str
    period: Period
    pieces: tuple[Piece, ...]
    intervals: int
    attributed: int
    gaps: tuple[Gap, ...]

    @property
    def expected(self) -> int:
        """What the readings say passed in the period, ticks."""
        return sum(piece.total for piece in self.pieces) + self.intervals

    @property
    def difference(self) -> int:
        """Readings − attributed − named gaps: 0, or something is wrong with the ledger."""
        return self.expected - self.attributed - sum(gap.amount or 0 for gap in self.gaps)


def proof(
    con: duckdb.DuckDBPyConnection,
    readings: str,
    ledger: str,
    events: str,
    meters: Sequence[Meter],
    point_ids: Mapping[str, int],
    period: Period,
    grid_seconds: int,
) -> list[Proof]:
    """The proof of each register, interval and count point, over the cells that start in `period`.

    `readings`, `ledger` and `events`: as given to and made by `intervals.derive` for this or a longer window (gaps of
    adjoining windows may stand twice in `events`; they count once).
    """
    lives: dict[int, Life] = {}
    for meter in meters:
        if meter.kind in _COUNTED and meter.id in point_ids:
            try:
                lives[point_ids[meter.id]] = life(meter)
            except UnitError:
                continue  # said by `derive`; there is no ledger of it
    edges = (_up(utc(period.start), grid_seconds), _up(utc(period.end), grid_seconds))
    declare(con, lives)
    work = _Work(con, readings, events, lives, edges)
    attributed = work.attributed(ledger)
    registers = {p: one for p, one in lives.items() if one.meter.kind is PointKind.REGISTER}
    pieces = work.pieces(registers)
    amounts = work.amounts({p: one for p, one in lives.items() if p not in registers})
    gaps = work.gaps()
    con.execute("DROP TABLE l_epoch; DROP TABLE l_leg")
    return [
        Proof(
            one.meter.id, ledger_unit(one.meter).text, period, tuple(pieces.get(p, ())), amounts.get(p, 0),
            attributed.get(p, 0), tuple(gaps.get(p, ())),
        )
        for p, one in lives.items()
    ]  # fmt: skip


def _up(moment: datetime, grid: int) -> datetime:
    """The first edge of the grid at or after `moment`."""
    return _EPOCH - (_EPOCH - moment) // timedelta(seconds=grid) * timedelta(seconds=grid)


def _second(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1)


def _upto(amount: int, first: datetime, last: datetime, edge: datetime) -> int:
    """What a step of `amount` from `first` to `last` has counted up to `edge`, cut in whole seconds."""
    span, inside = _second(last) - _second(first), _second(edge) - _second(first)
    if span <= 0:
        return amount if _second(last) <= _second(edge) else 0
    if inside <= 0:
        return 0
    whole = abs(amount) * min(inside, span) // span
    return whole if amount >= 0 else -whole


@dataclass(slots=True)
class _Step:
    """A step over an edge: its two readings, and what it attributes (0 where it is a gap)."""

    before: tuple[datetime, int]
    after: tuple[datetime, int]
    amount: int


@dataclass(slots=True)
class _Work:
    con: duckdb.DuckDBPyConnection
    readings: str
    events: str
    lives: Mapping[int, Life]
    edges: tuple[datetime, datetime]
    happened: dict[int, list[tuple[str, datetime, datetime, int | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = self.con.execute(
            f'SELECT DISTINCT point, code, t_before, t, amount FROM "{self.events}" WHERE t IS NOT NULL ORDER BY ALL'
        ).fetchall()
        for point, code, since, until, amount in rows:
            self.happened.setdefault(point, []).append((code, since, until, amount))

    def attributed(self, ledger: str) -> dict[int, int]:
        start, end = (f"TIMESTAMP '{edge}'" for edge in self.edges)
        rows = self.con.execute(
            f'SELECT point, sum(amount) FROM "{ledger}" WHERE start >= {start} AND start < {end} GROUP BY point'
        ).fetchall()
        return {point: int(amount) for point, amount in rows}

    def gaps(self) -> dict[int, list[Gap]]:
        """Gaps that touch the period. One that reaches over an edge stands with 0: no part of it is inside or outside."""
        start, end = self.edges
        found: dict[int, list[Gap]] = {}
        for point, events in self.happened.items():
            for code, since, until, amount in events:
                if code in _NAMED and until > start and since < end:
                    kept = amount if since >= start and until <= end else 0
                    found.setdefault(point, []).append(Gap(code, since, until, kept))
        return found

    def pieces(self, registers: Mapping[int, Life]) -> dict[int, list[Piece]]:
        if not registers:
            return {}
        fixed, _ = resolve(self.con, self.readings, registers, self.edges)
        self._good(registers, fixed)
        marks = self._marks()
        self.con.execute("DROP TABLE l_good; DROP TABLE l_declared; DROP TABLE l_left_out")
        found: dict[int, list[Piece]] = {}
        for (point, leg), ends in sorted(marks.items()):
            piece = self._piece(point, leg, *ends)
            if piece is not None:
                found.setdefault(point, []).append(piece)
        return found

    def _good(self, registers: Mapping[int, Life], fixed: Sequence[Fixed]) -> None:
        """Every usable reading that no event left out, with its ticks; of several at one instant the last written."""
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE l_declared (point INTEGER, leg INTEGER, t TIMESTAMP, v BIGINT, value DOUBLE,"
            " file INTEGER, line INTEGER)"
        )
        declared = [
            (f.point, f.leg, f.t, f.ticks, f.reading.value, f.reading.file, f.reading.line) for f in fixed
        ]
        insert(self.con, "l_declared", declared)
        self.con.execute(
            f"""CREATE OR REPLACE TEMP TABLE l_left_out AS
            SELECT DISTINCT point, t_before, t FROM "{self.events}" WHERE code = 'spike'"""
        )
        self.con.execute(
            f"""CREATE OR REPLACE TEMP TABLE l_good AS
            SELECT r.point, e.leg, r.t, {ticks_sql(registers)} AS v, r.value, r.file, r.line, r.batch
            FROM {self.readings} r {in_force(["register"])}
            ANTI JOIN l_left_out o ON r.point = o.point AND r.t BETWEEN o.t_before AND o.t
            UNION ALL SELECT *, {2**31 - 1} FROM l_declared"""
        )

    def _marks(self) -> dict[tuple[int, int], tuple[tuple[datetime, int, Reading] | None, ...]]:
        """Per leg: the last reading before the period, the first and last in it (edges included), and the first after."""
        start, end = (f"TIMESTAMP '{edge}'" for edge in self.edges)
        rows = self.con.execute(
            f"""WITH mark AS (
                SELECT point, leg, max(t) FILTER (t < {start}) AS m0, min(t) FILTER (t BETWEEN {start} AND {end}) AS m1,
                    max(t) FILTER (t BETWEEN {start} AND {end}) AS m2, min(t) FILTER (t > {end}) AS m3 FROM l_good GROUP BY point, leg),
            place AS (SELECT point, leg, unnest([0, 1, 2, 3]) AS place, unnest([m0, m1, m2, m3]) AS t FROM mark)
            SELECT p.point, p.leg, p.place, p.t, max_by(struct_pack(v := g.v, value := g.value, file := g.file, line := g.line),
                (g.batch, g.file, g.line, g.value))
            FROM place p JOIN l_good g ON g.point = p.point AND g.leg = p.leg AND g.t = p.t GROUP BY ALL"""
        ).fetchall()
        found: dict[tuple[int, int], list[tuple[datetime, int, Reading] | None]] = {}
        for point, leg, place, t, got in rows:
            reading = Reading(t, got["value"], got["file"], got["line"])
            found.setdefault((point, leg), [None] * 4)[place] = (t, got["v"], reading)
        return {key: tuple(ends) for key, ends in found.items()}

    def _piece(self, point: int, leg: int, *ends: tuple[datetime, int, Reading] | None) -> Piece | None:
        before, first, last, after = ends
        start, end = self.edges
        if first is None or last is None:
            if before is None or after is None:
                return None
            step = self._amount(point, before, after)
            edges = _upto(step, before[0], after[0], end) - _upto(step, before[0], after[0], start)
            return Piece(leg, None, None, 0, 0, 0, edges)
        edges = 0
        if before is not None:
            step = self._amount(point, before, first)
            edges += step - _upto(step, before[0], first[0], start)
        if after is not None:
            edges += _upto(self._amount(point, last, after), last[0], after[0], end)
        rolled = self._rolled(point, first[0], last[0])
        return Piece(leg, first[2], last[2], last[1] - first[1], len(rolled), sum(rolled), edges)

    def _amount(
        self, point: int, before: tuple[datetime, int, Reading], after: tuple[datetime, int, Reading]
    ) -> int:
        """What the step over an edge attributes: its difference and roll-overs; nothing where it is a named gap."""
        for code, since, until, _ in self.happened.get(point, ()):
            if code in GAPS and (since, until) == (before[0], after[0]):
                return 0
        return after[1] - before[1] + sum(self._rolled(point, before[0], after[0]))

    def _rolled(self, point: int, since: datetime, until: datetime) -> list[int]:
        events = self.happened.get(point, ())
        return [
            amount or 0 for code, a, b, amount in events if code == "rollover" and a >= since and b <= until
        ]

    def amounts(self, lives: Mapping[int, Life]) -> dict[int, int]:
        """All amounts of interval and count points, each interval once, as far as they lie in the period."""
        if not lives:
            return {}
        rows = self.con.execute(
            f"""WITH r AS (
                SELECT r.point, r.t, r.span, e.kind, {ticks_sql(lives)} AS v, r.batch, r.file, r.line
                FROM {self.readings} r {in_force(["interval", "count"])}),
            once AS (SELECT point, kind, t, span, max_by(v, (batch, file, line, v)) AS v FROM r GROUP BY point, kind, t, span),
            reach AS (
                SELECT *, CASE WHEN span > 0 THEN t - to_seconds(span) WHEN kind = 'count' THEN t
                    ELSE coalesce(lag(t) OVER (PARTITION BY point ORDER BY t, span), t) END AS t0 FROM once)
            SELECT point, t0, t, sum(v), count(*) FROM (
                SELECT point, v, CASE WHEN t0 >= TIMESTAMP '{self.edges[0]}' AND t <= TIMESTAMP '{self.edges[1]}' THEN NULL ELSE t0 END AS t0,
                    CASE WHEN t0 >= TIMESTAMP '{self.edges[0]}' AND t <= TIMESTAMP '{self.edges[1]}' THEN NULL ELSE t END AS t
                FROM reach WHERE t > TIMESTAMP '{self.edges[0]}' AND (t0 < TIMESTAMP '{self.edges[1]}' OR t = TIMESTAMP '{self.edges[1]}'))
            GROUP BY point, t0, t"""
        ).fetchall()
        found: dict[int, int] = {}
        for point, since, until, amount, _ in rows:
            inside = int(amount)
            if since is not None:
                left_out = any(
                    code in GAPS and (a, b) == (since, until)
                    for code, a, b, _ in self.happened.get(point, ())
                )
                inside = 0 if left_out else _upto(inside, since, until, self.edges[1]) - _upto(
                    inside, since, until, self.edges[0]
                )  # fmt: skip
            found[point] = found.get(point, 0) + inside
        return found

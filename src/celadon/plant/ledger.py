"""The ledger of a view: stored parts that still hold, and the missing ones derived from readings on the fly.

A stored part is only an accelerator: it is a pure function of the readings seen and the meter's declaration, so what is
stored and what is derived are the same rows. Reading never stores; `load` does (see `keep`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding
from celadon.core.later import Later
from celadon.core.model import Meter, PointKind
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import Period
from celadon.core.units import UnitError
from celadon.metering.amounts import covering_period, rows_sql
from celadon.metering.brief import Brief, derive_briefly, may_be_brief
from celadon.metering.changes import NEIGHBOURS
from celadon.metering.faults import findings_from, findings_of
from celadon.metering.intervals import derive
from celadon.metering.plain_amounts import STRETCHES, WORTH, Plain, by_columns, judge, lengths, may_be_plain
from celadon.metering.scales import Life, config_digest, life, utc
from celadon.plant.opened import View
from celadon.plant.sources import superseded
from celadon.store import LEDGER_COLUMNS, month_of, month_start

if TYPE_CHECKING:
    from celadon.metering import columns
    from celadon.metering.columns import Column
else:
    columns = Later("celadon.metering.columns")

SUMMED = (PointKind.REGISTER, PointKind.INTERVAL, PointKind.COUNT, PointKind.RATE)
"""Kinds of points that have amounts, and so a ledger."""
_READINGS_AT_ONCE = 4_000_000
_READINGS_A_MONTH = 3_000  # a quarter-hourly point's; only sizes the pieces
_MONTHS_AT_ONCE = 12
_RUNS, _BESIDE = "known_run", "known_run_beside"
_A_COLUMN = 100_000
"""Readings of a segment from which on it is added up by itself."""
_TICK = timedelta(microseconds=1)
_FEW_PARTS = 2
"""(point, month) up to which a piece is derived without a database, where it may be."""

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Piece:
    """Points and adjoining UTC months derived in one go."""

    points: frozenset[int]
    first: int
    last: int

    @property
    def window(self) -> Period:
        return Period(month_start(self.first), month_start(self.last + 1))

    @property
    def parts(self) -> list[tuple[int, int]]:
        return [(point, month) for month in range(self.first, self.last + 1) for point in sorted(self.points)]


def _at(moment: datetime) -> str:
    return f"TIMESTAMP '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"


def summed_meters(model: PlantModel) -> list[Meter]:
    """Meters that have amounts."""
    return [meter for meter in model.meters if meter.kind in SUMMED]


def months_of(period: Period) -> range:
    """The UTC months that a period touches."""
    return range(month_of(period.start), month_of(period.end - timedelta(microseconds=1)) + 1)


def digests(
    model: PlantModel, points: Mapping[str, int], among: Collection[int] | None = None
) -> dict[int, str]:
    """Point -> digest of what its ledger depends on besides readings; of the points `among`, where given."""
    return {
        points[meter.id]: config_digest(meter, model.grid_seconds)
        for meter in summed_meters(model)
        if meter.id in points and (among is None or points[meter.id] in among)
    }


def empty_ledger(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """A temporary ledger table without rows."""
    columns = ", ".join(f'"{column}" {kind}' for column, kind in LEDGER_COLUMNS.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")


def pieces(missing: Sequence[tuple[int, int]], longest: int | None = None) -> Iterator[Piece]:
    """(point, month) pairs gathered into pieces of adjoining months with the same points: such that fit in memory, or of at most
    `longest` months."""
    by_month = sorted((month, frozenset(point for point, _ in rows)) for month, rows in _grouped(missing))
    run: list[tuple[int, frozenset[int]]] = []
    for month, points in by_month:
        if run and (
            month != run[-1][0] + 1 or points != run[-1][1] or len(run) >= (longest or _longest(points))
        ):
            yield Piece(run[0][1], run[0][0], run[-1][0])
            run = []
        run.append((month, points))
    if run:
        yield Piece(run[0][1], run[0][0], run[-1][0])


def _grouped(missing: Sequence[tuple[int, int]]) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    ordered = sorted(missing, key=lambda part: part[1])
    for month, rows in groupby(ordered, key=lambda part: part[1]):
        yield month, list(rows)


def _longest(points: frozenset[int]) -> int:
    return max(1, min(_MONTHS_AT_ONCE, _READINGS_AT_ONCE // (_READINGS_A_MONTH * max(1, len(points)))))


def worth_deriving(seen: View, missing: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The missing parts that can hold anything: within the point's data, or anywhere if the declaration holds registers.

    Readings are stored by the month they end in. An interval may begin months before its end (a bill of a quarter), and a
    rate is held on after its last reading, so their data reach further than their readings.
    """
    points = seen.snapshot.points()
    kinds = {points[meter.id]: meter.kind for meter in summed_meters(seen.model) if meter.id in points}
    declared = {
        points[meter.id] for meter in summed_meters(seen.model) if meter.id in points and _has_dates(meter)
    }
    ranges = seen.snapshot.stored_ranges({point for point, _ in missing})
    kept = []
    for point, month in missing:
        if point in declared:
            kept.append((point, month))
        elif found := ranges.get(point):
            last = found[1] + 1 if kinds[point] is PointKind.RATE else found[1]
            if month <= last and (found[0] <= month or kinds[point] is PointKind.INTERVAL):
                kept.append((point, month))
    return kept


def _has_dates(meter: Meter) -> bool:
    return bool(meter.installed_at or meter.removed_at or meter.changes)


def _nearest(back: bool) -> str:
    """Runs of one reading: of the table of runs on one side, with `back` before a moment, those nearest to it of each point."""
    end = ("t1", "v1", "f1", "l1") if back else ("t", "value", "file", "line")
    reading = ", ".join(
        f"{name} AS {first}, {name} AS {last}"
        for name, first, last in zip(
            end, ("t", "value", "file", "line"), ("t1", "v1", "f1", "l1"), strict=True
        )
    )
    return f"""SELECT *, value AS top FROM (SELECT point, span, {reading} FROM {_BESIDE})
        QUALIFY rank() OVER (PARTITION BY point ORDER BY t {"DESC" if back else "ASC"}) = 1"""


@dataclass
class Deriver:
    """Derives pieces of one view; knows which files' rows no longer count."""

    con: duckdb.DuckDBPyConnection
    seen: View
    gone: frozenset[int] = frozenset()
    files: Mapping[int, str] = field(default_factory=dict)
    gone_batches: frozenset[int] = frozenset()
    """Those that brought them."""
    left_out: Mapping[int, Sequence[tuple[datetime, datetime]]] = field(default_factory=dict)
    """Point -> spans (UTC, both ends included) whose readings the plant file excludes."""
    columns: list[Column] = field(default_factory=list)
    """Of the pieces judged (see metering/columns.py)."""

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, seen: View) -> Deriver:
        files, points = seen.snapshot.files(), seen.snapshot.points()
        left_out = {
            points[meter.id]: meter.left_out
            for meter in seen.model.meters
            if meter.left_out and meter.id in points
        }
        gone = frozenset(superseded(files))
        batches = frozenset(file.batch for file in files if file.id in gone)
        return cls(con, seen, gone, {file.id: file.name for file in files}, batches, left_out)

    def readings(
        self, points: Collection[int], start: datetime, end: datetime, into: str, neighbours: int = NEIGHBOURS
    ) -> None:
        """The temporary table `into` of readings that count, with `neighbours` before and after for each point."""
        # Rows that no longer count may stand among the neighbours, so more of them are read then.
        wanted = neighbours * (2 + len(self.gone)) if self.gone else neighbours
        low, high = self._beyond_left_out(points, start, end, wanted)
        self.seen.snapshot.create_readings(self.con, into, points, low, high, wanted, table=True)
        for condition in self._omitted(points):
            self.con.execute(f"DELETE FROM {into} WHERE {condition}")

    def readings_sql(
        self,
        points: Collection[int],
        start: datetime,
        end: datetime,
        neighbours: int,
    ) -> str:
        """A query for the same, for one pass over few columns; next to excluded readings it may give more neighbours."""
        wanted = neighbours * (1 + len(self.gone))
        low, high = self._beyond_left_out(points, start, end, wanted) if wanted else (start, end)
        sql = self.seen.snapshot.readings_sql(points, low, high, wanted)
        omitted = self._omitted(points)
        return f"SELECT * FROM ({sql}) WHERE NOT ({' OR '.join(omitted)})" if omitted else sql

    def all_count(self, points: Collection[int]) -> bool:
        """Whether every reading of these points counts."""
        return not self.gone and self.left_out.keys().isdisjoint(points)

    def _omitted(self, points: Collection[int]) -> list[str]:
        """Conditions of rows that do not count."""
        numbers = ", ".join(str(number) for number in sorted(self.gone))
        left_out = [self._in_spans(point) for point in sorted(set(points) & set(self.left_out))]
        return [f"file IN ({numbers})", *left_out] if numbers else left_out

    def _in_spans(self, point: int) -> str:
        spans = " OR ".join(f"t BETWEEN {_at(first)} AND {_at(last)}" for first, last in self.left_out[point])
        return f"(point = {int(point)} AND ({spans}))"

    def _beyond_left_out(
        self, points: Collection[int], start: datetime, end: datetime, wanted: int
    ) -> tuple[datetime, datetime]:
        """The window, widened over the excluded spans in which its neighbours lie, so that they are looked for beyond."""
        low, high = start, end
        for point in sorted(set(points) & set(self.left_out)):
            within = True
            while within:
                sql = self.seen.snapshot.readings_sql([point], low, high, wanted)
                rows = self.con.execute(
                    f"SELECT DISTINCT t FROM ({sql}) WHERE {self._in_spans(point)} "
                    f"AND (t < {_at(low)} OR t >= {_at(high)})"
                ).fetchall()
                moments = [row[0].replace(tzinfo=UTC) for row in rows]
                spans = [
                    span for span in self.left_out[point] if any(span[0] <= t <= span[1] for t in moments)
                ]
                within = bool(spans)
                low = min([low, *(first for first, _ in spans)])
                high = max([high, *(last + _TICK for _, last in spans)])
        return low, high

    def derive(self, piece: Piece, into: str, events: str) -> None:
        """Derive one piece into the temporary tables `into` (ledger rows) and `events`."""
        ids = {name: point for name, point in self.seen.snapshot.points().items() if point in piece.points}
        meters = [meter for meter in summed_meters(self.seen.model) if meter.id in ids]
        window = piece.window
        self.readings(piece.points, window.start, window.end, "piece_readings")
        derive(self.con, "piece_readings", meters, ids, window, self.seen.model.grid_seconds, into, events)
        self.con.execute("DROP TABLE piece_readings")

    def derived(self, piece: Piece, into: str) -> list[Finding]:
        """Derive one piece into the temporary table `into`; what it found."""
        brief = self._brief(piece)
        if brief is None:
            self.derive(piece, into, f"{into}_events")
            return self.findings(f"{into}_events")
        sql, values = rows_sql(LEDGER_COLUMNS, brief.cells)
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {into} AS {sql}", values)
        model, points = self.seen.model, self.seen.snapshot.points()
        return findings_of(brief.events, model.meters, points, self.files, model.zone)

    def _brief(self, piece: Piece) -> Brief | None:
        """A small piece of registers to which nothing happened, derived without a database; None: it must be."""
        if len(piece.parts) > _FEW_PARTS or not piece.points.isdisjoint(self.left_out):
            return None
        lives, window = self.lives(piece.points), piece.window
        if set(lives) != piece.points or not may_be_brief(lives):
            return None
        wanted = NEIGHBOURS * (2 + len(self.gone)) if self.gone else NEIGHBOURS
        snapshot = self.seen.snapshot
        sql = snapshot.readings_sql(piece.points, window.start, window.end, wanted, at_least=True)
        found = self.con.execute(f"SELECT point, epoch_us(t), value, file, line FROM ({sql})").fetchall()
        found.sort()  # they lie nearly in order: that takes a fifth of what the engine's sort does
        rows = [row for row in found if row[3] not in self.gone] if self.gone else found
        edges = (utc(window.start), utc(window.end))
        return derive_briefly(rows, lives, edges, self.seen.model.grid_seconds)

    def judge(self, piece: Piece, lives: Mapping[int, Life], events: str) -> set[int]:
        """The plain ones (see metering/plain_amounts.py) of a piece's points, which may all be; their gaps into `events`."""
        con, snapshot, gone = self.con, self.seen.snapshot, self.gone_batches
        start, end = piece.window.start, piece.window.end
        omitted = self._omitted(piece.points)
        readings: list[tuple[str, Collection[int]]] = []
        lacking_runs = snapshot.runs_within(con, _RUNS, piece.points, start, end, gone)
        for segments, points in lacking_runs:
            sql = snapshot.segments_sql(segments, self._with_those_between(points))
            where = f" WHERE NOT ({' OR '.join(omitted)})" if omitted else ""
            readings.append((f"SELECT * FROM ({sql}){where}", points))
        for edge, back in ((start, True), (end, False)):
            lacking = snapshot.runs_beside(con, _BESIDE, piece.points, edge, gone, back=back)
            con.execute(f"INSERT INTO {_RUNS} BY NAME {_nearest(back)}")
            if lacking:
                sql = self.readings_sql(self._with_those_between(lacking), edge, edge, 1)
                readings.append(
                    (f"SELECT * FROM ({sql}) WHERE t {'<' if back else '>='} {_at(edge)}", lacking)
                )
        edges = (utc(start), utc(end))
        asked = {point: lives[point] for point in piece.points}
        good = judge(con, readings, _RUNS, asked, edges, self.seen.model.grid_seconds, events)
        if not omitted:
            self.columns += self._columns(piece, {one for segments, _ in lacking_runs for one in segments})
        con.execute(f"DROP TABLE {_RUNS}; DROP TABLE {_BESIDE}")
        return good

    def _columns(self, piece: Piece, lacking: Collection[int]) -> list[Column]:
        """Segments of the window all of whose readings of the piece's points are of runs in the table of runs; not those `lacking`."""
        if not by_columns():
            return []
        start, end = piece.window.start, piece.window.end
        within = self.seen.snapshot.columns_within(piece.points, start, end, _A_COLUMN)
        found = {segment: of for segment, of in within.items() if segment not in lacking}
        if not found or sum(rows for rows, _ in found.values()) < WORTH:
            return []
        return columns.columns(self.con, _RUNS, piece.points, found)

    def ended_in(self, piece: Piece, points: Collection[int], without: Collection[int] = ()) -> str:
        """A query for the readings of these points, and perhaps of others, that end in the piece's window; `without` segments."""
        sql = self.seen.snapshot.ended_sql(points, piece.window.start, piece.window.end, without)
        omitted = self._omitted(points)
        return f"SELECT * FROM ({sql}) WHERE NOT ({' OR '.join(omitted)})" if omitted else sql

    def _with_those_between(self, points: Collection[int]) -> Collection[int]:
        """The points with the interval meters whose numbers lie between, where that makes one range: it is read in half the time."""
        ids = self.seen.snapshot.points()
        kinds = {ids[meter.id]: meter.kind for meter in self.seen.model.meters if meter.id in ids}
        span = range(min(points), max(points) + 1)
        return span if all(kinds.get(point) is PointKind.INTERVAL for point in span) else points

    def lives(self, points: Collection[int]) -> dict[int, Life]:
        """The service lives of these points; ones whose unit cannot be read are not among them."""
        ids, found = self.seen.snapshot.points(), {}
        for meter in summed_meters(self.seen.model):
            if ids.get(meter.id) in points:
                with suppress(UnitError):  # deriving says so
                    found[ids[meter.id]] = life(meter)
        return found

    def findings(self, events: str) -> list[Finding]:
        """What an events table says."""
        model = self.seen.model
        return findings_from(
            self.con, events, model.meters, self.seen.snapshot.points(), self.files, model.zone
        )


def write_ledger(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    period: Period,
    into: str = "ledger",
    points: Collection[int] | None = None,
) -> list[Finding]:
    """Make the temporary table `into`: ledger rows for (at least) `period`, in the sites' zones too, of (at least) these
    points; None = of every point.

    Returns what deriving the parts that were not stored found (see `keeping` for the findings of stored ones).
    """
    with seen.store.reading():
        ledger, findings = ledger_of(con, seen, period, points, into)
        if ledger != into:
            con.execute(f"CREATE OR REPLACE TEMP TABLE {into} AS FROM {ledger}")
    return findings


def ledger_of(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    period: Period,
    points: Collection[int] | None = None,
    into: str = "ledger",
) -> tuple[str, list[Finding]]:
    """What holds the rows that `write_ledger` writes: the stored parts where they are, as long as the store is being read
    (`Store.reading`); with parts that are not stored, the temporary table `into`."""
    digest = digests(seen.model, seen.snapshot.points())
    months = months_of(covering_period(seen.model, period))
    found = seen.snapshot.ledger_parts(sorted(digest), months, digest)
    missing = list(pieces(worth_deriving(seen, found.missing)))
    if not missing:
        return f"({found.sql(points)})", []
    deriver, findings = Deriver.of(con, seen), []
    con.execute(f"CREATE OR REPLACE TEMP TABLE {into} AS {found.sql(points)}")
    for piece in missing:
        findings += deriver.derived(piece, "piece_ledger")
        con.execute(f"INSERT INTO {into} SELECT * FROM piece_ledger")
    return into, findings


def stream_ledger(
    con: duckdb.DuckDBPyConnection, seen: View, period: Period, into: str
) -> tuple[list[Finding], Plain | None]:
    """Like `write_ledger`, for sums that need each cell once and not as a row.

    `into` is a view, which reads stored parts where they are, and the table `<into>_derived`; what is not stored of points that are
    plain is not in it but in the readings that come back (None: there are no such points).
    """
    digest = digests(seen.model, seen.snapshot.points())
    months = months_of(covering_period(seen.model, period))
    found = seen.snapshot.ledger_parts(sorted(digest), months, digest)
    missing = worth_deriving(seen, found.missing)
    deriver, findings = Deriver.of(con, seen), []
    plain: list[tuple[Piece, str]] = []
    maybe = {point: life for point, life in deriver.lives(digest).items() if may_be_plain(life)}
    bad: set[int] = set()
    con.execute(f"DROP TABLE IF EXISTS {STRETCHES}")
    for piece in pieces([part for part in missing if part[0] in maybe], len(months)):
        events = f"plain_events_{len(plain)}"
        bad |= piece.points - deriver.judge(piece, maybe, events)
        plain.append((piece, events))
    lives = {point: life for point, life in maybe.items() if point not in bad}
    for _, events in plain:
        con.execute(f"DELETE FROM {events} WHERE point NOT IN (SELECT unnest(?::INTEGER[]))", [list(lives)])
        findings += deriver.findings(events)
        con.execute(f"DROP TABLE {events}")
    empty_ledger(con, f"{into}_derived")
    rest = [part for part in missing if not plain or part[0] not in lives]
    for piece in pieces(rest):
        deriver.derive(piece, "piece_ledger", "piece_events")
        con.execute(f"INSERT INTO {into}_derived SELECT * FROM piece_ledger")
        findings += deriver.findings("piece_events")
    con.execute(f"CREATE OR REPLACE TEMP VIEW {into} AS {found.sql()} UNION ALL SELECT * FROM {into}_derived")

    of_pieces = [(piece, piece.points.intersection(lives)) for piece, _ in plain]
    taken = [column for column in deriver.columns if column.points <= lives.keys()]
    without = [column.segment for column in taken]
    sources = tuple(
        (deriver.ended_in(piece, points, without), points) for piece, points in of_pieces if points
    )
    return findings, Plain(sources, lives, lengths(con), tuple(taken)) if sources else None

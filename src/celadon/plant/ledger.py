"""The ledger of a view: stored parts that still hold, and the missing ones derived from readings on the fly.

A stored part is only an accelerator: it is a pure function of the readings seen and the meter's declaration, so what is
stored and what is derived are the same rows. Reading never stores; `load` does (see `keep`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

import duckdb

from celadon.core.findings import Finding
from celadon.core.model import Meter, PointKind
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import Period
from celadon.metering.amounts import covering_period
from celadon.metering.changes import NEIGHBOURS
from celadon.metering.faults import findings_from
from celadon.metering.intervals import derive
from celadon.metering.scales import config_digest
from celadon.plant.opened import View
from celadon.plant.sources import superseded
from celadon.store import LEDGER_COLUMNS, month_of, month_start

SUMMED = (PointKind.REGISTER, PointKind.INTERVAL, PointKind.COUNT, PointKind.RATE)
"""Kinds of points that have amounts, and so a ledger."""
_READINGS_AT_ONCE = 4_000_000
_READINGS_A_MONTH = 3_000  # a quarter-hourly point's; only sizes the pieces
_MONTHS_AT_ONCE = 12

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


def summed_meters(model: PlantModel) -> list[Meter]:
    """Meters that have amounts."""
    return [meter for meter in model.meters if meter.kind in SUMMED]


def months_of(period: Period) -> range:
    """The UTC months that a period touches."""
    return range(month_of(period.start), month_of(period.end - timedelta(microseconds=1)) + 1)


def digests(model: PlantModel, points: Mapping[str, int]) -> dict[int, str]:
    """Point -> digest of what its ledger depends on besides readings."""
    return {
        points[meter.id]: config_digest(meter, model.grid_seconds)
        for meter in summed_meters(model)
        if meter.id in points
    }


def empty_ledger(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """A temporary ledger table without rows."""
    columns = ", ".join(f'"{column}" {kind}' for column, kind in LEDGER_COLUMNS.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")


def pieces(missing: Sequence[tuple[int, int]]) -> Iterator[Piece]:
    """(point, month) pairs gathered into pieces that fit in memory: adjoining months with the same points together."""
    by_month = sorted((month, frozenset(point for point, _ in rows)) for month, rows in _grouped(missing))
    run: list[tuple[int, frozenset[int]]] = []
    for month, points in by_month:
        if run and (month != run[-1][0] + 1 or points != run[-1][1] or len(run) >= _longest(points)):
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
    ranges = {point: seen.snapshot.stored_range(point) for point in {point for point, _ in missing}}
    kept = []
    for point, month in missing:
        if point in declared:
            kept.append((point, month))
        elif found := ranges[point]:
            last = found[1] + 1 if kinds[point] is PointKind.RATE else found[1]
            if month <= last and (found[0] <= month or kinds[point] is PointKind.INTERVAL):
                kept.append((point, month))
    return kept


def _has_dates(meter: Meter) -> bool:
    return bool(meter.installed_at or meter.removed_at or meter.changes)


@dataclass
class Deriver:
    """Derives pieces of one view; knows which files' rows no longer count."""

    con: duckdb.DuckDBPyConnection
    seen: View
    gone: frozenset[int] = frozenset()
    files: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, seen: View) -> Deriver:
        files = seen.snapshot.files()
        return cls(con, seen, frozenset(superseded(files)), {file.id: file.name for file in files})

    def readings(
        self, points: Collection[int], start: datetime, end: datetime, into: str, neighbours: int = NEIGHBOURS
    ) -> None:
        """The temporary table `into` of readings that count, with `neighbours` before and after for each point."""
        # Rows that no longer count may stand among the neighbours, so more of them are read then.
        wanted = neighbours * (2 + len(self.gone)) if self.gone else neighbours
        self.seen.snapshot.create_readings(self.con, into, points, start, end, wanted, table=True)
        if self.gone:
            self.con.execute(
                f"DELETE FROM {into} WHERE file IN ({', '.join(str(number) for number in sorted(self.gone))})"
            )

    def readings_sql(self, points: Collection[int], start: datetime, end: datetime, neighbours: int) -> str:
        """A query for the same, for one pass over few columns."""
        sql = self.seen.snapshot.readings_sql(points, start, end, neighbours * (1 + len(self.gone)))
        omit = ", ".join(str(number) for number in sorted(self.gone))
        return f"SELECT * FROM ({sql}) WHERE file NOT IN ({omit})" if omit else sql

    def derive(self, piece: Piece, into: str, events: str) -> None:
        """Derive one piece into the temporary tables `into` (ledger rows) and `events`."""
        ids = {name: point for name, point in self.seen.snapshot.points().items() if point in piece.points}
        meters = [meter for meter in summed_meters(self.seen.model) if meter.id in ids]
        window = piece.window
        self.readings(piece.points, window.start, window.end, "piece_readings")
        derive(self.con, "piece_readings", meters, ids, window, self.seen.model.grid_seconds, into, events)
        self.con.execute("DROP TABLE piece_readings")

    def findings(self, events: str) -> list[Finding]:
        """What an events table says."""
        model = self.seen.model
        return findings_from(
            self.con, events, model.meters, self.seen.snapshot.points(), self.files, model.zone
        )


def write_ledger(
    con: duckdb.DuckDBPyConnection, seen: View, period: Period, into: str = "ledger"
) -> list[Finding]:
    """Make the temporary table `into`: ledger rows of every point for (at least) `period`, in the sites' zones too.

    Returns what deriving the parts that were not stored found (see `keeping` for the findings of stored ones).
    """
    digest = digests(seen.model, seen.snapshot.points())
    months = months_of(covering_period(seen.model, period))
    found = seen.snapshot.ledger_parts(sorted(digest), months, digest)
    deriver, findings = Deriver.of(con, seen), []
    with seen.store.reading():
        con.execute(f"CREATE OR REPLACE TEMP TABLE {into} AS {found.sql()}")
        for piece in pieces(worth_deriving(seen, found.missing)):
            deriver.derive(piece, "piece_ledger", "piece_events")
            con.execute(f"INSERT INTO {into} SELECT * FROM piece_ledger")
            findings += deriver.findings("piece_events")
    return findings

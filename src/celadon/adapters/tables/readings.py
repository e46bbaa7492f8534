"""Readings from a table: wide (a column per meter) or long (a row per reading), judged and converted in the engine.

The file goes through in pieces. Each piece is split, parsed and judged by one statement into a staging table; good rows
then get their UTC time and unit and go to the target, bad ones to the quarantine. What needs the whole file waits in
side tables: hours that the clock repeats, and intervals that last until the next stamp.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from celadon.adapters.tables.collect import BAD, Collector
from celadon.adapters.tables.few import Reading, few_rows
from celadon.adapters.tables.kinds import (
    FLAW,
    HEADER_SKIP,
    STOPS,
    TABLE_HEADER_ONLY,
    TIME_FUTURE,
    UNIT_CHANGES,
)
from celadon.adapters.tables.open_table import open_table
from celadon.adapters.tables.points import (
    FACTORS,
    POINTS,
    STATES,
    UNTIL_NEXT,
    Layout,
    Point,
    conversions,
    fill_points,
    insert_rows,
    lay_out,
    meters_named,
    point_of,
    unit_factor,
    unit_finding,
    wanted_columns,
)
from celadon.adapters.tables.report import TableReport
from celadon.adapters.tables.settle import OPEN, PENDING, RUNS, Waiting, placed, waits
from celadon.adapters.tables.sql import name
from celadon.adapters.tables.staging import STAGE, Context, Staging
from celadon.adapters.tables.table import Table
from celadon.adapters.tables.times import Clock, all_in, clock, guess_format
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, Place
from celadon.core.model import Meter, Source
from celadon.store.scratch import Scratch

_COLUMNS = {
    "point": "INTEGER", "t": "TIMESTAMP", "span": "INTEGER", "value": "DOUBLE", "file": "INTEGER", "line": "INTEGER",
    "batch": "INTEGER",
}  # fmt: skip
READING_COLUMNS = ", ".join(f"{column} {kind}" for column, kind in _COLUMNS.items())
Progress = Callable[[float], None]


def read_readings(
    con: duckdb.DuckDBPyConnection,
    path: Path | str,
    source: Source,
    meters: Mapping[str, Meter],
    point_ids: Mapping[str, int],
    file_id: int,
    batch: int,
    into: str,
    progress: Progress | None = None,
    *,
    zone: str = "Asia/Shanghai",
    states: Mapping[str, Mapping[str, int]] | None = None,
    shown: str | None = None,
    now: datetime | None = None,
) -> TableReport:
    """Read one file's readings into the table `into` (made when it is not there).

    `zone` holds where the source names none; `states` gives codes of states by meter; `shown` is the file's name in
    findings; `now` (with a zone) is what the future is measured from. Bad data never raises: it is in the report.
    """
    context = Context(
        source, meters, point_ids, file_id, batch, into, zone, states or {}, now or datetime.now(UTC)
    )
    con.execute(f"CREATE TABLE IF NOT EXISTS {name(into)} ({READING_COLUMNS})")
    with Scratch() as scratch:
        try:
            table = open_table(Path(path), shown or str(path), source, wanted_columns(source), scratch.path)
        except FindingError as error:
            return TableReport(findings=list(error.findings))
        with closing(table):
            return load(con, table, context, progress)


def load(
    con: duckdb.DuckDBPyConnection, table: Table, context: Context, progress: Progress | None = None
) -> TableReport:
    """Read an opened table; see `read_readings`."""
    layout = lay_out(table, context.source, context.meters)
    if len(layout.time) == 1 and not table.typed:
        rows = [
            cells
            for line, cells in table.sample
            if line >= table.header.data_line and len(cells) >= layout.time[0] and any(cells)
        ]
        times = [cells[layout.time[0] - 1] for cells in rows]
        table.time_guess = guess_format(times[:20])
        table.time_sure = table.whole and table.time_guess is not None and all_in(times, table.time_guess)
    wrong = _settings(con, table, context)
    findings = [*table.findings, *layout.findings, *wrong]
    if not layout.usable or wrong:
        return TableReport(findings=findings)
    return Load(con, table, context, layout, findings).run(progress)


def _insertion(into: str, rows: Sequence[Reading]) -> tuple[str, list[list[object]]]:
    """The statement that puts these rows into a table of READING_COLUMNS, and its parameters."""
    cells = ", ".join(f"unnest(?::{kind}[])" for kind in _COLUMNS.values())
    return f"INSERT INTO {name(into)} SELECT {cells}", [list(column) for column in zip(*rows, strict=True)]


def _settings(con: duckdb.DuckDBPyConnection, table: Table, context: Context) -> list[Finding]:
    where = Place(
        context.source.where.file, line=context.source.where.line, subject=f"source:{context.source.id}"
    )
    found = [*context.numbers.problems(where), *context.times(table).problems(con, where)]
    try:
        clock(context.zone_name, datetime(2000, 1, 1), datetime(2000, 1, 1))
    except FindingError as error:
        found += error.findings
    return found


@dataclass(slots=True)
class Load:
    """One file on its way into the target."""

    con: duckdb.DuckDBPyConnection
    table: Table
    context: Context
    layout: Layout
    findings: list[Finding]
    points: dict[str, Point] = field(default_factory=dict)
    units: dict[tuple[int, str], int] = field(default_factory=dict)
    """(point, unit) -> the first line it is on."""
    doubted: frozenset[int] = frozenset()
    good: int = 0
    rows: int = 0
    latest: datetime | None = None

    def run(self, progress: Progress | None) -> TableReport:
        """Read the file; a second time when it turns out to contradict its number convention."""
        context = self.context
        named = meters_named(self.table, self.layout, context.source)
        for meter_id, meter in context.meters.items():
            if meter_id in context.point_ids and (named is None or meter_id in named):
                self.points[meter_id] = point_of(meter, context.point_ids[meter_id], context.source.stamp)
        few = few_rows(self.table, self.layout, context, self.points)
        if few is not None:
            self.con.execute(*_insertion(context.into, few))
            self.findings += self.table.after()
            if progress:
                progress(1.0)
            return TableReport(len(few), findings=self.findings)
        try:
            return self._general(progress)
        finally:
            made = (STAGE, BAD, PENDING, OPEN, RUNS, POINTS, STATES, FACTORS)
            self.con.execute(";".join(f"DROP TABLE IF EXISTS temp.{temporary}" for temporary in made))

    def _general(self, progress: Progress | None) -> TableReport:
        """Rows of any kind, judged in the engine."""
        context = self.context
        fill_points(self.con, self.layout, context.source, self.points, context.states)
        while True:
            before = len(self.findings)
            collector = self._pass(progress)
            doubted = collector.contradicted(context.numbers) | self.doubted
            if doubted == self.doubted:
                break
            del self.findings[before:]
            self._forget(doubted)
        self.findings += [*self.table.after(), *self._unit_findings(), *self._future(), *collector.findings()]
        if not self.rows and not any(item.kind in STOPS for item in self.findings):
            self.findings.append(TABLE_HEADER_ONLY.at(self.table.place))
        return TableReport(self.good, collector.count, self.findings, collector.quarantine())

    def _forget(self, doubted: frozenset[int]) -> None:
        into, context = name(self.context.into), self.context
        self.con.execute(f"DELETE FROM {into} WHERE file = ? AND batch = ?", [context.file_id, context.batch])
        self.doubted, self.good, self.rows, self.latest = doubted, 0, 0, None

    def _pass(self, progress: Progress | None) -> Collector:
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE {FACTORS} "
            "(point INTEGER, unit VARCHAR, since TIMESTAMP, until TIMESTAMP, num DOUBLE, den DOUBLE, flaw UTINYINT)"
        )
        self.units.clear()
        collector = Collector(self.con, self.table, self.layout, self.context, self.points)
        waiting = Waiting(self.con)
        states = any(point.is_state for point in self.points.values())
        staging = Staging(self.table, self.layout, self.context, states, waits(self.points), self.doubted)
        try:
            for batch in self.table.batches(self.con):
                self._batch(staging.query(batch), collector, waiting)
                if progress:
                    progress(batch.share)
        except FindingError as error:
            self.findings += error.findings
        self._settle(waiting, collector)
        if progress:
            progress(1.0)
        return collector

    def _batch(self, query: str, collector: Collector, waiting: Waiting) -> None:
        con, source = self.con, self.context.source
        con.execute(f"CREATE OR REPLACE TEMP TABLE {STAGE} AS {query}")
        seen = con.execute(
            f"SELECT count(*), min(local) FILTER (flaw IS NULL), max(local) FILTER (flaw IS NULL), count(flaw), "
            f"count(*) FILTER (flaw = {HEADER_SKIP}), count(unit) FROM temp.{STAGE}"
        ).fetchone()
        if seen is None or seen[0] == seen[4]:
            return
        rows, low, high, flawed, headers, with_unit = seen
        self.rows += rows - headers
        self.latest = max(filter(None, (self.latest, high)), default=None)
        if headers:
            collector.skip_headers(STAGE, HEADER_SKIP)
        if with_unit:
            self._resolve_units()
        local_clock = self._clock(low, high)
        if any(change.skips for change in local_clock.changes):
            skipped = f"off IS NULL AND {local_clock.inside('local', skipped=True)}"
            con.execute(
                f"UPDATE temp.{STAGE} SET flaw = {FLAW['time-nonexistent']}, value = NULL, shown = local::VARCHAR "
                f"WHERE flaw IS NULL AND {skipped}"
            )
            flawed = 1
        keep = "TRUE"
        if source.fold == "order" and any(not change.skips for change in local_clock.changes):
            repeated = f"coalesce(off IS NULL AND {local_clock.inside('local', skipped=False)}, FALSE)"
            keep = f"NOT {repeated}"
            waiting.hold(STAGE, repeated)
            waiting.direction(STAGE)
        second = "TRUE" if source.fold == "second" else "FALSE"
        judged = collector if flawed or with_unit else None
        self._keep(f"(SELECT * FROM temp.{STAGE} WHERE {keep})", local_clock, second, judged)

    def _clock(self, low: datetime | None, high: datetime | None) -> Clock:
        margin = timedelta(days=max((point.days for point in self.points.values()), default=0))
        start = low or datetime(2000, 1, 1)
        return clock(self.context.zone_name, start - margin, (high or start) + margin)

    def _keep(self, rows: str, local_clock: Clock, second: str, collector: Collector | None) -> None:
        """Put staged rows where they belong: the target, the open intervals, or (if there can be any) the bad rows."""
        query = placed(rows, local_clock, self.points, second, bool(self.units))
        self._insert(query, "flaw IS NULL AND span >= 0")
        waiting = f"span = {UNTIL_NEXT} AND t IS NOT NULL"
        if waits(self.points):
            self.con.execute(f"INSERT INTO temp.{OPEN} SELECT * FROM ({query}) WHERE {waiting}")
        if collector:
            collector.add(f"SELECT * FROM ({query}) WHERE NOT coalesce({waiting}, FALSE)")

    def _insert(self, query: str, condition: str) -> None:
        context = self.context
        row = self.con.execute(
            f"INSERT INTO {name(context.into)} SELECT point, t, span, value, ?::INTEGER, line::INTEGER, ?::INTEGER "
            f"FROM ({query}) WHERE value IS NOT NULL AND {condition}",
            [context.file_id, context.batch],
        ).fetchone()
        self.good += row[0] if row else 0

    def _settle(self, waiting: Waiting, collector: Collector) -> None:
        """Place what waited for the end of the file."""
        if span := waiting.span():
            local_clock = self._clock(*span)
            self._keep(
                waiting.resolve_repeated(local_clock, self.table.place), local_clock, "second", collector
            )
        self.findings += waiting.findings
        if waits(self.points):
            closed = waiting.close_open()
            self._insert(closed, "flaw IS NULL")
            collector.add(closed)

    # --- units and the future ----------------------------------------------------------------------------------

    def _resolve_units(self) -> None:
        """Look up the factor of each unit that appears for the first time."""
        rows = self.con.execute(
            f"SELECT point, unit, min(line) FROM temp.{STAGE} WHERE unit IS NOT NULL AND value IS NOT NULL GROUP BY ALL"
        ).fetchall()
        meters = {point.id: point.meter for point in self.points.values()}
        new = [(point, unit, line) for point, unit, line in rows if (point, unit) not in self.units]
        for point, unit, line in sorted(new, key=lambda item: item[2]):
            self.units[point, unit] = line
            factors = conversions(meters[point], unit)
            insert_rows(
                self.con, FACTORS, [(point, unit, f.since, f.until, f.num, f.den, f.flaw) for f in factors]
            )

    def _unit_findings(self) -> list[Finding]:
        """A notice where a column is converted, and at the line where a meter's unit changes."""
        found: list[Finding] = []
        if not self.units:
            return found
        titles = {c.meter.id: c.title for c in self.layout.columns if c.meter}
        for meter_id, point in self.points.items():
            units = sorted((line, unit) for (known, unit), line in self.units.items() if known == point.id)
            fine = [
                (line, unit)
                for line, unit in units
                if not isinstance(unit_factor(unit, point.meter.unit), int)
            ]
            column = titles.get(meter_id, self.context.source.unit_column or self.context.source.value_column)
            for n, (line, unit) in enumerate(fine):
                place = Place(self.table.shown, self.table.sheet, line, column)
                factor = unit_factor(unit, point.meter.unit)
                if n:
                    found.append(
                        UNIT_CHANGES.at(
                            place, meter=meter_id, unit=unit, before=fine[n - 1][1], factor=factor
                        )
                    )
                elif factor != 1:
                    found.append(unit_finding(unit, point.meter.unit, place))
        return found[:50]

    def _future(self) -> list[Finding]:
        """A warning when readings are later than now."""
        now = self.context.now.astimezone(UTC).replace(tzinfo=None) + timedelta(minutes=5)
        if self.latest is None or self.latest < now - timedelta(days=1):
            return []
        row = self.con.execute(
            f"SELECT count(*), max(t) FROM {name(self.context.into)} WHERE file = ? AND batch = ? AND t > ?",
            [self.context.file_id, self.context.batch, now],
        ).fetchone()
        return [TIME_FUTURE.at(self.table.place, count=row[0], last=row[1])] if row and row[0] else []

"""Snapshot: the facts as they were known at one recorded instant, for reading."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place
from celadon.core.text import Text
from celadon.store import choose, faults, runs, segments
from celadon.store.catalogue import Catalogue, int_list
from celadon.store.files import Files
from celadon.store.pending import Pending
from celadon.store.rows import (
    LEDGER_COLUMNS,
    READING_COLUMNS,
    RECORD_COLUMNS,
    RECORD_KEY,
    Batch,
    LedgerPart,
    Segment,
    StoredFile,
    instant_of,
    micros,
    month_label,
    month_of,
)
from celadon.store.segments import identifier, parquet_list

_READING = ", ".join(READING_COLUMNS)
_FEW = 16
"""Up to this many points are read with one scan and a ranking: 5 ms instead of 14 for a month of one point.
"""


@dataclass(frozen=True, slots=True)
class LedgerParts:
    """What of the asked ledger is stored and still true, and the (point, month) that must be derived."""

    valid: list[LedgerPart]
    missing: list[tuple[int, int]]

    def sql(self, points: Collection[int] | None = None) -> str:
        """A query for the rows of the valid parts (of these points; None = all), with the columns of a ledger row."""
        by_file: dict[str, list[int]] = {}
        for part in self.valid:
            if part.path and (
                points is None or part.point in points
            ):  # a ledger segment holds one month, and a point at most once
                by_file.setdefault(part.path, []).append(part.point)
        columns = ", ".join(identifier(name) for name in LEDGER_COLUMNS)
        parts = [
            f"SELECT {columns} FROM {parquet_list([Path(path)])} WHERE {segments.among(sorted(held))}"
            for path, held in by_file.items()
        ]
        return " UNION ALL ".join(parts) if parts else segments.empty(LEDGER_COLUMNS)


class Snapshot:
    """The facts of the batches up to `upto`; made by `Store.snapshot`, cheap, and unmoved by later batches.

    `findings` grows with what reading met: segments that are missing or damaged are left out of answers and
    said here.
    """

    def __init__(
        self,
        files: Files,
        catalogue: Catalogue,
        upto: int,
        pending: Pending | None = None,
        *,
        earlier: bool = False,
    ) -> None:
        self._earlier = earlier
        self._files = files
        self._source = catalogue
        self._pending = pending
        self.upto = upto
        self.findings: list[Finding] = []
        self._points: dict[str, int] | None = None

    @property
    def is_preview(self) -> bool:
        """It shows a batch that is not committed."""
        return self._pending is not None and self._pending.open

    @property
    def earlier(self) -> bool:
        """It was asked for as of an instant, so later batches may have changed what it shows."""
        return self._earlier

    @property
    def recorded_at(self) -> datetime | None:
        """When its newest batch was recorded (UTC); None while the store is empty."""
        found = self._catalogue.recorded_at(self.upto)
        return None if found is None else instant_of(found)

    @property
    def _catalogue(self) -> Catalogue:
        pending = self._pending
        if pending is not None and not pending.open and self._source.last_batch() < pending.batch_id:
            raise ValueError("the batch this snapshot showed was discarded")
        return self._source

    def still_told(self) -> None:
        """FindingError `store.history-dropped` where retention dropped what was known at this moment."""
        if not self._earlier:
            return
        horizon = self._catalogue.horizon()
        if self.upto < horizon:
            since = self._catalogue.recorded_at(horizon) or 0
            raise faults.history_dropped(self._files.folder, f"{instant_of(since):%Y-%m-%dT%H:%M:%S.%fZ}")

    # -- small facts -----------------------------------------------------------------------------------------

    def batches(self) -> list[Batch]:
        """The batches it shows, oldest first."""
        return self._catalogue.batches(self.upto)

    def last_batch(self, omit: Collection[str] = ()) -> int:
        """The newest batch it shows that is of none of the kinds `omit`; 0 when there is none."""
        return self._catalogue.newest(self.upto, omit)

    def files(self) -> list[StoredFile]:
        """The source files it shows."""
        return self._catalogue.files(self.upto)

    def plant_json(self) -> str | None:
        """The plant in force, canonical JSON."""
        found = self._catalogue.plant(self.upto)
        return None if found is None else found[1]

    def points(self) -> dict[str, int]:
        """Point ids by meter id, as they were when first asked for: a point given later has no readings here."""
        if self.is_preview:
            return self._catalogue.points()
        if self._points is None:
            self._points = self._catalogue.points()
        return self._points

    def digest(self) -> str:
        """SHA-256 that vouches for every fact it shows; compaction does not change it."""
        if self._pending is not None and self._pending.open:
            return self._pending.digest()
        return str(self._catalogue.one("SELECT digest FROM batch WHERE id = ?", self.upto) or "")

    def touched(self, point: int, month: int) -> int | None:
        """The last batch shown that may have changed the ledger of this point and month."""
        sql = "SELECT max(batch_max) FROM touched WHERE point = ? AND month = ? AND batch_min <= ?"
        found = self._catalogue.one(sql, point, month, self.upto)
        return None if found is None else min(int(found), self.upto)

    def touched_among(self, points: Collection[int], months: Collection[int]) -> dict[tuple[int, int], int]:
        """`touched` of every (point, month) of these that has any, in one query."""
        if not points or not months:
            return {}
        sql = (
            f"SELECT point, month, max(batch_max) FROM touched WHERE point IN ({int_list(points)}) "
            "AND month BETWEEN ? AND ? AND batch_min <= ? GROUP BY point, month"
        )
        rows = self._catalogue.rows(sql, min(months), max(months), self.upto)
        return {(point, month): min(int(batch), self.upto) for point, month, batch in rows}

    def touched_since(self, batch: int) -> list[tuple[int, int]]:
        """(point, month) whose ledger a batch shown here and later than `batch` may have changed."""
        sql = "SELECT DISTINCT point, month FROM touched WHERE batch_max > ? AND batch_min <= ? ORDER BY month, point"
        return [(point, month) for point, month in self._catalogue.rows(sql, batch, self.upto)]

    @property
    def has_records(self) -> bool:
        """Whether any batch shown here brought records."""
        return self.records_since(0)

    def records_since(self, batch: int) -> bool:
        """Whether a batch shown here and later than `batch` brought records."""
        sql = "SELECT count(*) FROM segment WHERE kind = 'records' AND batch_max > ? AND batch_min <= ?"
        return bool(self._catalogue.one(sql, batch, self.upto))

    def span(self) -> tuple[datetime, datetime] | None:
        """First and last instant with readings (UTC, to the segment), None without any."""
        found = self._catalogue.rows(
            "SELECT min(t_min), max(t_max) FROM span WHERE batch_min <= ?", self.upto
        )
        low, high = found[0]
        return None if low is None else (instant_of(low), instant_of(high))

    # -- readings --------------------------------------------------------------------------------------------

    def readings_sql(
        self,
        points: Collection[int] | None,
        start: datetime,
        end: datetime,
        neighbours: int = 1,
        *,
        at_least: bool = False,
    ) -> str:
        """A query for the readings of `points` (None = all) in [start, end).

        With them come, for each point, the readings at the last `neighbours` instants before `start` and at
        the first `neighbours` instants at or after `end`. Columns: `rows.READING_COLUMNS`. Every revision
        known at this snapshot is there, told apart by `batch`: corrections and duplicates are the ledger's
        business. Opens only the segments that the catalogue's spans call for. With `at_least` there may be more neighbours,
        which saves ranking them.
        """
        self.still_told()
        catalogue, low, high = self._catalogue, micros(start), micros(end)
        chosen = sorted(set(catalogue.points().values() if points is None else points))
        if not chosen:
            return segments.empty(READING_COLUMNS)
        within = choose.inside(catalogue, self.upto, chosen, low, high)
        back = ahead = choose.Edge()
        if neighbours:
            back = choose.before(catalogue, self.upto, chosen, low, neighbours)
            ahead = choose.after(catalogue, self.upto, chosen, high, neighbours)
        if neighbours and len(chosen) <= _FEW:
            return self._few(chosen, within, back, ahead, low, high, None if at_least else neighbours)
        parts = []
        files = self._usable(within)
        if files:
            where = f"t >= {_at(low)} AND t < {_at(high)} AND {segments.among(chosen)}"
            parts.append(self._scan(files, where))
        parts.extend(self._beyond(back, f"t < {_at(low)}", neighbours, back=True))
        parts.extend(self._beyond(ahead, f"t >= {_at(high)}", neighbours, back=False))
        return " UNION ALL ".join(parts) if parts else segments.empty(READING_COLUMNS)

    def ended_sql(
        self, points: Collection[int], start: datetime, end: datetime, without: Collection[int] = ()
    ) -> str:
        """A query for the readings of `points` after `start` and not after `end`, and perhaps for some of other points.

        Where most points are asked and all that a segment has of them lies in the window, it is read without a look at its rows.
        `without`: segments that are left out.
        """
        self.still_told()
        chosen = sorted(set(points))
        whole, cut = self._ending(chosen, start, end, without)
        most = 2 * len(chosen) >= len(self._catalogue.points())
        among = "true" if most else segments.among(chosen)
        parts = [self._scan(whole, among)] if whole else []
        if cut:
            low, high = micros(start) + 1, micros(end) + 1
            parts.append(self._scan(cut, f"t >= {_at(low)} AND t < {_at(high)} AND {segments.among(chosen)}"))
        return " UNION ALL ".join(parts) if parts else segments.empty(READING_COLUMNS)

    def columns_within(
        self, points: Collection[int], start: datetime, end: datetime, least: int
    ) -> dict[int, tuple[int, str]]:
        """Segments of at least so many rows, whose readings of `points` all end in the window: rows, and a query of them.

        The query gives them in the segment's order (point, then time) wherever insertion order is kept.
        """
        whole, _ = self._ending(sorted(set(points)), start, end)
        return {item.id: (item.rows, self._scan([item], "true")) for item in whole if item.rows >= least}

    def _ending(
        self, chosen: list[int], start: datetime, end: datetime, without: Collection[int] = ()
    ) -> tuple[list[Segment], list[Segment]]:
        """Segments with readings of points that end in a window: those that have all in it, and the others."""
        low, high = micros(start) + 1, micros(end) + 1
        bounds = choose.bounds(self._catalogue, self.upto, chosen, low, high)
        files = self._usable(bounds.keys() - set(without))
        whole = [item for item in files if low <= bounds[item.id][0] and bounds[item.id][1] < high]
        return whole, [item for item in files if item not in whole]

    def runs_within(
        self,
        con: duckdb.DuckDBPyConnection,
        into: str,
        points: Collection[int],
        start: datetime,
        end: datetime,
        gone: Collection[int] = (),
    ) -> list[tuple[list[int], frozenset[int]]]:
        """Make the temporary table `into` of the listed runs (runs.py) of the months from `start` to `end`.

        What comes back is segments and those of `points` whose readings in them have no runs listed. Segments with rows that this
        snapshot does not show, or that a batch of `gone` had a part in, have none.
        """
        chosen, window = sorted(points), (month_of(start), month_of(end))
        found = choose.inside(self._catalogue, self.upto, chosen, micros(start), micros(end))
        self._load_runs(con, into, found, gone)
        among = f"point IN ({int_list(chosen)})"
        held = f"FROM {into} WHERE {among}"
        listed = dict(
            con.execute(f"SELECT segment, count(DISTINCT point) {held} GROUP BY segment").fetchall()
        )
        span = f"FROM span WHERE {among} AND month BETWEEN ? AND ? AND segment IN"
        counts = f"SELECT segment, count(*) {span} ({int_list(found)}) GROUP BY segment"
        there = dict(self._catalogue.rows(counts, *window))
        partly = [segment for segment, count in there.items() if 0 < listed.get(segment, 0) < count]
        known: dict[int, set[int]] = {}
        if partly:
            sql = f"SELECT DISTINCT segment, point {held} AND segment IN ({int_list(partly)})"
            for segment, point in con.execute(sql).fetchall():
                known.setdefault(segment, set()).add(point)
        lacking: dict[frozenset[int], list[int]] = {}
        for segment in (segment for segment, count in there.items() if listed.get(segment, 0) != count):
            held_by = self._catalogue.rows(f"SELECT point {span} ({segment})", *window)
            missing = frozenset(row[0] for row in held_by).difference(known.get(segment, ()))
            lacking.setdefault(missing, []).append(segment)
        return [(of, missing) for missing, of in lacking.items()]

    def segments_sql(self, ids: Collection[int], points: Collection[int]) -> str:
        """A query for the readings that these segments have of these points."""
        files = self._usable(ids)
        return self._scan(files, segments.among(sorted(points))) if files else segments.empty(READING_COLUMNS)

    def runs_beside(
        self,
        con: duckdb.DuckDBPyConnection,
        into: str,
        points: Collection[int],
        moment: datetime,
        gone: Collection[int] = (),
        *,
        back: bool,
    ) -> set[int]:
        """Make `into` of the runs of segments with the last readings before `moment` (with `back`), or the first from it on.

        Of a point in `points` there are all, unless it is one of those that come back.
        """
        choice = choose.before if back else choose.after
        some = choose.with_any(self._catalogue, self.upto, points, micros(moment), back=back)
        found = (
            choice(self._catalogue, self.upto, sorted(some), micros(moment), 1).segments if some else set()
        )
        self._load_runs(con, into, found, gone)
        among = f"point IN ({int_list(points)})"
        sql = f"SELECT point, count(*) FROM span WHERE {among} AND segment IN ({int_list(found)}) GROUP BY point"
        there = dict(
            con.execute(f"SELECT point, count(DISTINCT segment) FROM {into} GROUP BY point").fetchall()
        )
        lacking = {point for point, count in self._catalogue.rows(sql) if there.get(point) != count}
        if lacking:
            con.execute(f"DELETE FROM {into} WHERE point IN ({int_list(lacking)})")
        return lacking

    def _load_runs(
        self, con: duckdb.DuckDBPyConnection, into: str, ids: set[int], gone: Collection[int]
    ) -> None:
        whole = [
            item.id
            for item in self._usable(ids)
            if item.batch_max <= self.upto
            and not any(item.batch_min <= batch <= item.batch_max for batch in gone)
        ]
        runs.load(con, into, self._catalogue.runs(whole))

    def create_readings(
        self,
        con: duckdb.DuckDBPyConnection,
        name: str,
        points: Collection[int] | None,
        start: datetime,
        end: datetime,
        neighbours: int = 1,
        *,
        table: bool = False,
    ) -> None:
        """Make `readings_sql` a temporary view `name`, or with `table` a table (for more than one pass)."""
        kind = "TABLE" if table else "VIEW"
        sql = self.readings_sql(points, start, end, neighbours)
        con.execute(f"CREATE OR REPLACE TEMP {kind} {identifier(name)} AS {sql}")

    def _few(
        self,
        points: list[int],
        within: set[int],
        back: choose.Edge,
        ahead: choose.Edge,
        low: int,
        high: int,
        count: int | None,
    ) -> str:
        """One scan for everything: opening files costs more than ranking the rows of a few points."""
        files = self._usable(within | back.segments | ahead.segments)
        if not files:
            return segments.empty(READING_COLUMNS)
        start, end = _at(low), _at(high)
        first, last = min((low, *back.reach.values())), max((high, *ahead.reach.values()))
        scan = self._scan(files, f"t >= {_at(first)} AND t <= {_at(last)} AND {segments.among(points)}")
        if count is None:
            return scan
        side = f"CASE WHEN t < {start} THEN 0 WHEN t < {end} THEN 1 ELSE 2 END"
        away = f"CASE WHEN t < {start} THEN {start} - t ELSE t - {end} END"
        rank = f"dense_rank() OVER (PARTITION BY point, {side} ORDER BY {away})"
        return (
            f"SELECT {_READING} FROM ({scan}) QUALIFY (t >= {start} AND t < {end}) OR {rank} <= {int(count)}"
        )

    def _beyond(self, edge: choose.Edge, condition: str, count: int, *, back: bool) -> Iterable[str]:
        """The neighbours of many points beyond one end of the window."""
        files = self._usable(edge.segments)
        if not files:
            return
        sign, order, farthest = (">=", "DESC", min) if back else ("<=", "ASC", max)
        limit = _at(farthest(edge.reach.values()))
        scan = self._scan(files, f"{condition} AND t {sign} {limit} AND {segments.among(sorted(edge.reach))}")
        if len(set(edge.reach.values())) > 1:
            limits = ", ".join(f"({point}, {_at(reach)})" for point, reach in edge.reach.items())
            columns = ", ".join(f"r.{name}" for name in READING_COLUMNS)
            scan = (
                f"SELECT {columns} FROM ({scan}) r JOIN (VALUES {limits}) reach(point, t) "
                f"ON reach.point = r.point AND r.t {sign} reach.t"
            )
        rank = f"dense_rank() OVER (PARTITION BY point ORDER BY t {order})"
        yield f"SELECT {_READING} FROM ({scan}) QUALIFY {rank} <= {int(count)}"

    def _scan(self, files: list[Segment], where: str) -> str:
        """The rows of these segments that fulfil `where`, without those of later batches."""
        seen = f" AND batch <= {self.upto}" if any(item.batch_max > self.upto for item in files) else ""
        return (
            f"SELECT {_READING} FROM {parquet_list(self._path(item) for item in files)} WHERE {where}{seen}"
        )

    # -- records ---------------------------------------------------------------------------------------------

    def records_sql(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        batches: Collection[int] = (),
        *,
        every: bool = False,
    ) -> str:
        """A query for the records (overlapping [start, end) where given); columns `rows.RECORD_COLUMNS`.

        With `batches`, what those batches alone say, whatever others said before or since. With `every`, all that was ever said.

        A later batch's record corrects earlier ones of the same key (`rows.RECORD_KEY`); within the batch
        that wins, rows of one key are all there and add, except exact repeats that carry the same non-empty
        note (one invoice listed twice).
        """
        found = self._catalogue.segments("kind = 'records' AND batch_min <= ?", self.upto)
        files = self._usable(item.id for item in found)
        if not files:
            return segments.empty(RECORD_COLUMNS)
        columns = ", ".join(identifier(name) for name in RECORD_COLUMNS)
        key = ", ".join(identifier(name) for name in RECORD_KEY)
        window = ""
        if start is not None:
            window += f' AND "end" > {_at(micros(start))}'
        if end is not None:
            window += f' AND "start" < {_at(micros(end))}'
        if batches:
            window += f" AND batch IN ({', '.join(str(number) for number in sorted(batches))})"
        if every:
            files_sql = parquet_list(self._path(item) for item in files)
            return f"SELECT {columns} FROM {files_sql} WHERE batch <= {self.upto}{window}"
        return (
            f"SELECT {columns} FROM (SELECT {columns} "
            f"FROM {parquet_list(self._path(item) for item in files)} "
            f"WHERE batch <= {self.upto}{window} QUALIFY batch = max(batch) OVER (PARTITION BY {key})) "
            f"QUALIFY note = '' OR row_number() OVER (PARTITION BY {key}, value, unit, weight, weight_unit "
            f"ORDER BY file, line) = 1"
        )

    # -- tables of the caller's --------------------------------------------------------------------------------

    def tables(self, kind: str) -> list[tuple[Path, Segment]]:
        """The readable segments of a kind that `Pending.add_table` wrote, oldest first; findings for the others."""
        found = self._catalogue.segments("kind = ? AND batch_min <= ?", kind, self.upto)
        return [(self._path(item), item) for item in self._usable(item.id for item in found)]

    # -- ledger ----------------------------------------------------------------------------------------------

    def ledger_parts(
        self, points: Collection[int], months: Collection[int], digests: Mapping[int, str]
    ) -> LedgerParts:
        """Which (point, month) of the ledger are stored for this snapshot and these meter configurations.

        `digests`: point → digest of everything besides readings that its ledger depends on.
        """
        wanted = {(point, month) for point in points for month in months}
        if not wanted:
            return LedgerParts([], [])
        # true for this snapshot: no batch touched the part between the one it was derived at and this one
        low, high = "CASE WHEN upto < ? THEN upto ELSE ? END", "CASE WHEN upto > ? THEN upto ELSE ? END"
        following = (
            "SELECT t.batch_min FROM touched t WHERE t.point = p.point AND t.month = p.month "
            f"AND t.batch_max > {low} ORDER BY t.batch_max LIMIT 1"
        )
        sql = (
            "SELECT p.point, p.month, p.digest, p.segment FROM ledger_part p "
            f"WHERE p.point IN ({int_list(points)}) AND p.month BETWEEN ? AND ? "
            f"AND (p.upto = ? OR coalesce(({following}) > {high}, TRUE))"
        )
        catalogue, at = self._catalogue, self.upto
        rows = catalogue.rows(sql, min(months), max(months), at, at, at, at, at)
        matching = {
            (point, month): segment
            for point, month, digest, segment in rows
            if (point, month) in wanted and digests.get(point) == digest
        }
        # a part whose file is gone or damaged is derived again: nothing to complain about
        found = catalogue.segments_by_id(set(matching.values()) - {0})
        files = {item.id: self._path(item) for item in found if self._files.fault(item) is None}
        valid = [
            LedgerPart(point, month, str(files[segment]) if segment else "")
            for (point, month), segment in sorted(matching.items())
            if segment == 0 or segment in files
        ]
        there = {(part.point, part.month) for part in valid}
        return LedgerParts(valid, sorted(wanted - there))

    def stored_range(self, point: int) -> tuple[int, int] | None:
        """First and last month that the point's readings bear on; beyond, ledger parts are not stored."""
        return self.stored_ranges([point]).get(point)

    def stored_ranges(self, points: Collection[int]) -> dict[int, tuple[int, int]]:
        """`stored_range` of each of these points that has one."""
        return choose.data_ranges(self._catalogue, self.upto, points)

    # -- files -----------------------------------------------------------------------------------------------

    def _path(self, segment: Segment) -> Path:
        return self._files.path(segment)

    def _usable(self, ids: Iterable[int]) -> list[Segment]:
        """The segments that can be read; for the others a finding each."""
        wanted = list(ids)
        usable = []
        for segment in self._catalogue.segments_by_id(wanted) if wanted else ():
            kind = self._files.fault(segment)
            if kind is None:
                usable.append(segment)
            else:
                self._tell(damage(kind, segment, self._catalogue))
        return usable

    def _tell(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)


def damage(kind: FindingKind, segment: Segment, catalogue: Catalogue) -> Finding:
    """The finding for a segment that cannot be read."""
    first, last = segment.batch_min, segment.batch_max
    return kind.at(
        Place(file=segment.path),
        kind=segment.kind,
        rows=segment.rows,
        batches=str(first) if first == last else f"{first}–{last}",
        month="–" if segment.month is None else month_label(segment.month),
        effect=_effect(segment, catalogue),
    )


def _effect(segment: Segment, catalogue: Catalogue) -> Text:
    """What its loss means for answers, after "answers leave it out"."""
    if segment.kind == segments.LEDGER:
        return Text(" and derive it again from readings", "，并由读数重新推导")
    if segment.kind == segments.RECORDS:
        return Text(": what rests on these records is absent", "：依赖这些台账的结果为缺失")
    if segment.kind.startswith("facts-"):
        return Text(": the reports in it are left out of every total", "：其中的报表不计入任何合计")
    meters, low, high = catalogue.rows(
        "SELECT count(DISTINCT point), min(t_min), max(t_max) FROM span WHERE segment = ?", segment.id
    )[0]
    if not meters:
        return Text("", "")
    first, last = (f"{instant_of(moment):%Y-%m-%d}" for moment in (low, high))
    return Text(
        f": what is derived anew for {meters} meter(s) from {first} to {last} is absent or estimated, and its coverage says so",
        f"：{meters} 个计量点在 {first} 至 {last} 重新推导的值为缺失或估算，并体现在覆盖率中",
    )


def _at(micro: int) -> str:
    return f"TIMESTAMP '{instant_of(micro):%Y-%m-%d %H:%M:%S.%f}'"

"""Pending: a batch being made; invisible before `commit`, and gone without trace after `discard`."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import duckdb

from celadon.core.findings import Finding, FindingError, Place
from celadon.store import choose, faults, runs, segments, stretch, written
from celadon.store.catalogue import Catalogue
from celadon.store.rows import (
    QUARANTINE_STATUSES,
    READING_COLUMNS,
    RECORD_COLUMNS,
    Batch,
    QuarantineRow,
    instant_of,
    micros,
    month_label,
    month_start,
)
from celadon.store.segments import RECORDS, identifier
from celadon.store.staging import Staging
from celadon.store.stretch import Stretch

_COPY = "celadon_store_rows"
Clock = Callable[[], datetime]
_TOLERATED_STEP = timedelta(seconds=1)
"""A clock behind the last batch by more than this is worth a Finding; less is two commits in one tick."""


def system_clock() -> datetime:
    """Now, UTC."""
    return datetime.now(UTC)


class Pending:
    """A batch being made; get it from `Store.begin` and use it as a context manager.

    Leaving the context without `commit()` discards it. Its catalogue rows live in one open transaction and
    its segments are files that nothing names yet, so a killed process leaves the store as it was.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        staging: Staging,
        kind: str,
        note: str,
        clock: Clock,
        closed: Callable[[], None],
    ) -> None:
        self._catalogue = catalogue
        self._staging = staging
        self._clock = clock
        self._closed = closed
        self._kind, self._note = kind, note
        self._points: set[int] = set()
        self.open = True
        self.readings = 0
        """Readings staged so far."""
        self.records = 0
        """Records staged so far."""
        catalogue.begin()
        self.batch_id = catalogue.next_id("batch")
        recorded, _ = self._recorded_at()
        catalogue.run("INSERT INTO batch VALUES (?, ?, ?, ?, NULL, '')", self.batch_id, recorded, kind, note)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.open:
            self.discard()

    # -- what goes in ----------------------------------------------------------------------------------------

    def add_file(self, name: str, sha256: str, size: int, source_id: str, mapping_digest: str) -> int:
        """The id for a source file's rows to name (FindingError `store.file-loaded` for a repetition).

        The same content counts as new when another content of that name was loaded since.
        """
        self._check_open()
        earlier = self._catalogue.file_batch(source_id, sha256, mapping_digest, name)
        if earlier is not None:
            raise FindingError(faults.FILE_LOADED.at(Place(file=name), name=name, batch=earlier))
        file_id = self._catalogue.next_id("file")
        row = (file_id, self.batch_id, source_id, name, sha256, size, mapping_digest)
        self._catalogue.run("INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?)", *row)
        return file_id

    def add_readings(self, con: duckdb.DuckDBPyConnection, relation: str, reach: int = 1) -> int:
        """Stage the rows of a DuckDB table or view; returns how many.

        `relation` has the columns point, t, span, value, file, line (`rows.READING_COLUMNS`; `batch` is set
        here): t is a TIMESTAMP in UTC, point comes from `ensure_points`. One segment per UTC month; the
        months whose ledger the readings may change are marked touched, `reach` neighbours to either side
        (choose.touched_months). ValueError for what is a fault of the caller: nulls, infinities, times with
        a zone, points without an id.
        """
        self._check_open()
        source, few = identifier(relation), _few_readings(con, relation)
        if few is None:
            source = self._materialised(con, relation)
            _check_readings(con, source)
        measured = stretch.measure(con, source) if few is None else stretch.measure_few(few)
        self._points.update(row[0] for row in measured)
        unknown = self._points - set(self._catalogue.points().values())
        if unknown:
            raise ValueError(f"readings of points without an id from ensure_points: {sorted(unknown)[:5]}")
        by_month: dict[int, list[tuple[int, Stretch]]] = {}
        by_point: dict[int, list[tuple[int, Stretch]]] = {}
        for point, month, _, found in measured:
            by_month.setdefault(month, []).append((point, found))
            by_point.setdefault(point, []).append((month, found))
        for month, stretches in by_month.items():
            self._add_month(con, source, month, stretches)
        if measured:
            choose.extend(self._catalogue, by_point)
            self._mark(list(choose.touched_months(self._catalogue, by_point, reach)))
        if source == _COPY:
            con.execute(f"DROP TABLE IF EXISTS {_COPY}")
        count = sum(row[2] for row in measured)
        self.readings += count
        return count

    def _materialised(self, con: duckdb.DuckDBPyConnection, relation: str) -> str:
        """The relation's quoted name; a view is copied into a table first, as it is read once per month."""
        name = identifier(relation)
        if con.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [relation]
        ).fetchone() != (0,):
            return name
        with faults.as_findings(self._staging.store):
            con.execute(f"CREATE OR REPLACE TEMP TABLE {_COPY} AS SELECT * FROM {name}")
        return _COPY

    def _add_month(
        self, con: duckdb.DuckDBPyConnection, source: str, month: int, stretches: list[tuple[int, Stretch]]
    ) -> None:
        columns = segments.typed(READING_COLUMNS, {"batch": str(self.batch_id)})
        start, end = (f"TIMESTAMP '{month_start(m):%Y-%m-%d}'" for m in (month, month + 1))
        select = f"SELECT {columns} FROM {source} WHERE t >= {start} AND t < {end}"
        made = self._staging.write(con, segments.READINGS, select, month, (self.batch_id, self.batch_id))
        self._catalogue.add_spans(month, made, stretches)
        with faults.as_findings(self._staging.store):
            runs.keep(con, self._catalogue, made, self._staging.store)

    def add_records(self, con: duckdb.DuckDBPyConnection, relation: str) -> int:
        """Stage the record rows of a table or view (`rows.RECORD_COLUMNS` without batch); returns how many.

        Null keys (item, purpose, site, process, note) are stored as ''. A null value says that an earlier
        record is withdrawn.
        """
        self._check_open()
        keys = ("quantity", "item", "purpose", "site", "process", "note")
        given = {name: f"coalesce({name}, '')" for name in keys} | {"batch": str(self.batch_id)}
        name = identifier(relation)
        bad = 'quantity IS NULL OR "start" IS NULL OR "end" IS NULL OR file IS NULL OR line IS NULL'
        total, wrong = _row(con, f"SELECT count(*), count(*) FILTER ({bad}) FROM {name}")
        if wrong:
            raise ValueError(f"{wrong} records have no quantity, start, end, file or line")
        if total:
            select = f"SELECT {segments.typed(RECORD_COLUMNS, given)} FROM {name}"
            self._staging.write(con, RECORDS, select, None, (self.batch_id, self.batch_id))
        self.records += total
        return int(total)

    def add_table(
        self, con: duckdb.DuckDBPyConnection, kind: str, select: str, month: int | None = None
    ) -> int:
        """Stage the rows of a query as a segment of a table the caller keeps (`registry`, `facts-<source>` …); how many.

        The store knows nothing of its columns; which rows of which batch count is the caller's business.
        """
        self._check_open()
        made = self._staging.write(con, kind, select, month, (self.batch_id, self.batch_id))
        return made.rows

    def add_quarantine(self, rows: Iterable[QuarantineRow]) -> list[int]:
        """Keep rows that could not be read, to be corrected and replayed; returns their ids."""
        self._check_open()
        ids = []
        for row in rows:
            ids.append(self._catalogue.next_id("quarantine"))
            values = (
                ids[-1],
                self.batch_id,
                row.file_id,
                row.line,
                row.sheet,
                row.text,
                written.to_text(row.finding),
            )
            self._catalogue.run("INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, 'open')", *values)
        return ids

    def resolve_quarantine(self, row_id: int, status: str) -> None:
        """Settle a quarantined row together with this batch: `replayed`, `dismissed`, or `open` again."""
        self._check_open()
        set_quarantine_status(self._catalogue, row_id, status)

    def add_findings(self, findings: Iterable[Finding]) -> None:
        """Keep what loading this batch found."""
        self._check_open()
        following = self._catalogue.next_id("finding")
        rows = [
            (number, self.batch_id, written.to_text(finding))
            for number, finding in enumerate(findings, following)
        ]
        self._catalogue.run_many("INSERT INTO finding VALUES (?, ?, ?)", rows)

    def touch(self, point: int, month: int) -> None:
        """Say that this batch changes the ledger of one point and month in a way its readings do not show."""
        self._check_open()
        self._mark([(point, month)])

    def _mark(self, touched: list[tuple[int, int]]) -> None:
        self._catalogue.run_many(
            "INSERT INTO touched (point, month, batch_max, batch_min) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            [(point, month, self.batch_id, self.batch_id) for point, month in touched],
        )

    def set_plant(self, plant_json: str) -> bool:
        """The plant as of this batch (canonical JSON); False when it is the one already in force."""
        self._check_open()
        in_force = self._catalogue.plant(self.batch_id)
        if in_force is not None and in_force[1] == plant_json:
            return False
        digest = hashlib.sha256(plant_json.encode()).hexdigest()
        plant_id = self._catalogue.one("SELECT id FROM plant WHERE sha256 = ?", digest)
        if plant_id is None:
            plant_id = self._catalogue.next_id("plant")
            self._catalogue.run("INSERT INTO plant VALUES (?, ?, ?)", plant_id, digest, plant_json)
        self._catalogue.run("UPDATE batch SET plant = ? WHERE id = ?", plant_id, self.batch_id)
        return True

    # -- the end ---------------------------------------------------------------------------------------------

    def commit(self) -> Batch:
        """Make the batch visible, durably; on any error (FindingError when the disk is full) discard it."""
        self._check_open()
        try:
            recorded, behind = self._recorded_at()
            if behind is not None:
                self.add_findings([behind])
            self._catalogue.run(
                "UPDATE batch SET recorded_at = ?, digest = ? WHERE id = ?",
                recorded, self.digest(), self.batch_id,
            )  # fmt: skip
            self._catalogue.commit()
        except BaseException:
            self.discard()
            raise
        self.open = False
        try:
            self._staging.finish()
        finally:
            self._closed()
        return Batch(self.batch_id, instant_of(recorded), self._kind, self._note)

    def digest(self) -> str:
        """SHA-256 over the batch before and this batch's facts: one digest vouches for all facts so far.

        When the facts were recorded and how their segments were merged later does not enter.
        """
        catalogue, batch = self._catalogue, self.batch_id
        plant = "SELECT plant.sha256 FROM batch JOIN plant ON plant.id = batch.plant WHERE batch.id = ?"
        files = "SELECT source, name, sha256, mapping FROM file WHERE batch = ? ORDER BY id"
        content: dict[str, Any] = {
            "before": catalogue.one("SELECT digest FROM batch WHERE id = ?", batch - 1),
            "files": catalogue.rows(files, batch),
            "segments": [
                (item.kind, month_label(item.month) if item.month is not None else "", item.sha256)
                for item in catalogue.segments("kind <> 'ledger' AND batch_min = ?", batch)
            ],
            "plant": catalogue.one(plant, batch),
            "points": [one for one in catalogue.points().items() if one[1] in self._points]
            if self._points
            else [],
        }
        return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

    def discard(self) -> None:
        """Forget everything; the store is as it was."""
        self._check_open()
        self.open = False
        try:
            self._catalogue.rollback()
            self._staging.abandon()
        finally:
            self._closed()

    def _recorded_at(self) -> tuple[int, Finding | None]:
        """Now, but always after the batch before; with a finding where the clock is plainly behind that."""
        now = self._clock()
        previous = self.batch_id - 1
        last = self._catalogue.recorded_at(previous)
        if last is None or micros(now) > last:
            return micros(now), None
        finding = None
        if instant_of(last) - now > _TOLERATED_STEP:
            clock, recorded = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (now, instant_of(last)))
            finding = faults.CLOCK_BACKWARDS.at(clock=clock, batch=previous, last=recorded)
        return last + 1, finding

    def _check_open(self) -> None:
        if not self.open:
            raise ValueError("this batch was committed or discarded")


def set_quarantine_status(catalogue: Catalogue, row_id: int, status: str) -> None:
    """Change one quarantined row (ValueError for an unknown row or status)."""
    if status not in QUARANTINE_STATUSES:
        raise ValueError(f"{status!r} is not one of {', '.join(QUARANTINE_STATUSES)}")
    if catalogue.one("SELECT id FROM quarantine WHERE id = ?", row_id) is None:
        raise ValueError(f"no quarantined row {row_id}")
    catalogue.run("UPDATE quarantine SET status = ? WHERE id = ?", status, row_id)


def _row(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    return con.execute(sql).fetchall()[0]


_NEEDED = tuple(name for name in READING_COLUMNS if name != "batch")


def _few_readings(con: duckdb.DuckDBPyConnection, relation: str) -> list[tuple[int, datetime]] | None:
    """Point and time of the rows where they are few, checked here: three statements over them take longer; None: they are many."""
    found = con.execute(f"SELECT {', '.join(_NEEDED)} FROM {identifier(relation)} LIMIT {stretch.ENOUGH + 1}")
    _check_kind(str(found.description[_NEEDED.index("t")][1]))
    rows = found.fetchall()
    if len(rows) > stretch.ENOUGH:
        return None
    value = _NEEDED.index("value")
    _check_count(sum(None in row or not math.isfinite(row[value]) for row in rows))
    return [row[:2] for row in rows]


def _check_readings(con: duckdb.DuckDBPyConnection, source: str) -> None:
    nulls = " OR ".join(f"{name} IS NULL" for name in _NEEDED)
    _check_count(_row(con, f"SELECT count(*) FILTER ({nulls} OR NOT isfinite(value)) FROM {source}")[0])


def _check_kind(kind: str) -> None:
    if kind not in ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS"):
        raise ValueError(f"readings need t as a TIMESTAMP in UTC, not {kind}")


def _check_count(wrong: int) -> None:
    if wrong:
        raise ValueError(f"{wrong} readings have a null or an infinite value; an absent value is no row")

"""The catalogue: which batches, files, points, segments, spans and ledger parts there are.

One narrow class over plain SQL (placeholders, `ON CONFLICT DO NOTHING`, no vendor functions), so that the
same statements can run on a server when several hosts write. Here it is SQLite: WAL, so that readers and
the writer never block each other, and synchronous=FULL, so that what was acknowledged survives a power cut.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from celadon.store import faults
from celadon.store.rows import Batch, Segment, StoredFile, instant_of
from celadon.store.stretch import Stretch

FORMAT = 1
NAME = "catalogue.sqlite"
_APPLICATION = 0x43454C41  # "CELA", in SQLite's header: tells our catalogue from other programs' databases
_BUSY_SECONDS = 10.0

_SCHEMA = """
CREATE TABLE batch (id INTEGER PRIMARY KEY, recorded_at INTEGER NOT NULL UNIQUE, kind TEXT NOT NULL,
  note TEXT NOT NULL, plant INTEGER, digest TEXT NOT NULL);
CREATE INDEX batch_plant ON batch (id) WHERE plant IS NOT NULL;
CREATE TABLE plant (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, json TEXT NOT NULL);
CREATE TABLE file (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, source TEXT NOT NULL, name TEXT NOT NULL,
  sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, mapping TEXT NOT NULL);
CREATE INDEX file_batch ON file (batch);
CREATE INDEX file_content ON file (source, sha256, mapping);
CREATE INDEX file_name ON file (source, name, id);
CREATE TABLE point (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE segment (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, path TEXT NOT NULL UNIQUE, month INTEGER,
  batch_min INTEGER NOT NULL, batch_max INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL, damaged INTEGER NOT NULL DEFAULT 0, retired_at INTEGER);
CREATE INDEX segment_kind ON segment (kind, month) WHERE retired_at IS NULL;
CREATE INDEX segment_batch ON segment (batch_min);
CREATE INDEX segment_retired ON segment (retired_at) WHERE retired_at IS NOT NULL;
CREATE TABLE span (point INTEGER NOT NULL, month INTEGER NOT NULL, segment INTEGER NOT NULL,
  batch_min INTEGER NOT NULL, batch_max INTEGER NOT NULL, t_min INTEGER NOT NULL, t_max INTEGER NOT NULL,
  head_n INTEGER NOT NULL, t_head INTEGER NOT NULL, tail_n INTEGER NOT NULL, t_tail INTEGER NOT NULL,
  PRIMARY KEY (point, month, segment)) WITHOUT ROWID;
CREATE TABLE extent (point INTEGER NOT NULL, month INTEGER NOT NULL, t_min INTEGER NOT NULL,
  t_max INTEGER NOT NULL, head_n INTEGER NOT NULL, t_head INTEGER NOT NULL, tail_n INTEGER NOT NULL,
  t_tail INTEGER NOT NULL, PRIMARY KEY (point, month)) WITHOUT ROWID;
CREATE TABLE touched (point INTEGER NOT NULL, month INTEGER NOT NULL, batch_max INTEGER NOT NULL,
  batch_min INTEGER NOT NULL, PRIMARY KEY (point, month, batch_max)) WITHOUT ROWID;
CREATE TABLE ledger_part (point INTEGER NOT NULL, month INTEGER NOT NULL, digest TEXT NOT NULL,
  upto INTEGER NOT NULL, segment INTEGER NOT NULL, PRIMARY KEY (point, month, digest, upto)) WITHOUT ROWID;
CREATE INDEX ledger_part_segment ON ledger_part (segment);
CREATE TABLE quarantine (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, file INTEGER NOT NULL, line INTEGER,
  sheet TEXT, text TEXT NOT NULL, finding TEXT NOT NULL, status TEXT NOT NULL);
CREATE INDEX quarantine_status ON quarantine (status, id);
CREATE TABLE finding (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, json TEXT NOT NULL);
CREATE INDEX finding_batch ON finding (batch);
"""

_SEGMENT = "id, kind, path, month, batch_min, batch_max, rows, bytes, sha256, damaged"


def int_list(numbers: Iterable[int]) -> str:
    """`1,2,3` for an IN list; only ever whole numbers, so nothing can be smuggled in."""
    return ",".join(str(int(number)) for number in numbers)


def _segment(row: Sequence[Any]) -> Segment:
    number, kind, path, month, batch_min, batch_max, rows, size, sha256, damaged = row
    return Segment(number, kind, path, month, batch_min, batch_max, rows, size, sha256, bool(damaged))


class Catalogue:
    """One connection; `writes` opens the one for the holder of the writer lock."""

    def __init__(self, path: Path, *, writes: bool = False) -> None:
        self.path = path
        self._connection = _connect(path, writes)

    @classmethod
    def create(cls, path: Path) -> None:
        """Lay out an empty catalogue where there is none yet (the caller holds the writer lock)."""
        uri = f"{path.absolute().as_uri()}?mode=rwc"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_SECONDS)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {FORMAT}")
            connection.execute("COMMIT")
        finally:
            connection.close()

    def close(self) -> None:
        self._connection.close()

    # -- plain SQL -------------------------------------------------------------------------------------------

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of one query."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise faults.of_catalogue(self.path.parent, error) from error

    def one(self, sql: str, *values: object) -> Any:
        """The first column of the first row, or None."""
        found = self.rows(sql, *values)
        return found[0][0] if found else None

    def run(self, sql: str, *values: object) -> None:
        """One statement."""
        self.rows(sql, *values)

    def run_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """One statement for each row."""
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise faults.of_catalogue(self.path.parent, error) from error

    # -- transactions ----------------------------------------------------------------------------------------

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def begin(self) -> None:
        self.run("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Durable when this returns."""
        self.run("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self.run("ROLLBACK")

    # -- batches, files, points ------------------------------------------------------------------------------

    def next_id(self, table: str) -> int:
        """One more than the largest id of `table` (callers hold the writer lock)."""
        return int(self.one(f"SELECT coalesce(max(id), 0) + 1 FROM {table}"))

    def last_batch(self) -> int:
        """The newest batch, 0 when there is none."""
        return int(self.one("SELECT coalesce(max(id), 0) FROM batch"))

    def batch_at(self, recorded: int) -> int:
        """The newest batch recorded at or before `recorded` (microseconds), 0 when there is none."""
        sql = "SELECT id FROM batch WHERE recorded_at <= ? ORDER BY recorded_at DESC LIMIT 1"
        return int(self.one(sql, recorded) or 0)

    def batches(self, upto: int) -> list[Batch]:
        """All batches up to `upto`, oldest first."""
        sql = "SELECT id, recorded_at, kind, note FROM batch WHERE id <= ? ORDER BY id"
        return [Batch(row[0], instant_of(row[1]), row[2], row[3]) for row in self.rows(sql, upto)]

    def newest(self, upto: int, omit: Collection[str] = ()) -> int:
        """The last batch up to `upto` of none of the kinds `omit`; 0 when there is none."""
        marks = ", ".join("?" * len(omit))
        sql = f"SELECT max(id) FROM batch WHERE id <= ? AND kind NOT IN ({marks})"
        return int(self.one(sql, upto, *omit) or 0)

    def recorded_at(self, batch: int) -> int | None:
        """When `batch` was recorded, microseconds."""
        found = self.one("SELECT recorded_at FROM batch WHERE id = ?", batch)
        return None if found is None else int(found)

    def plant(self, upto: int) -> tuple[int, str] | None:
        """Id and JSON of the plant in force at batch `upto`."""
        sql = "SELECT plant FROM batch WHERE id <= ? AND plant IS NOT NULL ORDER BY id DESC LIMIT 1"
        plant_id = self.one(sql, upto)
        if plant_id is None:
            return None
        return int(plant_id), str(self.one("SELECT json FROM plant WHERE id = ?", plant_id))

    def files(self, upto: int) -> list[StoredFile]:
        """All files loaded up to batch `upto`, in the order loaded."""
        sql = "SELECT id, batch, source, name, sha256, bytes, mapping FROM file WHERE batch <= ? ORDER BY id"
        return [StoredFile(*row) for row in self.rows(sql, upto)]

    def file_batch(self, source: str, sha256: str, mapping: str, name: str | None) -> int | None:
        """The batch that last loaded this content; None also when other content of that name came after."""
        same = "source = ? AND sha256 = ? AND mapping = ?"
        found = self.rows(
            f"SELECT id, batch FROM file WHERE {same} ORDER BY id DESC LIMIT 1", source, sha256, mapping
        )
        if not found:
            return None
        if name is not None:
            later = "SELECT count(*) FROM file WHERE source = ? AND name = ? AND id > ?"
            if self.one(later, source, name, found[0][0]):
                return None
        return int(found[0][1])

    def points(self) -> dict[str, int]:
        """Point ids by meter id."""
        return dict(self.rows("SELECT name, id FROM point ORDER BY id"))

    def add_points(self, names: Iterable[str]) -> None:
        """Give an id to each name that has none."""
        following = self.next_id("point")
        for name in dict.fromkeys(names):
            if self.one("SELECT id FROM point WHERE name = ?", name) is None:
                self.run("INSERT INTO point VALUES (?, ?)", following, name)
                following += 1

    # -- segments --------------------------------------------------------------------------------------------

    def add_segment(self, segment: Segment) -> None:
        self.run(
            f"INSERT INTO segment ({_SEGMENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            segment.id, segment.kind, segment.path, segment.month, segment.batch_min, segment.batch_max,
            segment.rows, segment.bytes, segment.sha256,
        )  # fmt: skip

    def add_spans(self, month: int, segment: Segment, stretches: Iterable[tuple[int, Stretch]]) -> None:
        """List what a segment of readings holds: a stretch for each point."""
        batches = (segment.batch_min, segment.batch_max)
        self.run_many(
            "INSERT INTO span VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(point, month, segment.id, *batches, *stretch.row()) for point, stretch in stretches],
        )

    def segments(self, where: str, *values: object) -> list[Segment]:
        """Segments that are not retired and fulfil `where`, oldest first."""
        sql = f"SELECT {_SEGMENT} FROM segment WHERE retired_at IS NULL AND ({where}) ORDER BY id"
        return [_segment(row) for row in self.rows(sql, *values)]

    def segments_by_id(self, ids: Collection[int]) -> list[Segment]:
        """The segments with these ids, oldest first, retired ones too."""
        sql = f"SELECT {_SEGMENT} FROM segment WHERE id IN ({int_list(ids)}) ORDER BY id"
        return [_segment(row) for row in self.rows(sql)]

    def has_path(self, path: str) -> bool:
        return self.one("SELECT 1 FROM segment WHERE path = ?", path) is not None

    def retire(self, ids: Iterable[int], moment: int) -> None:
        """Take segments out of answers; their files stay a while for readers that have them open."""
        self.run(f"UPDATE segment SET retired_at = ? WHERE id IN ({int_list(ids)})", moment)

    def retired(self, before: int) -> list[tuple[int, str]]:
        """Id and path of the segments retired at or before `before` (microseconds)."""
        sql = "SELECT id, path FROM segment WHERE retired_at IS NOT NULL AND retired_at <= ?"
        return [(row[0], row[1]) for row in self.rows(sql, before)]


def _connect(path: Path, writes: bool) -> sqlite3.Connection:
    store = path.parent
    if not path.is_file():
        raise faults.absent(store)
    base = path.absolute().as_uri()
    try:
        connection = _try(f"{base}?mode=rw", store)
    except sqlite3.OperationalError:
        # a read-only disk: WAL needs a file that cannot be made, but no writer can disturb the catalogue
        wal = path.with_name(path.name + "-wal")
        if writes or (wal.exists() and wal.stat().st_size):
            raise
        connection = _try(f"{base}?mode=ro&immutable=1", store)
    connection.execute("PRAGMA synchronous = FULL" if writes else "PRAGMA query_only = ON")
    return connection


def _try(uri: str, store: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS
    )
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if application == _APPLICATION and found > FORMAT:
            raise faults.newer_format(store, found, FORMAT)
        if application != _APPLICATION:
            empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
            raise faults.absent(store) if empty else faults.not_a_store(store)
    except BaseException:
        connection.close()
        raise
    return connection

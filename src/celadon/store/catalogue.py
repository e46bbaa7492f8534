"""The catalogue: which batches, files, points, segments, spans and ledger parts there are.

One class over plain SQL (placeholders, `ON CONFLICT`, no vendor functions): the same statements run on SQLite
in the store's folder and on a PostgreSQL server when several hosts write (see database.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from celadon.store.database import Database
from celadon.store.rows import RETAIN, Batch, Segment, StoredFile, instant_of
from celadon.store.schema import ADDED
from celadon.store.stretch import Stretch

_SEGMENT = "id, kind, path, month, batch_min, batch_max, rows, bytes, sha256, damaged"


def int_list(numbers: Iterable[int]) -> str:
    """`1,2,3` for an IN list (none: nothing is in it); only whole numbers, so nothing can be smuggled in."""
    return ",".join(str(int(number)) for number in numbers) or "NULL"


def _segment(row: Sequence[Any]) -> Segment:
    number, kind, path, month, batch_min, batch_max, rows, size, sha256, damaged = row
    return Segment(number, kind, path, month, batch_min, batch_max, rows, size, sha256, bool(damaged))


class Catalogue:
    """One connection's view of the catalogue; the holder of the writer lock has one that writes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._points: dict[str, int] = {}
        """Those read so far: a point that is committed stays."""

    def close(self) -> None:
        self.database.close()

    # -- plain SQL -------------------------------------------------------------------------------------------

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of one query."""
        return self.database.rows(sql, values)

    def one(self, sql: str, *values: object) -> Any:
        """The first column of the first row, or None."""
        found = self.rows(sql, *values)
        return found[0][0] if found else None

    def run(self, sql: str, *values: object) -> None:
        """One statement."""
        self.database.rows(sql, values)

    def run_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """One statement for each row."""
        self.database.run_many(sql, rows)

    # -- transactions ----------------------------------------------------------------------------------------

    def begin(self) -> None:
        self.database.begin()

    def commit(self) -> None:
        """Durable when this returns."""
        self.database.commit()

    def rollback(self) -> None:
        """Forget the open transaction; nothing where there is none (its connection may be gone)."""
        self._points = {}  # some of them may have been given in it
        self.database.rollback()

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

    def horizon(self) -> int:
        """The first batch as of which everything can be told; before it, retention dropped what was replaced."""
        notes = self.rows("SELECT note FROM batch WHERE kind = ?", RETAIN)
        return max((int(note) for (note,) in notes), default=0)

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
        """Point ids by meter id, in their order."""
        last = next(reversed(self._points.values()), 0)
        self._points.update(self.rows("SELECT name, id FROM point WHERE id > ? ORDER BY id", last))
        return dict(self._points)

    def add_points(self, names: Iterable[str]) -> None:
        """Give an id to each name that has none."""
        following = self.next_id("point")
        for name in dict.fromkeys(names):
            if self.one("SELECT id FROM point WHERE name = ?", name) is None:
                self.run("INSERT INTO point VALUES (?, ?)", following, name)
                following += 1

    def complete(self) -> None:
        """Make the tables that an older catalogue lacks (the caller holds the writer lock)."""
        for name in ADDED:
            if not self.database.has(name):
                self.database.make(name)

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

    def add_runs(self, segment: int, text: str) -> None:
        """List the runs of a segment (see runs.py)."""
        self.run("INSERT INTO run VALUES (?, ?)", segment, text)

    def runs(self, ids: Collection[int]) -> dict[int, str]:
        """The runs of those of these segments that have them listed."""
        if not ids or not self.database.has("run"):
            return {}
        return dict(self.rows(f"SELECT segment, runs FROM run WHERE segment IN ({int_list(ids)})"))

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

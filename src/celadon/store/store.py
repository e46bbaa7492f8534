"""Store: facts at rest. Append-only, two clocks, one writer at a time, readers never wait.

A store is a folder and may be moved or copied as one:

    catalogue.sqlite            what there is (see catalogue.py)
    segments/<kind>/<month>/    immutable Parquet files (see segments.py)
    writing/                    lists of files that a living or killed writer has begun (see staging.py)
    lock                        held by the writer, released by the operating system when it dies
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from celadon.core.findings import Finding, FindingError
from celadon.core.periods import Period
from celadon.store import backup, faults, maintenance, segments, written
from celadon.store.catalogue import Catalogue, int_list
from celadon.store.database import Home
from celadon.store.files import Files
from celadon.store.kept import parts_of, still_at
from celadon.store.locking import Waiting
from celadon.store.pending import Clock, Pending, set_quarantine_status, system_clock
from celadon.store.rows import (
    LEDGER_COLUMNS,
    Batch,
    QuarantineRow,
    micros,
    month_start,
)
from celadon.store.segments import identifier
from celadon.store.snapshot import Snapshot
from celadon.store.staging import Staging, sweep
from celadon.store.told import Near, Told

GRACE = timedelta(hours=1)
"""How long the files that compaction replaced stay for readers that have them open."""


class Store:
    """One open store.

    Reading methods may be called while any process writes; a `Pending` belongs to one thread.
    """

    def __init__(self, path: Path, home: Home, files: Files, clock: Clock = system_clock) -> None:
        self.path = path
        self.files = files
        self._home = home
        self._clock = clock
        self._lock = home.lock()
        self._lock.check = self._still_there
        self._reader = Catalogue(home.open(writes=False))
        self._writer: Catalogue | None = None
        self._pending: Pending | None = None
        self._near = Near()

    @classmethod
    def create(
        cls,
        path: str | Path,
        clock: Clock = system_clock,
        catalogue: str | None = None,
        objects: str | None = None,
    ) -> Self:
        """A new, empty store in the folder `path` (FindingError `store.exists` when one is there)."""
        folder = Path(path).absolute()
        if _exists(folder, catalogue, objects):
            raise faults.exists(folder)
        return cls.open_or_create(folder, clock, catalogue, objects)

    @classmethod
    def open(
        cls,
        path: str | Path,
        clock: Clock = system_clock,
        catalogue: str | None = None,
        objects: str | None = None,
    ) -> Self:
        """The store in the folder `path`.

        `catalogue`: the address of its catalogue, `objects`: of its segments; None = as the store was made.
        FindingError `store.absent`, `store.not-a-store`, `store.newer-format`, `store.catalogue-damaged`,
        `store.catalogue-server`, `store.objects`, `store.kept-elsewhere`.
        """
        folder = Path(path).absolute()
        home, files = parts_of(folder, catalogue, objects, create=False)
        return cls(folder, home, files, clock)

    @classmethod
    def open_or_create(
        cls,
        path: str | Path,
        clock: Clock = system_clock,
        catalogue: str | None = None,
        objects: str | None = None,
    ) -> Self:
        """The store in the folder `path`, made where there is none; two processes may do it at once.

        `catalogue`: `postgresql://…` when several hosts write; `objects`: where segments are kept (`s3://…`), the folder
        is then their cache. None = as the store was made, else in the folder.
        """
        folder = Path(path).absolute()
        home, files = parts_of(folder, catalogue, objects, create=True)
        home.create()
        return cls(folder, home, files, clock)

    def close(self) -> None:
        """Close the connections; a pending batch is discarded."""
        if self._pending is not None:
            self._pending.discard()
        for catalogue in (self._writer, self._reader):
            if catalogue is not None:
                catalogue.close()
        self._writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- writing ---------------------------------------------------------------------------------------------

    @contextmanager
    def lock(self, *, wait: bool = True, waiting: Waiting | None = None) -> Iterator[None]:
        """Be the one writer; may be nested.

        `waiting` is called once with the holder's name when another writer must be waited for; with
        `wait=False` that is FindingError `store.locked` instead. Whoever takes the lock sweeps up after
        killed writers.
        """
        self._acquire(wait, waiting)
        try:
            yield
        finally:
            self._lock.release()

    def begin(
        self, kind: str, note: str = "", *, wait: bool = True, waiting: Waiting | None = None
    ) -> Pending:
        """Start a batch; the writer lock is taken (as `lock` does) and held until commit or discard.

        `kind` says what the batch is (load, replay, plant …), `note` is free text.
        """
        self._acquire(wait, waiting)
        try:
            if self._pending is not None:
                raise ValueError("a batch is being made already")
            writer = self._write()
            staging = Staging(self.files, writer)
            try:
                self._pending = Pending(writer, staging, kind, note, self._clock, self._close_pending)
            except BaseException:
                writer.rollback()
                raise
        except BaseException:
            self._lock.release()
            raise
        return self._pending

    def ensure_points(self, meter_ids: Iterable[str]) -> dict[str, int]:
        """The point id of each meter, given now where it had none.

        It stays for good, or with the pending batch if there is one.
        """
        wanted = list(dict.fromkeys(meter_ids))
        known = self.points()
        if not set(wanted) <= set(known):
            with self._transaction() as catalogue:
                catalogue.add_points(wanted)
                known = catalogue.points()
        return {name: known[name] for name in wanted}

    def resolve_quarantine(self, row_id: int, status: str) -> None:
        """Settle a quarantined row: replayed, dismissed or open again.

        `Pending.resolve_quarantine` does it together with a batch.
        """
        with self._transaction() as catalogue:
            set_quarantine_status(catalogue, row_id, status)

    def add_ledger(
        self,
        con: duckdb.DuckDBPyConnection,
        relation: str,
        *,
        snapshot: Snapshot,
        parts: Collection[tuple[int, int]],
        digests: Mapping[int, str],
    ) -> bool:
        """Keep derived ledger rows, so that they need not be derived again; True when something was stored.

        `relation` is a DuckDB table or view of ledger rows (`rows.LEDGER_COLUMNS`) derived from `snapshot`;
        `parts` are the (point, month) it holds completely, empty ones too; `digests` as for
        `Snapshot.ledger_parts`. Nothing changes for anybody but the speed of later reads, so it quietly
        does nothing while another process writes, when the disk is full, for a preview, for an incomplete
        snapshot (damaged segments), or beyond the months with readings.
        """
        if snapshot.is_preview or snapshot.findings or self._pending is not None:
            return False
        if not self._lock.try_acquire():
            return False
        try:
            return self._store_ledger(con, relation, snapshot, parts, digests)
        except FindingError as error:
            if {item.kind for item in error.findings} <= {faults.DISK_FULL, faults.NOT_WRITABLE, faults.BUSY}:
                return False
            raise
        finally:
            self._lock.release()

    def _store_ledger(
        self,
        con: duckdb.DuckDBPyConnection,
        relation: str,
        snapshot: Snapshot,
        parts: Collection[tuple[int, int]],
        digests: Mapping[int, str],
    ) -> bool:
        ranges = snapshot.stored_ranges({point for point, _ in parts})
        by_month: dict[int, list[int]] = {}
        for point, month in sorted(set(parts)):
            found = ranges.get(point)
            if found is not None and found[0] <= month <= found[1]:
                by_month.setdefault(month, []).append(point)
        with self._staged() as (catalogue, staging):
            for month, points in by_month.items():
                segment = _write_ledger(con, staging, relation, month, points, snapshot.upto)
                catalogue.run_many(
                    "INSERT INTO ledger_part (point, month, digest, upto, segment) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT DO NOTHING",
                    [(point, month, digests[point], snapshot.upto, segment) for point in points],
                )
        return bool(by_month)

    # -- reading ---------------------------------------------------------------------------------------------

    def _still_there(self) -> None:
        """FindingError `store.catalogue-moved` where another process moved the catalogue since this store was opened."""
        still_at(self.path, self._home.place)

    def snapshot(self, as_of: datetime | int | None = None, *, pending: Pending | None = None) -> Snapshot:
        """The facts as known at `as_of`: an instant with a zone, a batch id, or None for all committed.

        With `pending`, the batch being made is shown on top, so that a change can be seen before it is
        committed.
        """
        if pending is not None:
            if pending is not self._pending or as_of is not None:
                raise ValueError("a preview shows the open batch of this store, as of now")
            return Snapshot(self.files, self._write(), pending.batch_id, pending)
        self._still_there()
        last = self._reader.last_batch()
        if as_of is None:
            upto = last
        else:
            upto = min(as_of, last) if isinstance(as_of, int) else self._reader.batch_at(micros(as_of))
        return Snapshot(self.files, self._reader, upto, earlier=as_of is not None)

    def batches(self) -> list[Batch]:
        """Every committed batch, oldest first."""
        return self._reader.batches(self._reader.last_batch())

    def points(self) -> dict[str, int]:
        """Point ids by meter id."""
        return self._current().points()

    def has_file(self, source_id: str, sha256: str, mapping_digest: str, name: str | None = None) -> bool:
        """Was this content loaded with this mapping? With `name`: and nothing else of that name since."""
        return self._current().file_batch(source_id, sha256, mapping_digest, name) is not None

    def quarantine(self, status: str | None = "open") -> list[QuarantineRow]:
        """Rows that were kept out, with that status (None = all), oldest first."""
        where = "" if status is None else "WHERE status = ?"
        sql = (
            f"SELECT file, line, text, finding, sheet, id, batch, status FROM quarantine {where} ORDER BY id"
        )
        rows = self._current().rows(sql, *(() if status is None else (status,)))
        return [
            QuarantineRow(file, line, text, written.from_text(finding), sheet, number, batch, state)
            for file, line, text, finding, sheet, number, batch, state in rows
        ]

    def findings(self, batch: int | None = None, period: Period | None = None) -> list[Finding]:
        """What loading a batch (None = any) found, in the order found, saying what it said then.

        With `period`, those that name days far from it are left out: all of history need not be read.
        """
        where = "" if batch is None else "WHERE batch = ?"
        sql = f"SELECT json FROM finding {where} ORDER BY id"
        rows = self._current().rows(sql, *(() if batch is None else (batch,)))
        near = (
            text for (text,) in rows if period is None or written.may_concern(written.days_of(text), period)
        )
        return [written.from_text(text) for text in near]

    def told(self, period: Period, kinds: Collection[str] | None, omit: Collection[str] = ()) -> list[Told]:
        """What loading found that may concern `period`, of batches of these `kinds` (None = all but `omit`), in the order found."""
        near = self._near.of(self._current(), period, kept=self._pending is None)
        if kinds is None:
            return [told for told in near if told.kind not in omit]
        return [told for told in near if told.kind in kinds]

    # -- upkeep ----------------------------------------------------------------------------------------------

    def compact(
        self,
        progress: Callable[[int, int], None] | None = None,
        *,
        above: int = 1,
        grace: timedelta = GRACE,
    ) -> maintenance.Compacted:
        """Merge the segments of each month into one; every revision is kept, so earlier answers stay exact.

        Only months with more than `above` segments are merged: call it with a few dozen after many small batches,
        it costs nothing when there is nothing to do. Each month is one transaction: a kill loses nothing.
        `progress(done, total)` counts months. Replaced files go after `grace`, at a later lock.
        """
        with self.lock():
            if self._pending is not None:
                raise ValueError("a batch is being made")
            moment = micros(self._clock())
            steps = maintenance.steps(self._write(), above)
            total = maintenance.Compacted()
            if not steps and above > 1:
                return total
            for done, step in enumerate(steps):
                if progress is not None:
                    progress(done, len(steps))
                with self._staged() as (catalogue, staging):
                    total += step(self.path, catalogue, staging, moment)
            if progress is not None:
                progress(len(steps), len(steps))
            sweep(self.files, self._write(), moment - grace // timedelta(microseconds=1))
            total += maintenance.remove_strays(self.files, self._write())
        return total

    @contextmanager
    def rewriting(self) -> Iterator[tuple[Catalogue, Staging, int]]:
        """A transaction of upkeep that writes segments in the place of others, and now (microseconds)."""
        with self._staged() as (catalogue, staging):
            yield catalogue, staging, micros(self._clock())

    def verify(self, progress: Callable[[int, int], None] | None = None) -> list[Finding]:
        """Compare every segment with its digest and check the catalogue; the findings, errors only.

        Damaged segments are marked, so that answers leave them out and say so; restored ones count again.
        (While another process writes, it only reports.)
        """
        return self._verify(progress)[0]

    def back_up(
        self, folder: Path, beside: Mapping[str, bytes], progress: Callable[[int, int], None] | None = None
    ) -> backup.Copied:
        """Bring the backup in `folder` up to date, while any process reads and writes (see `backup.back_up`)."""
        return backup.back_up(self.files, self._reader, self.lock, folder, beside, progress)

    @property
    def catalogue(self) -> Catalogue:
        """What is committed, for upkeep; ask the other methods for facts."""
        return self._reader

    @contextmanager
    def if_idle(self) -> Iterator[bool]:
        """Keep writers out for a moment if none is at work (True); nothing is swept up."""
        taken = self._lock.try_acquire()
        try:
            yield taken
        finally:
            if taken:
                self._lock.release()

    def give_up_ledger(
        self, *, segments: Collection[int] = (), parts: Collection[tuple[int, int]] = ()
    ) -> None:
        """Forget stored ledger, by segment or by (point, month): it is derived again where it is asked for."""
        with self._transaction() as catalogue:
            if segments:
                catalogue.run(f"DELETE FROM ledger_part WHERE segment IN ({int_list(segments)})")
                catalogue.retire(segments, micros(self._clock()))
            catalogue.run_many("DELETE FROM ledger_part WHERE point = ? AND month = ?", sorted(parts))

    def _verify(
        self, progress: Callable[[int, int], None] | None
    ) -> tuple[list[Finding], list[tuple[int, int]]]:
        found, marks = maintenance.check(self.files, self._reader, progress)
        if marks and self._pending is None and self._lock.try_acquire():
            try:
                with self._transaction() as catalogue:
                    catalogue.run_many("UPDATE segment SET damaged = ? WHERE id = ?", marks)
            finally:
                self._lock.release()
        return found, marks

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Around queries over segments: where one fails because a segment is damaged, find which and say so.

        The segment is marked (as `verify` does), so that the same query, made again, answers from the rest.
        """
        try:
            yield
        except duckdb.OutOfMemoryException as error:
            with faults.as_findings(self.path):
                raise error
        except duckdb.InterruptException:  # somebody asked to stop
            raise
        except duckdb.Error as error:  # of a damaged file it raises errors of any class
            found, marks = self._verify(None)
            if not any(damaged for damaged, _ in marks):  # nothing that was not known: it is something else
                raise
            raise FindingError(found) from error

    # -- inside ----------------------------------------------------------------------------------------------

    def _acquire(self, wait: bool, waiting: Waiting | None) -> None:
        if self._lock.acquire(wait, waiting):
            self._first_locked()

    def _first_locked(self) -> None:
        try:
            with faults.as_findings(self.path):
                grace = GRACE // timedelta(microseconds=1)
                sweep(self.files, self._write(), micros(self._clock()) - grace)
        except BaseException:
            self._lock.release()
            raise

    def _write(self) -> Catalogue:
        if self._writer is None:
            self._writer = Catalogue(self._home.open(writes=True))
            self._writer.complete()
        return self._writer

    def _current(self) -> Catalogue:
        """Committed facts; while this store makes a batch, those of the batch too (its points, its files)."""
        return self._reader if self._pending is None else self._write()

    def _close_pending(self) -> None:
        self._pending = None
        self._lock.release()

    @contextmanager
    def _transaction(self) -> Iterator[Catalogue]:
        """A small change: its own transaction, or part of the pending batch."""
        with self.lock():
            catalogue = self._write()
            if self._pending is not None:
                yield catalogue
                return
            catalogue.begin()
            try:
                yield catalogue
                catalogue.commit()
            except BaseException:
                catalogue.rollback()
                raise

    @contextmanager
    def _staged(self) -> Iterator[tuple[Catalogue, Staging]]:
        """A transaction that writes segments but is no batch (ledger parts, compaction)."""
        with self.lock():
            catalogue = self._write()
            staging = Staging(self.files, catalogue)
            catalogue.begin()
            try:
                yield catalogue, staging
                catalogue.commit()
            except BaseException:
                catalogue.rollback()
                staging.abandon()
                raise
            staging.finish()


def _write_ledger(
    con: duckdb.DuckDBPyConnection, staging: Staging, relation: str, month: int, points: list[int], upto: int
) -> int:
    """Write one month of ledger rows; the segment's id, 0 when the month has none."""
    name = identifier(relation)
    start, end = (f"TIMESTAMP '{month_start(edge):%Y-%m-%d}'" for edge in (month, month + 1))
    where = f'WHERE "start" >= {start} AND "start" < {end} AND {segments.among(points)}'
    if not con.execute(f"SELECT 1 FROM {name} {where} LIMIT 1").fetchall():
        return 0
    select = f"SELECT {segments.typed(LEDGER_COLUMNS, {})} FROM {name} {where}"
    return staging.write(con, segments.LEDGER, select, month, (upto, upto)).id


def _exists(folder: Path, catalogue: str | None, objects: str | None) -> bool:
    try:
        return parts_of(folder, catalogue, objects, create=False)[0].exists()
    except FindingError as error:
        if [item.kind for item in error.findings] == [faults.ABSENT]:
            return False
        raise

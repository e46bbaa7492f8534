"""A catalogue in the store's folder: SQLite. WAL, so that readers and the writer never block each other, and
synchronous=FULL, so that what was acknowledged survives a power cut.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from celadon.core.text import Text
from celadon.store import faults, segments
from celadon.store.database import Row
from celadon.store.locking import FileLatch, WriterLock
from celadon.store.schema import FORMAT, INDEXES, KEYED, TABLES
from celadon.store.sqlite_copy import copy_of

NAME = "catalogue.sqlite"
_APPLICATION = 0x43454C41  # "CELA", in SQLite's header: tells our catalogue from other programs' databases
_BUSY_SECONDS = 10.0
_GONE = Text(
    "catalogue.sqlite is gone, though its segments are there", "catalogue.sqlite 已不存在，但其数据段仍在"
)


class SQLiteDatabase:
    """One connection to the catalogue of the store in `folder`."""

    def __init__(self, folder: Path, *, writes: bool) -> None:
        self._folder = folder
        try:
            self._connection = _connect(folder, writes)
        except sqlite3.Error as error:
            raise faults.of_catalogue(folder, error) from error

    def rows(self, sql: str, values: Sequence[object]) -> list[Row]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise faults.of_catalogue(self._folder, error) from error

    def run_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise faults.of_catalogue(self._folder, error) from error

    def begin(self) -> None:
        self.rows("BEGIN IMMEDIATE", ())

    def commit(self) -> None:
        self.rows("COMMIT", ())

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self.rows("ROLLBACK", ())

    def has(self, table: str) -> bool:
        return bool(self.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)))

    def make(self, table: str) -> None:
        self.rows(_definition(table), ())

    def fault(self) -> str | None:
        found = str(self.rows("PRAGMA integrity_check(1)", ())[0][0])
        return None if found == "ok" else found

    def copy_to(self, folder: Path) -> None:
        copy_of(self._connection, folder / NAME)

    def close(self) -> None:
        self._connection.close()


class SQLiteHome:
    """The folder of a store, with its catalogue in it."""

    def __init__(self, folder: Path) -> None:
        self.place = str(folder)
        self._folder = folder

    def exists(self) -> bool:
        if not (self._folder / NAME).exists() or self._begun():
            return False
        self.open(writes=False).close()
        return True

    def create(self) -> None:
        if (self._folder / NAME).exists() and not self._begun():
            return
        with faults.as_findings(self._folder):
            segments.make_folder(self._folder)
            lock = self.lock()
            lock.acquire()
            try:
                # made anew it would list nothing, and what is there would count as left behind
                if not (self._folder / NAME).exists() and any((self._folder / segments.FOLDER).glob("*/*/*")):
                    raise faults.catalogue_damaged(self._folder, _GONE)
                lay_out(self._folder / NAME)
                segments.force_folder(self._folder)
            finally:
                lock.release()

    def open(self, *, writes: bool) -> SQLiteDatabase:
        return SQLiteDatabase(self._folder, writes=writes)

    def lock(self) -> WriterLock:
        return WriterLock(self.place, FileLatch(self._folder))

    def _begun(self) -> bool:
        """A catalogue file without content: its creation was killed."""
        file = self._folder / NAME
        if not file.is_file():
            return False
        if file.stat().st_size == 0:
            return True
        connection = sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True)
        try:
            return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0)
        except sqlite3.Error:
            return False
        finally:
            connection.close()


def lay_out(path: Path) -> None:
    """Make the tables where there are none yet (the caller holds the writer lock)."""
    uri = f"{path.absolute().as_uri()}?mode=rwc"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_SECONDS)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            for name in TABLES:
                connection.execute(_definition(name))
            for index in INDEXES:
                connection.execute(f"CREATE INDEX {index}")
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("COMMIT")
    finally:
        connection.close()


def _definition(table: str) -> str:
    kept = " WITHOUT ROWID" if table in KEYED else ""
    return f"CREATE TABLE {table} ({TABLES[table]}){kept}"


def _connect(folder: Path, writes: bool) -> sqlite3.Connection:
    path = folder / NAME
    if not path.is_file():
        raise faults.absent(folder)
    base = path.absolute().as_uri()
    try:
        connection = _try(f"{base}?mode=rw", folder)
    except sqlite3.OperationalError as error:
        # a read-only disk: WAL needs a file that cannot be made, but no writer can disturb the catalogue
        wal = path.with_name(path.name + "-wal")
        held = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        if writes or held or (wal.exists() and wal.stat().st_size):
            raise
        connection = _try(f"{base}?mode=ro&immutable=1", folder)
    connection.execute("PRAGMA synchronous = FULL" if writes else "PRAGMA query_only = ON")
    return connection


def _try(uri: str, folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS
    )
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if application == _APPLICATION and found > FORMAT:
            raise faults.newer_format(folder, found, FORMAT)
        if application != _APPLICATION:
            empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
            raise faults.absent(folder) if empty else faults.not_a_store(folder)
    except BaseException:
        connection.close()
        raise
    return connection

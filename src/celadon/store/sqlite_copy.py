"""A catalogue in SQLite as one file that needs no log beside it: what a backup holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from celadon.store import faults


def copy_of(connection: sqlite3.Connection, target: Path) -> None:
    """Write what `connection` shows at this moment, committed batches only, into the new file `target`.

    In one step, so it is one snapshot; writers need not wait. FindingError where it cannot be read or written.
    """
    target.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(target)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None) or 0
        if (
            code & 0xFF == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_WRITE
        ):  # only the copy is written
            raise faults.disk_full(target.parent) from error
        raise faults.of_catalogue(target.parent, error) from error


def fill(catalogue: Path, tables: Iterable[tuple[str, Sequence[Sequence[object]]]]) -> None:
    """Put rows into the empty tables of the catalogue in the file `catalogue`."""
    try:
        with closing(sqlite3.connect(catalogue)) as copy:
            with copy:
                for table, rows in tables:
                    if rows:
                        marks = ", ".join("?" * len(rows[0]))
                        copy.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise faults.of_catalogue(catalogue.parent, error) from error


def writable_again(catalogue: Path) -> None:
    """Give a copied catalogue its write-ahead log, as a store needs it."""
    with closing(sqlite3.connect(catalogue)) as copy:
        copy.execute("PRAGMA journal_mode = WAL")

"""State: the console's own memory (people, sessions, tokens, audit), one SQLite file in `.celadon/` of the folder served.

Facts and results are never in here: they are in the stores of plants and regions. Every module that keeps something
says its tables in a constant `SCHEMA`; a page that does names its own `SCHEMA` in view.py and has it made at start.

    with state.writing() as con:      # one transaction; all or nothing, also when the process is killed
        con.execute("INSERT …", (…))
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class State:
    """The open file. Safe to use from several threads: one at a time has it."""

    def __init__(self, file: Path, schemas: Sequence[str] = ()) -> None:
        self.file = file
        self._turn = threading.RLock()
        self.signing_in = threading.Lock()
        """Sign-ins go one at a time: each takes 64 MB to hash, and guesses cannot race the count of failures."""
        self._con = sqlite3.connect(file, check_same_thread=False, isolation_level=None, timeout=30)
        self._con.row_factory = sqlite3.Row
        self._con.execute("PRAGMA journal_mode = WAL")
        self._con.execute("PRAGMA synchronous = FULL")
        self._con.execute("PRAGMA foreign_keys = ON")
        for schema in schemas:
            self._con.executescript(schema)

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """What a query finds."""
        with self._turn:
            return self._con.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row that a query finds, None without one."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end, rolled back when anything is raised."""
        with self._turn:
            self._con.execute("BEGIN IMMEDIATE")
            try:
                yield self._con
            except BaseException:
                self._con.execute("ROLLBACK")
                raise
            self._con.execute("COMMIT")

    def close(self) -> None:
        with self._turn:
            self._con.close()


def now() -> str:
    """The instant as the state keeps it: ISO 8601 in UTC, to the microsecond, so that texts sort like instants."""
    return stamp(datetime.now(UTC))


def stamp(moment: datetime) -> str:
    """An instant as the state keeps it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")

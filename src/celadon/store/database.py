"""What the catalogue needs of a database, whichever it lives in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from celadon.store.locking import WriterLock

Row = tuple[Any, ...]


class Database(Protocol):
    """One connection. SQL comes with `?` for values; failures of the database come out as FindingErrors."""

    def rows(self, sql: str, values: Sequence[object]) -> list[Row]:
        """One statement; all rows it gives (none for a change)."""

    def run_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """One statement for each row of values."""

    def begin(self) -> None:
        """Open a transaction for writing."""

    def commit(self) -> None:
        """Durable, and visible to everybody, when this returns."""

    def rollback(self) -> None:
        """Forget the open transaction, if there is one."""

    def has(self, table: str) -> bool:
        """Whether there is such a table."""

    def make(self, table: str) -> None:
        """Make one of the catalogue's tables (schema.py)."""

    def fault(self) -> str | None:
        """What an inspection of the database's own structures finds wrong first, in its words."""

    def copy_to(self, folder: Path) -> None:
        """Write the catalogue as committed at this moment into `folder`, as SQLite, whatever it lives in."""

    def close(self) -> None:
        """Let go of the connection."""


class Home(Protocol):
    """The place where the catalogue of one store lives."""

    place: str
    """What messages call it: the store's folder, or the server without any password."""

    def exists(self) -> bool:
        """Whether a catalogue is laid out there. FindingError where it is another program's or unreadable."""

    def create(self) -> None:
        """Lay out an empty catalogue where there is none; two processes may do it at once."""

    def open(self, *, writes: bool) -> Database:
        """A connection; the one that writes is for the holder of the writer lock, and there is only one.

        FindingError `store.absent`, `store.not-a-store`, `store.newer-format`, `store.catalogue-damaged`,
        `store.catalogue-server`.
        """

    def lock(self) -> WriterLock:
        """The one writer's lock."""

"""Region: the one object people hold. Every verb is a function in a module of its own; this hands them what they need."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from celadon.core.periods import Period, parse_period
from celadon.region import anomalies, loading, rejected
from celadon.region.opened import Opened, open_file
from celadon.region.view import View, view
from celadon.store import Store
from celadon.store.scratch import Scratch, connect

Moment = str | datetime | None
Progress = Callable[[float, str], None]


class Region:
    """An opened region. Reading verbs see what `load` has committed; close it, or use it in a `with`."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self._store: Store | None = None
        self._scratch: Scratch | None = None

    @property
    def store(self) -> Store:
        """The region's store (FindingError `store.absent` before the first load)."""
        if self._store is None:
            self._store = Store.open(self.opened.store_path)
        return self._store

    @cached_property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The connection that questions are answered on; it spills beside the store."""
        self._scratch = Scratch(self.opened.store_path)
        return connect(self._scratch.path)

    def close(self) -> None:
        """Let go of the store and the connection."""
        if self._store is not None:
            self._store.close()
            self._store = None
        if "con" in self.__dict__:
            self.con.close()
            del self.__dict__["con"]
        if self._scratch is not None:
            self._scratch.close()
            self._scratch = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def view(self, as_of: Moment = None) -> View:
        """What was known at `as_of` (an instant or date in the region's zone; None = now)."""
        return view(self.opened, self.store, as_of)

    def period(self, text: str) -> Period:
        """A period as the region's calendar has it."""
        return parse_period(text, self.opened.region.zone)

    # -- verbs -------------------------------------------------------------------------------------------------------

    def load(self, progress: Progress | None = None) -> loading.Loading:
        """Load the registry, quotas and facts that are not loaded yet."""
        return loading.load(self.opened, progress)

    def rejected(self, most: int = 1000) -> rejected.Rejected:
        """The rows that the loads kept out, oldest first, at most `most`."""
        return rejected.rejected(self.con, self.store, most)

    def screen(
        self, period: str, *, most: int = 100, as_of: Moment = None, progress: Progress | None = None
    ) -> anomalies.Screened:
        """Anomalous reports of `period`, the `most` strongest as findings with their evidence."""
        return anomalies.screened(self.con, self.view(as_of), self.period(period), most, progress)


def open_region(path: str | Path) -> Region:
    """Open the region file at `path` (a file, or a folder that holds region.yaml). Nothing is loaded or written.

    Raises:
        FindingError: nothing can be built from it.
    """
    return Region(open_file(path))

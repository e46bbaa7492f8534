"""Scratch folders and the database connections that spill into them.

A folder belongs to the process that holds the lock on its mark; the system frees that lock when the process dies,
however it dies, so the next process that needs a folder removes what killed ones left behind.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import weakref
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from celadon.store import faults
from celadon.store.locking import take

FOLDER = "scratch"
"""Where scratch folders stand inside a store."""
_NAME = "celadon-scratch-"
_MARK = "owner"


class Scratch:
    """A folder of this process, removed by `close`, at exit, or by the next process after a kill.

    It stands in `near` (a store's folder: work spills to the disk that has room for the data) where that can be
    written, else in the system's temporary folder.
    """

    def __init__(self, near: Path | None = None) -> None:
        parent = _parent(near)
        sweep_once(parent)
        self.path, handle = _make(parent)
        self._gone = weakref.finalize(self, _remove, self.path, handle)

    def close(self) -> None:
        """Remove the folder and what is in it."""
        self._gone()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def left_behind(parent: Path) -> list[Path]:
    """The scratch folders in `parent` whose processes are gone."""
    found = []
    for folder in _folders(parent):
        handle = _seize(folder)
        if handle is not None:
            os.close(handle)
            found.append(folder)
    return found


def sweep(parent: Path) -> int:
    """Remove the scratch folders in `parent` whose processes are gone; how many."""
    count = 0
    for folder in _folders(parent):
        handle = _seize(folder)
        if handle is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)
            if folder.exists():  # Windows removes no file that is open
                shutil.rmtree(folder, ignore_errors=True)
            count += 1
    return count


@cache
def sweep_once(parent: Path) -> int:
    """`sweep`, the first time this process needs a folder there."""
    return sweep(parent)


def connect(scratch: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A private in-memory database: UTC, no extensions, spilling into `scratch` (the system's temporary folder).

    Raises:
        FindingError: `system.memory-limit`, when the environment variable says no amount of memory.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    limit = os.environ.get(faults.MEMORY_VARIABLE, "").strip()
    con = duckdb.connect(":memory:", config=config)
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET preserve_insertion_order = false")
    con.execute(f"SET threads = {max(1, os.cpu_count() or 1)}")
    con.execute("SET temp_directory = $1", [str(scratch or tempfile.gettempdir())])
    if limit:
        try:
            con.execute("SET memory_limit = $1", [limit])
        except duckdb.Error as error:
            con.close()
            raise faults.memory_limit(limit) from error
    return con


def _parent(near: Path | None) -> Path:
    if near is not None and near.is_dir():
        try:
            (near / FOLDER).mkdir(exist_ok=True)
        except OSError:
            return Path(tempfile.gettempdir())
        if os.access(near / FOLDER, os.W_OK):
            return near / FOLDER
    return Path(tempfile.gettempdir())


def _make(parent: Path) -> tuple[Path, int]:
    while True:
        folder = parent / f"{_NAME}{secrets.token_hex(6)}"
        folder.mkdir(mode=0o700)
        handle = os.open(folder / _MARK, os.O_RDWR | os.O_CREAT, 0o600)
        # between these lines a sweeping process may have taken it for one left behind: then make another
        if take(handle, wait=False) and (folder / _MARK).exists():
            return folder, handle
        os.close(handle)


def _remove(folder: Path, handle: int) -> None:
    os.close(handle)
    shutil.rmtree(folder, ignore_errors=True)


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(item for item in parent.iterdir() if item.name.startswith(_NAME))
    except OSError:
        return []


def _seize(folder: Path) -> int | None:
    """The lock of a folder whose process is gone; None while it lives."""
    try:
        handle = os.open(folder / _MARK, os.O_RDWR)
    except OSError:  # another user's, or being made or removed at this moment
        return None
    if take(handle, wait=False):
        return handle
    os.close(handle)
    return None

"""Parquet segments: written once, sorted, zstd, forced to disk, known by their SHA-256."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from celadon.core.dataclass import dataclass

READINGS, RECORDS, LEDGER = "readings", "records", "ledger"
FOLDER = "segments"
_ROW_GROUP = 122_880
"""Rows per row group, a month of 40 quarter-hour points: one is found in 3 ms, 4.4 bytes a reading."""
_ORDER = {
    READINGS: "point, t, batch, file, line",
    RECORDS: "quantity, item, start, file, line",
    LEDGER: "point, start",
    "registry": "number",
    "facts": "enterprise",
    "replaced": "enterprise, batch",
    "quotas": "enterprise, year, quantity",
    "rejected": "file, line",
    "published": "batch",
}
"""Tables of a region may say more after a hyphen: `facts-<source>` is sorted as facts are."""


def literal(text: str) -> str:
    """`text` as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def parquet_list(paths: Iterable[Path]) -> str:
    """A read_parquet call over just these files: brackets, stars and quotes in a path are characters."""
    names = ", ".join(literal(_no_glob(str(path))) for path in paths)
    return f"read_parquet([{names}], hive_partitioning = false)"


def _no_glob(path: str) -> str:
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in path)


@dataclass(frozen=True, slots=True)
class Written:
    """A segment file that is on disk; `path` relative to the store."""

    path: str
    rows: int
    bytes: int
    sha256: str


def new_path(kind: str, folder: str, batch: int) -> str:
    """A path, relative to the store, that no other segment has."""
    return f"{FOLDER}/{kind}/{folder}/b{batch:08d}-{secrets.token_hex(4)}.parquet"


def write(con: duckdb.DuckDBPyConnection, kind: str, select: str, store: Path, path: str) -> Written:
    """Write the rows of `select`, sorted as segments of `kind` are, and force them to disk.

    Errors of disk and engine pass through; the caller removes what was begun.
    """
    target = store / path
    make_folder(target.parent)
    copied = con.execute(
        f"COPY (SELECT * FROM ({select}) ORDER BY {_ORDER[kind.split('-')[0]]}) TO {literal(str(target))} "
        "(FORMAT PARQUET, COMPRESSION ZSTD, PARQUET_VERSION V2, USE_TMP_FILE false, "
        f"ROW_GROUP_SIZE {_ROW_GROUP})"
    ).fetchone()
    digest, size = force_and_digest(target)
    force_folder(target.parent)
    return Written(path, copied[0] if copied else 0, size, digest)


def typed(columns: Mapping[str, str], given: Mapping[str, str]) -> str:
    """A select list with every column cast to its stored type; `given` overrides expressions by column."""
    parts = (
        f"{given.get(name, identifier(name))}::{kind} AS {identifier(name)}" for name, kind in columns.items()
    )
    return ", ".join(parts)


def empty(columns: Mapping[str, str]) -> str:
    """A query with these columns and no rows."""
    nulls = ", ".join(f"NULL::{kind} AS {identifier(name)}" for name, kind in columns.items())
    return f"SELECT {nulls} WHERE false"


def force_and_digest(path: Path) -> tuple[str, int]:
    """Force a file to disk; its SHA-256 and its size."""
    with path.open("r+b") as stream:
        os.fsync(stream.fileno())
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return digest, stream.seek(0, os.SEEK_END)


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def make_folder(folder: Path) -> None:
    """Make a folder and what is above it, each forced to disk where it was made."""
    if folder.is_dir():
        return
    if folder.exists():
        raise NotADirectoryError(errno.ENOTDIR, "a file has the name of the folder", str(folder))
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    force_folder(folder.parent)


def force_folder(folder: Path) -> None:
    """Force a folder's list of names to disk (Windows does that by itself)."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def among(points: list[int]) -> str:
    """The condition that picks these points (sorted); a closed range is tested faster than a list."""
    if points[-1] - points[0] == len(points) - 1:
        return f"point BETWEEN {int(points[0])} AND {int(points[-1])}"
    listed = ",".join(str(int(point)) for point in points)
    return f"point IN ({listed})"

"""Rows of a query as a file for the user: Parquet by its ending, else CSV; whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import duckdb

from celadon.store.segments import literal


def write_table(con: duckdb.DuckDBPyConnection, select: str, file: Path) -> int:
    """Write every row of `select` to `file`, replacing it when all of them are there; how many.

    Raises:
        OSError: the place cannot be written, or has no room; a file that was there before stays.
    """
    part = file.with_name(f".{file.name}.part")
    try:
        part.touch()
    except OSError as error:  # the folder is missing or closed
        raise OSError(error.errno, error.strerror, str(file)) from error
    kind = "FORMAT PARQUET, COMPRESSION ZSTD" if file.suffix == ".parquet" else "FORMAT CSV, HEADER"
    try:
        written = con.execute(f"COPY ({select}) TO {literal(str(part))} ({kind})").fetchone()
        os.replace(part, file)
    except duckdb.IOException as error:
        number = errno.ENOSPC if "No space left" in str(error) else errno.EIO
        raise OSError(number, os.strerror(number), str(file)) from error
    finally:
        part.unlink(missing_ok=True)
    return int(written[0]) if written else 0

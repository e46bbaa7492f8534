"""Where a query runs: on the embedded engine's connection, or on Spark. The text is one; only its dialect differs.

Facts are made by the embedded engine (a plant's ledger is derived where its store is) or stand in Parquet files already
(a region's monthly facts). From facts to answers everything is one statement, and that is what another engine runs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import duckdb

from celadon.engine.dialects import reads_only_parquet
from celadon.engine.pieces import text

Progress = Callable[[float, str], None]


class Backend(Protocol):
    """Runs statements written in the embedded engine's dialect."""

    def share(self, con: duckdb.DuckDBPyConnection, name: str) -> None:
        """Let statements see the table or view `name` of the embedded engine as it is now."""

    def define(self, name: str, sql: str) -> None:
        """Let statements see what a query over Parquet files gives, read where they are, as `name`."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of one statement: times as UTC without a zone, absent as None."""

    def close(self) -> None:
        """Let go of what it holds."""


class Embedded:
    """The connection that the facts are on."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con

    def share(self, con: duckdb.DuckDBPyConnection, name: str) -> None:
        if con is not self.con:
            raise ValueError(f"{name} is on another connection")

    def define(self, name: str, sql: str) -> None:
        self.con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {sql}")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.con.execute(sql).fetchall()

    def close(self) -> None:
        """The connection is its owner's."""


def parquet_query(con: duckdb.DuckDBPyConnection, name: str) -> str | None:
    """The query of a view that reads nothing but Parquet files; None for everything else."""
    found = con.execute("SELECT sql FROM duckdb_views() WHERE view_name = ?", [name]).fetchall()
    if not found:
        return None
    query = str(found[0][0]).partition(" AS ")[2].rstrip("; ")
    return query if reads_only_parquet(query) else None


def write_parquet(con: duckdb.DuckDBPyConnection, name: str, folder: Path) -> Path:
    """A table or view as one Parquet file in `folder`."""
    path = folder / f"{name}.parquet"
    con.execute(f"COPY (SELECT * FROM {name}) TO {text(str(path))} (FORMAT PARQUET, COMPRESSION ZSTD)")
    return path

"""Where a query runs: on the embedded engine's connection, or on Spark. The text is one; only its dialect differs.

Facts are made by the embedded engine (a plant's ledger is derived where its store is) or stand in Parquet files already
(a region's monthly facts). From facts to answers everything is one statement, and that is what another engine runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import duckdb

from celadon.engine.dialects import reads_only_parquet
from celadon.engine.pieces import text

Progress = Callable[[float, str], None]
_CHUNK = 50_000
"""Rows that are handed over to the embedded engine at once."""


class Backend(Protocol):
    """Runs statements written in the embedded engine's dialect."""

    def share(self, con: duckdb.DuckDBPyConnection, name: str) -> None:
        """Let statements see the table or view `name` of the embedded engine as it is now."""

    def define(self, name: str, sql: str) -> None:
        """Let statements see what a query over Parquet files gives, read where they are, as `name`."""

    def keep(self, name: str, sql: str) -> None:
        """Work out what a query gives once; statements see it as `name` until it is dropped or kept anew."""

    def drop(self, name: str) -> None:
        """Let go of what was kept as `name`, if anything was."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of one statement: times as UTC without a zone, absent as None."""

    def append(self, con: duckdb.DuckDBPyConnection, table: str, sql: str) -> None:
        """Add the rows of one statement to a table of the embedded engine, column by column in its order."""

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

    def keep(self, name: str, sql: str) -> None:
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")

    def drop(self, name: str) -> None:
        self.con.execute(f"DROP TABLE IF EXISTS {name}")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.con.execute(sql).fetchall()

    def append(self, con: duckdb.DuckDBPyConnection, table: str, sql: str) -> None:
        con.execute(f"INSERT INTO {table} {sql}")

    def close(self) -> None:
        """The connection is its owner's."""


def parquet_query(con: duckdb.DuckDBPyConnection, name: str) -> str | None:
    """The query of a view that reads nothing but Parquet files; None for everything else."""
    found = con.execute("SELECT sql FROM duckdb_views() WHERE view_name = ?", [name]).fetchall()
    if not found:
        return None
    query = str(found[0][0]).partition(" AS ")[2].rstrip("; ")
    return query if reads_only_parquet(query) else None


def append_rows(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows that another engine gave to a table, with the types of its columns."""
    kinds = [kind for _, kind, *_ in con.execute(f"DESCRIBE {table}").fetchall()]
    cells = ", ".join(f"unnest(?::{kind}[])" for kind in kinds)
    for first in range(0, len(rows), _CHUNK):
        part = [list(column) for column in zip(*rows[first : first + _CHUNK], strict=True)]
        con.execute(f"INSERT INTO {table} SELECT {cells}", part)


def write_parquet(con: duckdb.DuckDBPyConnection, name: str, folder: Path) -> Path:
    """A table or view as one Parquet file in `folder`."""
    path = folder / f"{name}.parquet"
    con.execute(f"COPY (SELECT * FROM {name}) TO {text(str(path))} (FORMAT PARQUET, COMPRESSION ZSTD)")
    return path

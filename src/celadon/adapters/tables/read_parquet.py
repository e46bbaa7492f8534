"""Parquet tables: typed columns become marked texts, so that every rule about rows and cells holds for them too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from celadon.adapters.tables.header import Header, plain
from celadon.adapters.tables.kinds import TABLE_UNREADABLE
from celadon.adapters.tables.numbers import TYPED_NUMBER, TYPED_TIME
from celadon.adapters.tables.sql import literal
from celadon.adapters.tables.table import Table, untyped
from celadon.adapters.tables.text import FIELD_MARK
from celadon.core.findings import FindingError, Place
from celadon.core.text import text_of

_NUMBERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "FLOAT",
    "DOUBLE",
)


def open_parquet(path: Path, shown: str) -> Table:
    """The table in a Parquet file; a row's line is its number from 1 (FindingError when it is damaged)."""
    columns = _schema(path, shown)
    header = Header(0, 1, (tuple(plain(name) for name, _ in columns),))
    return Table(
        path,
        shown,
        header,
        FIELD_MARK,
        list,
        typed=True,
        parquet=_query(path, columns),
        encoding="parquet",
        format="parquet",
    )


def parquet_sample(path: Path, shown: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Column names and the first rows as text."""
    columns = _schema(path, shown)
    with duckdb.connect() as con:
        rows = con.execute(f"SELECT f FROM ({_query(path, columns)}) LIMIT 5").fetchall()
    return tuple(name for name, _ in columns), tuple(
        tuple(untyped(cell or "") for cell in row[0]) for row in rows
    )


def _schema(path: Path, shown: str) -> list[tuple[str, str]]:
    try:
        with duckdb.connect() as con:
            rows = con.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(_exact(path))})").fetchall()
            con.execute(f"SELECT count(*) FROM read_parquet({literal(_exact(path))})").fetchone()
    except duckdb.Error as error:
        raise FindingError(
            TABLE_UNREADABLE.at(Place(shown), format="parquet", reason=text_of(error))
        ) from error
    return [(row[0], row[1]) for row in rows]


def _exact(path: Path) -> str:
    """The path with characters that the engine takes as wildcards made literal."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(path))


def _query(path: Path, columns: Sequence[tuple[str, str]]) -> str:
    cells = ", ".join(_cell(quoted_name(name), kind) for name, kind in columns)
    return (
        f"SELECT line, array_to_string(f, {literal(FIELD_MARK)}) AS x, f FROM (SELECT file_row_number + 1 AS line, [{cells}] AS f "
        f"FROM read_parquet({literal(_exact(path))}, file_row_number = true))"
    )


def quoted_name(column: str) -> str:
    """A column name as one identifier, dots and all."""
    return '"' + column.replace('"', '""') + '"'


def _cell(column: str, kind: str) -> str:
    if kind in _NUMBERS or kind.startswith("DECIMAL"):
        # As the column's own type prints it: ids stay whole, and a float32 is the number that was written into it.
        text = f"{literal(TYPED_NUMBER)} || {column}::VARCHAR"
    elif kind == "TIMESTAMP WITH TIME ZONE":
        text = f"{literal(TYPED_TIME)} || ({column} AT TIME ZONE 'UTC')::VARCHAR || 'Z'"
    elif kind.startswith("TIMESTAMP") or kind == "DATE":
        text = f"{literal(TYPED_TIME)} || {column}::TIMESTAMP::VARCHAR"
    else:
        text = f"{column}::VARCHAR"
    return f"coalesce({text}, '')"

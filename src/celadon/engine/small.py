"""A query over few facts, answered by SQLite: the text is one, which takes a sixth of the embedded engine's time.

What an account of one plant costs is planning, not running: twenty steps over some hundred facts. From thousands of facts
on the embedded engine is faster, and it is what answers where a query is beyond one of SQLite's limits (64 tables in a join).
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.facts import FACT_COLUMNS
from celadon.engine.dialects import in_sqlite as statement_in_sqlite
from celadon.engine.dialects import table_in_sqlite
from celadon.engine.planning import plain_planning
from celadon.engine.steps import Query

MOST = 5_000
"""Facts up to which copying them costs less than planning does."""
_SOUGHT_BY = ("quantity", "site")
_WORD = re.compile(r"\w+")
_TIMES = frozenset({"time_start", "time_end", "month"})


@dataclass(frozen=True)
class Statements:
    """A query in SQLite's words, which hold for any table of facts it is asked of."""

    facts: str
    """What the table is called in them."""
    quantities: tuple[str, ...]
    """Of which facts are read."""
    columns: tuple[str, ...]
    """What of them is read."""
    tables: tuple[str, ...]
    """A statement for each step."""
    last: str


def statements(query: Query, last: str) -> Statements:
    """The steps that the SELECTs `last` read, each made a table, and those SELECTs."""
    names = sorted({step.quantity for step in query.steps if step.kind == "fact"})
    tables = tuple(table_in_sqlite(step.name, step.sql, step.named) for step in query.needed(last))
    words = {*_SOUGHT_BY, *(word for table in tables for word in _WORD.findall(table))}
    columns = tuple(name for name in FACT_COLUMNS if name in words)
    return Statements(query.facts, tuple(names), columns, tables, statement_in_sqlite(last))


def answered(
    con: duckdb.DuckDBPyConnection, query: Query, last: str, known: Callable[[], Statements] | None = None
) -> list[tuple[Any, ...]]:
    """All rows of the SELECTs `last` over the query's steps; times in UTC without a zone, absent as None.

    `known` gives them in SQLite's words, where somebody keeps those."""
    if fits(query):
        try:
            return in_sqlite(con, query.facts, known() if known else statements(query, last))
        except sqlite3.OperationalError:
            pass  # beyond one of its limits; the embedded engine has none of them
    with plain_planning(con, query.size):
        return con.execute(query.chain(last)).fetchall()


def fits(query: Query) -> bool:
    """Whether a query is for SQLite."""
    return 0 < query.size <= MOST


def in_sqlite(con: duckdb.DuckDBPyConnection, facts: str, asked: Statements) -> list[tuple[Any, ...]]:
    """The rows of the last statement in SQLite, each step a table: over a copy of the table `facts`.

    Raises:
        sqlite3.OperationalError: it is beyond one of SQLite's limits.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as lite:
        for name, arguments, function in _FUNCTIONS:
            lite.create_function(name, arguments, function, deterministic=True)
        lite.execute("BEGIN")
        _copy(con, facts, lite, asked)
        for table in asked.tables:
            lite.execute(table)
        cursor = lite.execute(asked.last)
        times = [place for place, column in enumerate(cursor.description) if column[0] in _TIMES]
        return _with_times(cursor.fetchall(), times)


def _copy(con: duckdb.DuckDBPyConnection, facts: str, lite: sqlite3.Connection, asked: Statements) -> None:
    """The facts that the query reads; times as text, which sorts as they do."""
    cells = [
        f"strftime({name}, '%Y-%m-%d %H:%M:%S')" if FACT_COLUMNS[name] == "TIMESTAMP" else name
        for name in asked.columns
    ]
    sql = f"SELECT {', '.join(cells)} FROM {facts} WHERE list_contains($1::VARCHAR[], quantity)"
    found = con.execute(sql, [list(asked.quantities)]).fetchall()
    lite.execute(f"CREATE TABLE {asked.facts} ({', '.join(asked.columns)})")
    lite.executemany(f"INSERT INTO {asked.facts} VALUES ({', '.join('?' * len(asked.columns))})", found)
    lite.execute(f"CREATE INDEX by_quantity ON {asked.facts} ({', '.join(_SOUGHT_BY)})")


def _with_times(rows: list[tuple[Any, ...]], places: list[int]) -> list[tuple[Any, ...]]:
    """The rows with times for the texts in those places."""
    known: dict[str | None, datetime | None] = {None: None}
    found = []
    for row in rows:
        cells = list(row)
        for place in places:
            written = cells[place]
            if written not in known:
                known[written] = datetime.fromisoformat(written)
            cells[place] = known[written]
        found.append(tuple(cells))
    return found


def _least(*cells: Any) -> Any:
    return min((cell for cell in cells if cell is not None), default=None)


def _greatest(*cells: Any) -> Any:
    return max((cell for cell in cells if cell is not None), default=None)


def _rounded(value: float | None, digits: int) -> float | None:
    """As the embedded engine rounds: halves away from zero, of the number times a power of ten."""
    if value is None or not math.isfinite(value):
        return value
    scale = 10.0 ** abs(digits)
    moved = value * scale if digits >= 0 else value / scale
    if not math.isfinite(moved):
        return value
    whole = math.copysign(math.floor(abs(moved) + 0.5), moved) if abs(moved) < 2.0**52 else moved
    return whole / scale if digits >= 0 else whole * scale


def _ln(value: float | None) -> float | None:
    return None if value is None else math.log(value)


def _power(base: float | None, exponent: float | None) -> float | None:
    if base is None or exponent is None:
        return None
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf


_FUNCTIONS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ("least", -1, _least), ("greatest", -1, _greatest), ("round", 2, _rounded), ("ln", 1, _ln), ("power", 2, _power),
)  # fmt: skip
"""What the embedded engine computes otherwise than SQLite, or SQLite may be built without."""

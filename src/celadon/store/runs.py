"""The runs of a segment of readings (core/runs.py), found when it is written and listed in the catalogue beside it.

They are a function of the segment's rows, which never change: who has them need not read those rows to know that none is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from celadon.core.runs import RUN_COLUMNS, runs_sql
from celadon.store.catalogue import Catalogue
from celadon.store.rows import Segment
from celadon.store.segments import parquet_list

COLUMNS = {**RUN_COLUMNS, "top": "DOUBLE"}
"""`top`: the largest value of the point in the segment."""
_ORDER = "point, t, file, line, span, value, t1"
_FEW = 1_000
"""A segment of fewer readings has none listed: the late reading of a day is to cost little, and compaction lists those of its month."""
_WORTH = 16
"""Readings that there must be to one run of a point; where runs are shorter, reading is as quick as looking them up."""


def find(con: duckdb.DuckDBPyConnection, source: str, rows: int) -> str | None:
    """The runs of the FROM item `source`, a segment of that many rows, as one text: those of points for which it is worth it,
    a line for each of `COLUMNS`, instants in microseconds.

    None where there is no such point. Readings that are no amounts (`span` 0) have no runs.
    """
    if rows < _FEW:
        return None
    shown = {name: f"epoch_us({name})" if kind == "TIMESTAMP" else name for name, kind in COLUMNS.items()}
    lines = ", ".join(f"string_agg({word}::VARCHAR, ' ' ORDER BY {_ORDER})" for word in shown.values())
    amounts = f"SELECT * FROM {source} WHERE span > 0"
    found = con.execute(
        f"""WITH run AS MATERIALIZED ({runs_sql(amounts)}),
        whole AS (SELECT point, max(value) AS top, count(*) AS n FROM ({amounts}) GROUP BY point),
        worth AS (SELECT point, top FROM run JOIN whole USING (point) GROUP BY ALL HAVING any_value(n) >= {_WORTH} * count(*))
        SELECT count(*), concat_ws(chr(10), {lines}) FROM run JOIN worth USING (point)"""
    ).fetchall()
    count, text = found[0]
    return str(text) if count else None


def keep(con: duckdb.DuckDBPyConnection, catalogue: Catalogue, segment: Segment, store: Path) -> None:
    """List the runs of a segment just written to the folder `store`, in the open transaction."""
    text = find(con, parquet_list([store / segment.path]), segment.rows)
    if text is not None:
        catalogue.add_runs(segment.id, text)


def load(con: duckdb.DuckDBPyConnection, into: str, texts: Mapping[int, str]) -> None:
    """Make the temporary table `into` (`COLUMNS` and `segment`) of the runs listed of several segments."""
    words = {
        name: f"unnest(string_split(lines[{place}], ' ')::{'BIGINT' if kind == 'TIMESTAMP' else kind}[])"
        for place, (name, kind) in enumerate(COLUMNS.items(), 1)
    }
    named = ", ".join(f'{word} AS "{name}"' for name, word in words.items())
    columns = ", ".join(
        f'make_timestamp("{name}") AS "{name}"' if kind == "TIMESTAMP" else f'"{name}"'
        for name, kind in COLUMNS.items()
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {into} AS SELECT {columns}, segment FROM (SELECT {named}, segment FROM (
            SELECT string_split(unnest(?::VARCHAR[]), chr(10)) AS lines, unnest(?::INTEGER[]) AS segment))""",
        [list(texts.values()), list(texts)],
    )

"""On few rows planning a query costs more than running it: the optimiser's dearest steps are then left out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

FEW = 50_000
"""Fact rows up to which a plan is not worth polishing; a quarter of the time of a small plant's account."""
_DEAR = (
    "projection_pullup", "join_order", "common_subexpressions", "statistics_propagation", "common_subplan",
    "projection_placement", "column_lifetime", "duplicate_groups", "aggregate_reuse", "join_elimination",
    "in_clause",
)  # fmt: skip


@contextmanager
def plain_planning(con: duckdb.DuckDBPyConnection, facts: int) -> Iterator[None]:
    """Within it, queries over a few `facts` are planned plainly; the answers are the same."""
    if facts > FEW:
        yield
        return
    con.execute(f"SET disabled_optimizers = '{','.join(_DEAR)}'")
    try:
        yield
    finally:
        con.execute("SET disabled_optimizers = ''")

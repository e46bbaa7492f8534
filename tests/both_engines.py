"""Whatever a test asks a plant is asked of both engines: few facts are answered by SQLite, and the embedded engine must agree."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pytest

from celadon.engine import chain_rows, run, small
from celadon.engine.planning import plain_planning
from celadon.engine.steps import Query

Rows = list[tuple[Any, ...]]


@contextmanager
def both_engines() -> Iterator[None]:
    """Within it, answers of the two engines that differ by more than 1e-9 are a failure, and so is what SQLite cannot answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "answered", _answered)
        patch.setattr(chain_rows, "answered", _answered)
        yield


def _answered(
    con: duckdb.DuckDBPyConnection,
    query: Query,
    last: str,
    known: Callable[[], small.Statements] | None = None,
) -> Rows:
    if not small.fits(query):
        return small.answered(con, query, last)
    asked = known() if known else small.statements(query, last)
    found = small.in_sqlite(con, query.facts, asked)
    with plain_planning(con, query.size):
        _same(found, con.execute(query.chain(last)).fetchall())
    return found


def _same(ours: Rows, theirs: Rows) -> None:
    assert len(ours) == len(theirs)
    for mine, other in zip(sorted(ours, key=_order), sorted(theirs, key=_order), strict=True):
        for left, right in zip(mine, other, strict=True):
            if isinstance(left, float) and isinstance(right, float):
                assert math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12), (mine, other)
            else:
                assert (left, type(left)) == (right, type(right)), (mine, other)


def _order(row: tuple[Any, ...]) -> tuple[str, ...]:
    words = tuple("" if isinstance(cell, float) else str(cell) for cell in row)
    return (*words, *(f"{cell:.8e}" for cell in row if isinstance(cell, float)))

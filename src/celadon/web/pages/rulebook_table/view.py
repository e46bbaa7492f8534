"""One factor table of a rulebook as published: every row with its source, clause, dates and confidence."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from celadon.core.findings import FindingError
from celadon.core.findings import Place as Where
from celadon.core.text import Text
from celadon.rules.titles import noted, titled
from celadon.web.access import ANYONE
from celadon.web.asked import Asked
from celadon.web.page import Page, Table
from celadon.web.pages.rulebook.view import shipped
from celadon.web.problems import NOT_THERE

page = Page("/rulebooks/{rulebook}/tables/{table}", Text("Factor table", "因子表"), ANYONE)
AT_ONCE = 200


class FactorRows(BaseModel):
    """Rows `start` to `start + 200` of the table, as published (cells as text, empty = a known gap)."""

    rulebook: str
    table: str
    file: str
    columns: list[str]
    rows: list[list[str]]
    lines: list[int]
    start: int
    total: int
    titles: dict[str, str]
    """Sources, clauses and notes of these rows that have a Chinese form → that form."""


def view(
    asked: Asked,
    rulebook: str,
    table: str,
    start: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=5000)] = AT_ONCE,
) -> FactorRows:
    """A factor table of a shipped rulebook."""
    found = shipped(asked, rulebook).tables.get(table)
    if found is None:
        raise FindingError(NOT_THERE.at(Where(subject=asked.path), path=asked.path))
    shown = found.rows[start : start + limit]
    said = {words: titled(words).zh for row in shown for words in (row.source, row.clause)}
    said |= {row.note: noted(row.note).zh for row in shown if row.note}
    return FactorRows(
        rulebook=rulebook,
        table=table,
        file=f"{rulebook}/tables/{table}.csv",
        columns=list(found.columns),
        rows=[list(row.values) for row in shown],
        lines=[row.line for row in shown],
        start=start,
        total=len(found.rows),
        titles={words: name for words, name in sorted(said.items()) if name != words},
    )


def table(model: FactorRows) -> Table:
    """The rows shown; `?limit=5000` for all of the largest table."""
    return Table(
        ("line", *model.columns), [[line, *row] for line, row in zip(model.lines, model.rows, strict=True)]
    )

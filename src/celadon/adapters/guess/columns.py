"""The columns of an unknown table: their names, and what the cells of a good many rows look like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path

import duckdb

from celadon.adapters.tables.header import Header
from celadon.adapters.tables.numbers import TYPED_NUMBER, TYPED_TIME, NumberForm, parse_number
from celadon.adapters.tables.open_table import open_table
from celadon.adapters.tables.table import Table, untyped
from celadon.core.dataclass import dataclass
from celadon.core.model import Source
from celadon.store.scratch import Scratch, connect

ROWS = 20_000
"""So many rows from the top are looked at: half a year of quarter-hours, so that days and months tell themselves apart."""
_CELLS = 2_000
"""Cells by which a column is called one of numbers."""
MISSING = ("", "NA", "N/A", "null", "NULL", "-", "--")
POINT, COMMA = NumberForm(), NumberForm(",")
FORMS = (
    POINT,
    NumberForm(".", ","),
    COMMA,
    NumberForm(",", "."),
    NumberForm(".", " "),
    NumberForm(",", " "),
    NumberForm(".", "'"),
)


@dataclass(frozen=True)
class Column:
    """One column: its name as the source block would have it, and its cells (texts; blanks left out)."""

    index: int
    name: str
    unit: str | None
    cells: tuple[str, ...]
    typed: bool = False
    """A workbook's own numbers or dates."""
    timed: bool = False
    """A workbook's own dates."""

    @cached_property
    def given(self) -> list[str]:
        """Cells that are not blank and no usual word for nothing."""
        return [cell for cell in self.cells if cell not in MISSING]

    def numeric(self, form: NumberForm) -> float:
        """The share of given cells that are numbers in that form."""
        return share(self.given[:_CELLS], lambda cell: parse_number(cell, form) is not None)

    @cached_property
    def number_share(self) -> float:
        """The same in the form that fits best."""
        return max((self.numeric(form) for form in FORMS), default=0.0)

    @cached_property
    def words(self) -> Counter[str]:
        """Distinct texts and how often each is there."""
        return Counter(self.given)


@dataclass(frozen=True)
class Look:
    """A table looked at: its columns and where its header is."""

    table: Table
    header: Header
    columns: tuple[Column, ...]
    rows: int
    """Rows looked at."""

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


def share(cells: Sequence[str], test: object) -> float:
    """The share of cells that pass a test; 0 of none."""
    check = test if callable(test) else (lambda _: False)
    return sum(1 for cell in cells if check(cell)) / len(cells) if cells else 0.0


def look(path: Path, name: str, settings: Source) -> Look:
    """Read the top of a file (FindingError when it is no table)."""
    with Scratch() as scratch, connect(scratch.path) as con:
        table = open_table(path, name, settings, (), scratch.path)
        with closing(table):
            rows = _rows(con, table)
    names = table.header.names
    columns = []
    for index, title in enumerate(names):
        cells = [row[index] if index < len(row) else "" for row in rows]
        filled = [cell for cell in cells if cell]
        columns.append(
            Column(
                index,
                title,
                table.header.unit_of(index),
                tuple(re.sub(r"\s+", " ", untyped(cell)).strip() for cell in cells),
                bool(filled) and all(cell[0] in TYPED_NUMBER + TYPED_TIME for cell in filled),
                bool(filled) and share(filled, lambda cell: cell.startswith(TYPED_TIME)) > 0.9,
            )
        )
    return Look(table, table.header, tuple(columns), len(rows))


def _rows(con: duckdb.DuckDBPyConnection, table: Table) -> list[list[str]]:
    """The first rows of data, in their order."""
    for batch in table.batches(con):
        sql = f"SELECT f FROM {batch.query} WHERE line >= ? ORDER BY line LIMIT {ROWS}"
        found = con.execute(sql, [table.header.data_line]).fetchall()
        return [[cell or "" for cell in row[0]] for row in found if any(row[0])]
    return []

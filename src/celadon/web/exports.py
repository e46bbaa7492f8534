"""Exports: a page's table as CSV, Parquet or Arrow.

A column of numbers is a double, of whole numbers a 64-bit integer, of truth values a boolean, any other a text.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import nanoarrow
from nanoarrow.ipc import StreamWriter

from celadon.core.dataclass import dataclass
from celadon.web.page import Cell, Table

_ROWS_OF_BATCH = 65_536
"""Rows of a batch of Arrow: whoever reads the stream need hold no more at once."""


@dataclass(frozen=True)
class Export:
    """A form of a table: its media type, and what writes it."""

    media: str
    write: Callable[[Table], str | bytes]


def as_csv(table: Table) -> str:
    """A table as CSV with a header; absent is an empty cell. A text that a spreadsheet would take for a formula is quoted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([_plain(cell) for cell in row])
    return out.getvalue()


def as_arrow(table: Table) -> bytes:
    """A table as an Arrow IPC stream."""
    out = io.BytesIO()
    with StreamWriter.from_writable(out) as writer:  # type: ignore[no-untyped-call]  # the package's own
        for batch in _batches(table):
            writer.write_array(batch)
    return out.getvalue()


def as_parquet(table: Table) -> bytes:
    """A table as Parquet."""
    rows = nanoarrow.ArrayStream(nanoarrow.Array.from_chunks(_batches(table)))
    with duckdb.connect() as con, tempfile.TemporaryDirectory() as folder:
        con.register("rows", rows)
        file = Path(folder) / "table.parquet"
        name = str(file).replace("'", "''")
        con.execute(f"COPY (FROM rows) TO '{name}' (FORMAT parquet, COMPRESSION zstd)")
        return file.read_bytes()


EXPORTS: Mapping[str, Export] = {
    "csv": Export("text/csv; charset=utf-8", as_csv),
    "parquet": Export("application/vnd.apache.parquet", as_parquet),
    "arrow": Export("application/vnd.apache.arrow.stream", as_arrow),
}
"""By the end of the address."""


def _plain(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _batches(table: Table) -> Iterator[nanoarrow.Array]:
    """The rows in batches; a table without rows is one empty batch."""
    columns = [[row[at] for row in table.rows] for at in range(len(table.columns))]
    kinds = [_kind(cells) for cells in columns]
    schema = nanoarrow.struct(dict(zip(table.columns, kinds, strict=True)))
    for start in range(0, max(1, len(table.rows)), _ROWS_OF_BATCH):
        parts = [cells[start : start + _ROWS_OF_BATCH] for cells in columns]
        arrays = [
            nanoarrow.c_array(_texts(cells) if kind == _TEXT else cells, kind)
            for cells, kind in zip(parts, kinds, strict=True)
        ]
        size = len(parts[0])
        yield nanoarrow.Array(nanoarrow.c_array_from_buffers(schema, size, [None], children=arrays))


_TEXT = nanoarrow.string()


def _kind(cells: Sequence[Cell]) -> nanoarrow.Schema:
    there = [cell for cell in cells if cell is not None]
    if there and all(isinstance(cell, bool) for cell in there):
        return nanoarrow.bool_()
    if there and all(isinstance(cell, int) for cell in there):
        return nanoarrow.int64()
    return nanoarrow.float64() if there and all(isinstance(cell, int | float) for cell in there) else _TEXT


def _texts(cells: Sequence[Cell]) -> list[str | None]:
    return [None if cell is None else str(cell) for cell in cells]

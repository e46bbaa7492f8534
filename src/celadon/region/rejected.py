"""Rows that loads kept out: where they stood and why, to be corrected at their source."""

from __future__ import annotations

import csv
import io
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.store import Store
from celadon.store.segments import parquet_list

_COLUMNS = ("file", "line", "enterprise", "month", "code", "column", "text", "batch")


@dataclass(frozen=True)
class Rejected:
    """`count` rows in all; `rows` hold the oldest of them by `_COLUMNS`."""

    count: int
    rows: tuple[tuple[Any, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """Shape `region-quarantine/1`."""
        return {"count": self.count, "rows": [dict(zip(_COLUMNS, row, strict=True)) for row in self.rows]}

    def to_csv(self) -> str:
        """The rows with a header."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(self.rows)
        return out.getvalue()


def rejected(con: duckdb.DuckDBPyConnection, store: Store, most: int) -> Rejected:
    """The rows kept out of files whose last load kept them out: a file read anew, or replaced, no longer counts."""
    snapshot = store.snapshot()
    last = {(item.source_id, item.name): item for item in snapshot.files()}
    names = {item.id: item.name for item in last.values()}
    files = snapshot.tables("rejected")
    if not files or not names:
        return Rejected(0, ())
    listed = ", ".join(str(number) for number in sorted(names))
    scan = f"FROM {parquet_list(path for path, _ in files)} WHERE file IN ({listed})"
    [(count,)] = con.execute(f"SELECT count(*) {scan}").fetchall()
    found = con.execute(
        f'SELECT file, line, enterprise, month, code, "column", text, batch {scan} ORDER BY batch, file, line LIMIT {int(most)}'
    ).fetchall()
    return Rejected(count, tuple((names[row[0]], *row[1:]) for row in found))

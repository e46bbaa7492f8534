"""Rows in quarantine that a later version of their file has mended: they need not wait any longer.

An export that was corrected at its source and loaded again brings the good rows itself. A file that only rolls on (the
same name, last month's rows gone) does not, so a reading's row is settled only where the new version has that reading.
"""

from __future__ import annotations

import json

import duckdb

from celadon.adapters.tables.report import QuarantineRow as KeptOut
from celadon.plant.sources import InputFile
from celadon.store import Pending, Store


def settle_mended(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    pending: Pending,
    item: InputFile,
    file_id: int,
    table: str | None,
) -> int:
    """Dismiss what the file just read (rows in `table`) has mended, together with its batch; how many rows."""
    earlier = {
        file.id: file
        for file in store.snapshot(pending=pending).files()
        if (file.source_id, file.name) == (item.source.id, item.name) and file.id != file_id
    }
    settled = 0
    for row in store.quarantine("open") if earlier else ():
        file = earlier.get(row.file_id)
        if file is None:
            continue
        # Read anew with another mapping, or a table of records, which is always whole: what is still bad is back already.
        whole = item.source.role == "records" or file.sha256 == item.sha256
        if whole or (
            table is not None and _has_reading(con, store, table, KeptOut.from_json(json.loads(row.text)))
        ):
            pending.resolve_quarantine(row.id, "dismissed")
            settled += 1
    return settled


def _has_reading(con: duckdb.DuckDBPyConnection, store: Store, table: str, row: KeptOut) -> bool:
    point = store.points().get(row.meter or "")
    if point is None or row.t is None:
        return False
    moment = row.t.replace(tzinfo=None)
    found = con.execute(f"SELECT count(*) FROM {table} WHERE point = ? AND t = ?", [point, moment]).fetchall()
    return bool(found[0][0])

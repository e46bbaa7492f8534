"""Facts at rest: append-only segments and a transactional catalogue, two clocks, as-of reads.

store = Store.open_or_create("celadon-store")
with store.begin("load", "meters_2018.csv") as pending:
    points = store.ensure_points(["E01"])
    file_id = pending.add_file("meters_2018.csv", sha256, size, "meters", mapping_digest)
    pending.add_readings(con, "staged_readings")
    batch = pending.commit()
sql = store.snapshot().readings_sql([points["E01"]], period.start, period.end)
"""

from celadon.store.pending import Pending
from celadon.store.rows import (
    LEDGER_COLUMNS,
    READING_COLUMNS,
    RECORD_COLUMNS,
    Batch,
    LedgerPart,
    QuarantineRow,
    Segment,
    StoredFile,
    month_label,
    month_of,
    month_period,
    month_start,
)
from celadon.store.snapshot import LedgerParts, Snapshot
from celadon.store.store import Store

__all__ = [
    "LEDGER_COLUMNS",
    "READING_COLUMNS",
    "RECORD_COLUMNS",
    "Batch",
    "LedgerPart",
    "LedgerParts",
    "Pending",
    "QuarantineRow",
    "Segment",
    "Snapshot",
    "Store",
    "StoredFile",
    "month_label",
    "month_of",
    "month_period",
    "month_start",
]

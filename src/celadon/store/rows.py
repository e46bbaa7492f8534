"""What the catalogue's rows are, and how months are counted.

Instants in the catalogue are whole microseconds since 1970 in UTC. A month is one integer, year × 12 +
month − 1, always of UTC, so that months add and compare.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding
from celadon.core.periods import Period

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

READING_COLUMNS: dict[str, str] = {
    "point": "INTEGER",
    "t": "TIMESTAMP",
    "span": "INTEGER",
    "value": "DOUBLE",
    "file": "INTEGER",
    "line": "INTEGER",
    "batch": "INTEGER",
}
RECORD_COLUMNS: dict[str, str] = {
    "quantity": "VARCHAR",
    "item": "VARCHAR",
    "purpose": "VARCHAR",
    "site": "VARCHAR",
    "process": "VARCHAR",
    "start": "TIMESTAMP",
    "end": "TIMESTAMP",
    "value": "DOUBLE",
    "unit": "VARCHAR",
    "weight": "DOUBLE",
    "weight_unit": "VARCHAR",
    "note": "VARCHAR",
    "file": "INTEGER",
    "line": "INTEGER",
    "batch": "INTEGER",
}
LEDGER_COLUMNS: dict[str, str] = {
    "point": "INTEGER",
    "start": "TIMESTAMP",
    "amount": "BIGINT",
    "low": "BIGINT",
    "high": "BIGINT",
    "estimated": "BIGINT",
    "covered": "INTEGER",
    "n": "INTEGER",
}
RETAIN = "retain"
"""Kind of the batch that says what retention dropped; its note is the first batch as of which all can be told still."""
DECISION = "decision"
"""Kind of a batch that holds no facts: what somebody decided about a finding; its note is the decision as JSON."""
RECORD_KEY = ("quantity", "item", "purpose", "site", "process", "start", "end", "note")
"""A later batch's record with the same key corrects the earlier one."""


def micros(instant: datetime) -> int:
    """Microseconds since 1970 (ValueError when `instant` has no zone)."""
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a zone: {instant!r}")
    return (instant - _EPOCH) // _MICROSECOND


def instant_of(count: int) -> datetime:
    """The UTC instant `count` microseconds after 1970."""
    return _EPOCH + count * _MICROSECOND


def month_of(instant: datetime) -> int:
    """The UTC month that holds `instant` (an instant on the edge belongs to the month it opens)."""
    utc = instant.astimezone(UTC)
    return utc.year * 12 + utc.month - 1


def month_start(month: int) -> datetime:
    """The first instant of `month`, UTC."""
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def month_period(month: int) -> Period:
    """The whole of `month`, UTC."""
    return Period(month_start(month), month_start(month + 1))


def month_label(month: int) -> str:
    """`2018-03`."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


@dataclass(frozen=True, slots=True)
class Batch:
    """What was committed together; `recorded_at` (UTC) strictly increases with `id`."""

    id: int
    recorded_at: datetime
    kind: str
    note: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A source file that was loaded; readings and records name it by `id`."""

    id: int
    batch: int
    source_id: str
    name: str
    sha256: str
    bytes: int
    mapping_digest: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One immutable Parquet file; `path` is relative to the store, `month` None for records."""

    id: int
    kind: str
    path: str
    month: int | None
    batch_min: int
    batch_max: int
    rows: int
    bytes: int
    sha256: str
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class LedgerPart:
    """One stored (point, month) of the ledger and the segment (absolute path) that holds its rows."""

    point: int
    month: int
    path: str


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A row that was kept out: where it stands, its text as read, and why.

    `status`: open, replayed or dismissed.
    """

    file_id: int
    line: int | None
    text: str
    finding: Finding
    sheet: str | None = None
    id: int = 0
    batch: int = 0
    status: str = "open"


QUARANTINE_STATUSES = ("open", "replayed", "dismissed")

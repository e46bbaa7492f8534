"""Small stores for the tests of the store."""

import os
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import duckdb

from celadon.core.findings import Finding, FindingError
from celadon.store import Batch, Pending, Snapshot, Store

Row = tuple[int, datetime, float, int, int]  # point, t, value, file, line
EVER = (datetime(1990, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


@cache
def connection() -> duckdb.DuckDBPyConnection:
    """One connection for all tests of this process: opening one costs more than most queries."""
    con = duckdb.connect()
    con.execute("SET threads = 1")
    return con


def add(pending: Pending, rows: Iterable[Row], reach: int = 1) -> int:
    """Stage these readings."""
    con = connection()
    con.execute(
        "CREATE OR REPLACE TABLE staged (point INTEGER, t TIMESTAMP, span INTEGER, value DOUBLE, file INTEGER, line INTEGER)"
    )
    values = [(point, naive(t), 0, value, file, line) for point, t, value, file, line in rows]
    if values:
        con.execute(
            f"INSERT INTO staged SELECT {', '.join(['unnest(?)'] * 6)}",
            [list(column) for column in zip(*values, strict=True)],
        )
    return pending.add_readings(con, "staged", reach)


def with_points(store: Store, count: int = 5) -> Store:
    """The store with points 1, 2, 3 … = P1, P2, P3 …."""
    store.ensure_points([f"P{number}" for number in range(1, count + 1)])
    return store


def load(store: Store, rows: Iterable[Row]) -> Batch:
    """Commit these readings as one batch."""
    with store.begin("load") as pending:
        add(pending, rows)
        return pending.commit()


def read(
    snapshot: Snapshot,
    points: list[int] | None = None,
    start: datetime = EVER[0],
    end: datetime = EVER[1],
    neighbours: int = 0,
) -> list[tuple[int, datetime, float, int]]:
    """(point, t, value, batch) of what the snapshot shows, sorted."""
    sql = snapshot.readings_sql(points, start, end, neighbours)
    found = connection().execute(f"SELECT point, t, value, batch FROM ({sql}) ORDER BY ALL").fetchall()
    return [(point, t.replace(tzinfo=UTC), value, batch) for point, t, value, batch in found]


def size_of(store: Path) -> int:
    return sum(file.stat().st_size for file in store.rglob("*") if file.is_file())


def segment_files(store: Path) -> set[str]:
    return {file.relative_to(store).as_posix() for file in (store / "segments").rglob("*.parquet")}


def only(error: FindingError) -> Finding:
    """The one finding an error carries, checked to read well in both languages."""
    assert len(error.findings) == 1
    finding = error.findings[0]
    assert_readable(finding)
    return finding


def assert_readable(finding: Finding) -> None:
    """Both languages are there, filled in, and differ."""
    for text in (finding.says, finding.fix):
        assert text("en").strip()
        assert text("zh").strip()
        assert text("en") != text("zh")
        assert "{" not in text("en") + text("zh")


def quick_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory where there is one: property tests commit hundreds of times."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None)


class Clock:
    """A clock the test sets."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

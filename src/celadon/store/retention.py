"""Retention: dropping readings that a later version of their own file replaced long ago.

What may go is narrow on purpose. A reading goes when a later batch of the same source, file name and mapping said the same
point and instant again, at or before the horizon. So every answer as of the horizon or later stays what it is; what one file
said last stays even where another file corrected it, since a file that has grown is compared with it when it is loaded again.
Answers as of earlier are refused from then on. Records, plants, findings and quarantine are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import duckdb

from celadon.core.dataclass import dataclass
from celadon.store.catalogue import Catalogue
from celadon.store.files import Files
from celadon.store.maintenance import merge_readings, replace_readings
from celadon.store.rows import READING_COLUMNS, Segment, StoredFile
from celadon.store.segments import parquet_list
from celadon.store.staging import Staging

_LINEAGE = "celadon_store_lineage"


@dataclass(frozen=True, slots=True)
class Replaced:
    """Readings of one UTC month that may go, by point."""

    month: int
    by_point: dict[int, int]

    @property
    def readings(self) -> int:
        return sum(self.by_point.values())


def months(files: Files, catalogue: Catalogue, horizon: int) -> Iterator[tuple[int, list[Segment]]]:
    """Months in which a reading may have been replaced by the horizon: those with more than one batch, all sound."""
    found: dict[int, list[Segment]] = {}
    for segment in catalogue.segments("kind = 'readings'"):
        if segment.month is not None:
            found.setdefault(segment.month, []).append(segment)
    for month, parts in sorted(found.items()):
        first, last = min(item.batch_min for item in parts), max(item.batch_max for item in parts)
        if first < min(last, horizon) and not any(files.fault(item) for item in parts):
            yield month, parts


def declare(con: duckdb.DuckDBPyConnection, files: Iterable[StoredFile], gone: Collection[int]) -> None:
    """Tell the connection which files are versions of one another, and which do not count any more (`gone`)."""
    lineages: dict[tuple[str, str, str], int] = {}
    rows = [
        (file.id, lineages.setdefault((file.source_id, file.name, file.mapping_digest), len(lineages)))
        for file in files
        if file.id not in gone
    ]
    con.execute(f"CREATE OR REPLACE TEMP TABLE {_LINEAGE} (file INTEGER, lineage INTEGER)")
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        con.execute(f"INSERT INTO {_LINEAGE} SELECT unnest($1), unnest($2)", columns)


def marked(source: str, horizon: int) -> str:
    """A query for the readings of `source` (a FROM item) with `replaced`: whether it may go. After `declare`."""
    columns = ", ".join(f"r.{name}" for name in READING_COLUMNS)
    last = f"max(batch) FILTER (batch <= {int(horizon)}) OVER (PARTITION BY point, t, span, lineage)"
    return (
        f"SELECT {', '.join(READING_COLUMNS)}, lineage IS NOT NULL AND batch < coalesce({last}, 0) AS replaced "
        f"FROM (SELECT {columns}, g.lineage FROM {source} r LEFT JOIN {_LINEAGE} g ON g.file = r.file)"
    )


def replaced_in(
    con: duckdb.DuckDBPyConnection, store: Path, month: int, parts: Iterable[Segment], horizon: int
) -> Replaced:
    """How many readings of each point may go in a month (after `declare`)."""
    source = parquet_list(store / item.path for item in parts)
    rows = con.execute(
        f"SELECT point, count(*) FROM ({marked(source, horizon)}) WHERE replaced GROUP BY point ORDER BY point"
    )
    return Replaced(month, dict(rows.fetchall()))


def drop(
    con: duckdb.DuckDBPyConnection,
    store: Path,
    catalogue: Catalogue,
    staging: Staging,
    parts: list[Segment],
    found: Replaced,
    horizon: int,
    moment: int,
) -> None:
    """Write the month's segment anew without what may go of the points in `found`, in the open transaction."""
    points = ", ".join(str(int(point)) for point in found.by_point)
    source = f"FROM ({marked(parquet_list(store / item.path for item in parts), horizon)})"
    source += f" WHERE NOT (replaced AND point IN ({points}))"
    merge_readings(con, store, catalogue, staging, found.month, parts, source=source, dropped=found.readings)
    replace_readings(catalogue, found.month, parts, moment)

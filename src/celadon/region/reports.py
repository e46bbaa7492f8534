"""One sender's reports as a query over the segments of the months: of each enterprise and month the latest batch's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import duckdb

from celadon.core.dataclass import dataclass
from celadon.region.model import FactSource
from celadon.region.tables_in import identifier
from celadon.store import Segment, Snapshot
from celadon.store.segments import literal, parquet_list

LIVE, REPLACED = "facts-", "replaced-"
"""Kinds of segments: reports that count, and (after compaction) those that later batches replaced."""


@dataclass(frozen=True, slots=True)
class _Scan:
    """One segment: its last batch, its file, the columns it was written with, and those that the region file names now."""

    batch: int
    path: Path
    written: frozenset[str]
    columns: str

    @property
    def rows(self) -> str:
        return parquet_list([self.path])

    def select(self, *conditions: str) -> str:
        where = " AND ".join(condition for condition in conditions if condition)
        return f"SELECT {self.columns} FROM {self.rows}{f' WHERE {where}' if where else ''}"


def source_sql(snapshot: Snapshot, source: FactSource, months: Collection[int], only: str = "") -> str | None:
    """One sender's reports of `months`, with file, line and batch; None where there are none.

    `only`: a condition on `enterprise`. A value that a segment was written without is absent there."""
    by_month = _scans(snapshot.tables(f"{LIVE}{source.id}"), source, months)
    selects = _among_later(snapshot, source, months, by_month, only) if snapshot.earlier else []
    alone = [scans.pop() for scans in by_month.values() if len(scans) == 1]
    selects.extend(_together(alone, only))
    for scans in by_month.values():
        ordered = sorted(scans, key=lambda scan: scan.batch)
        for index, scan in enumerate(ordered):
            later = " UNION ALL ".join(
                f"SELECT enterprise FROM {other.rows}" for other in ordered[index + 1 :]
            )
            selects.append(scan.select(only, f"enterprise NOT IN ({later})" if later else ""))
    return " UNION ALL ".join(selects) if selects else None


def _together(scans: Iterable[_Scan], only: str) -> Iterator[str]:
    """Segments that nothing corrects, those with the same columns as one scan: another engine looks into files scan by scan."""
    alike: dict[frozenset[str], list[_Scan]] = {}
    for scan in scans:
        alike.setdefault(scan.written, []).append(scan)
    for group in alike.values():
        where = f" WHERE {only}" if only else ""
        yield f"SELECT {group[0].columns} FROM {parquet_list(scan.path for scan in group)}{where}"


def _among_later(
    snapshot: Snapshot,
    source: FactSource,
    months: Collection[int],
    by_month: dict[int, list[_Scan]],
    only: str,
) -> list[str]:
    """The months whose compaction took in batches later than the snapshot; `by_month` loses them."""
    selects = []
    replaced = _scans(snapshot.tables(f"{REPLACED}{source.id}"), source, months)
    for month in sorted({*by_month, *replaced}):
        scans = by_month.get(month, [])
        if scans and all(scan.batch <= snapshot.upto for scan in scans):
            continue
        known = f"batch <= {snapshot.upto}"
        every = [scan.select(known, only) for scan in (*by_month.pop(month, ()), *replaced.get(month, ()))]
        latest = "batch = max(batch) OVER (PARTITION BY enterprise)"
        selects.append(f"SELECT * FROM ({' UNION ALL '.join(every)}) AS known QUALIFY {latest}")
    return selects


def _scans(
    found: Iterable[tuple[Path, Segment]], source: FactSource, months: Collection[int]
) -> dict[int, list[_Scan]]:
    wanted = [(path, item) for path, item in found if item.month is not None and item.month in months]
    written = _columns(tuple(str(path) for path, _ in wanted))
    by_month: dict[int, list[_Scan]] = {}
    for path, segment in wanted:
        names = (
            identifier(value.name)
            if value.name in written[str(path)]
            else f"NULL::DOUBLE AS {identifier(value.name)}"
            for value in source.values
        )
        columns = f"enterprise, month, {', '.join(names)}, file, line, batch"
        by_month.setdefault(segment.month or 0, []).append(
            _Scan(segment.batch_max, path, written[str(path)], columns)
        )
    return by_month


@lru_cache(maxsize=64)
def _columns(paths: tuple[str, ...]) -> Mapping[str, frozenset[str]]:
    """The columns of each segment; their files never change, so they are looked at once."""
    if not paths:
        return {}
    listed = ", ".join(
        literal("".join(f"[{sign}]" if sign in "*?[" else sign for sign in path)) for path in paths
    )
    with duckdb.connect() as con:
        rows = con.execute(
            f"SELECT file_name, list(name) FROM parquet_schema([{listed}]) GROUP BY file_name"
        ).fetchall()
    return {str(path): frozenset(names) for path, names in rows}

"""Upkeep of a store: merge small segments, drop stale ledger parts, compare segments with their digests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, Place
from celadon.store import choose, faults, runs, segments, stretch
from celadon.store.catalogue import Catalogue, int_list
from celadon.store.files import Files
from celadon.store.rows import LEDGER_COLUMNS, READING_COLUMNS, Segment
from celadon.store.scratch import Scratch, connect
from celadon.store.segments import parquet_list
from celadon.store.snapshot import damage
from celadon.store.staging import Staging


@dataclass(frozen=True, slots=True)
class Compacted:
    """What compaction did: files merged into how many, and stray files removed."""

    merged: int = 0
    made: int = 0
    strays: int = 0

    def __add__(self, other: Compacted) -> Compacted:
        return Compacted(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))


Step = Callable[[Path, Catalogue, Staging, int], Compacted]


def steps(catalogue: Catalogue, above: int) -> list[Step]:
    """One step for each month whose readings or ledger lie in more than `above` segments."""
    live = "FROM segment WHERE kind = ? AND retired_at IS NULL"
    sql = f"SELECT month {live} GROUP BY month HAVING count(*) > ? ORDER BY month"
    readings = [_readings_step(row[0]) for row in catalogue.rows(sql, segments.READINGS, max(above, 1))]
    # one segment of ledger may hold parts that are stale, so a full compaction looks at every month
    ledger = catalogue.rows(sql, segments.LEDGER, 0 if above <= 1 else above)
    return readings + [_ledger_step(row[0]) for row in ledger]


def _readings_step(month: int) -> Step:
    def step(store: Path, catalogue: Catalogue, staging: Staging, moment: int) -> Compacted:
        found = catalogue.segments("kind = 'readings' AND month = ?", month)
        # what is damaged stays as it is: merging would hide it
        sound = [item for item in found if staging.files.fault(item, segments.digest_of) is None]
        if len(sound) < 2:
            return Compacted()
        with Scratch(store) as scratch, connect(scratch.path) as con:
            merge_readings(con, store, catalogue, staging, month, sound)
        replace_readings(catalogue, month, sound, moment)
        return Compacted(len(sound), 1)

    return step


def _ledger_step(month: int) -> Step:
    def step(store: Path, catalogue: Catalogue, staging: Staging, moment: int) -> Compacted:
        _drop_stale_parts(catalogue, month)
        found = catalogue.segments("kind = 'ledger' AND month = ?", month)
        used = {
            row[0]
            for row in catalogue.rows("SELECT DISTINCT segment FROM ledger_part WHERE month = ?", month)
        }
        sound = [item for item in found if staging.files.fault(item, segments.digest_of) is None]
        lost = {item.id for item in found} - {item.id for item in sound}
        if lost:  # an accelerator: what is damaged is derived again
            catalogue.run(f"DELETE FROM ledger_part WHERE segment IN ({int_list(lost)})")
        needed = [item for item in sound if item.id in used]
        gone = [item for item in found if item not in needed]
        made = 0
        if len(needed) > 1:
            merged = _merge_ledger(store, catalogue, staging, needed)
            ids = int_list(item.id for item in needed)
            catalogue.run(f"UPDATE ledger_part SET segment = ? WHERE segment IN ({ids})", merged.id)
            gone, made = found, 1
        catalogue.retire([item.id for item in gone], moment)
        return Compacted(len(gone), made)

    return step


def merge_readings(
    con: duckdb.DuckDBPyConnection,
    store: Path,
    catalogue: Catalogue,
    staging: Staging,
    month: int,
    parts: list[Segment],
    *,
    source: str | None = None,
    dropped: int = 0,
) -> None:
    """One segment with all rows of `parts` (or those of the query `source`, `dropped` fewer), in their place.

    What it proves is proved anew.
    """
    source = source or f"FROM {parquet_list(store / item.path for item in parts)}"
    select = f"SELECT {segments.typed(READING_COLUMNS, {})} FROM ({source})"
    merged = staging.write(con, segments.READINGS, select, month, _batches(parts))
    measured = stretch.measure(con, parquet_list([store / merged.path]))
    wanted = sum(item.rows for item in parts) - dropped
    if merged.rows != wanted or sum(row[2] for row in measured) != wanted:
        raise AssertionError(f"merging lost rows: {merged.rows} of {wanted}")
    catalogue.run(
        f"DELETE FROM span WHERE month = ? AND segment IN ({int_list(item.id for item in parts)})", month
    )
    catalogue.add_spans(month, merged, [(point, found) for point, _, _, found in measured])
    runs.keep(con, catalogue, merged, store)
    choose.extend(catalogue, {point: [(month, found)] for point, _, _, found in measured})


def replace_readings(catalogue: Catalogue, month: int, parts: list[Segment], moment: int) -> None:
    """Take merged segments out of answers."""
    catalogue.retire([item.id for item in parts], moment)
    _join_touched(catalogue, month)


def _batches(parts: list[Segment]) -> tuple[int, int]:
    return min(item.batch_min for item in parts), max(item.batch_max for item in parts)


def _join_touched(catalogue: Catalogue, month: int) -> None:
    """One row per point for all batches so far: parts of earlier as-of times are derived, never wrong."""
    rows = catalogue.rows(
        "SELECT point, min(batch_min), max(batch_max) FROM touched WHERE month = ? "
        "GROUP BY point HAVING count(*) > 1",
        month,
    )
    catalogue.run_many("DELETE FROM touched WHERE point = ? AND month = ?", [(row[0], month) for row in rows])
    catalogue.run_many(
        "INSERT INTO touched (point, month, batch_min, batch_max) VALUES (?, ?, ?, ?)",
        [(point, month, low, high) for point, low, high in rows],
    )


def _drop_stale_parts(catalogue: Catalogue, month: int) -> None:
    """Keep one part per point, the latest derived, and only while it is true of the newest facts."""
    catalogue.run(
        "DELETE FROM ledger_part AS p WHERE p.month = ? AND (EXISTS (SELECT 1 FROM touched t "
        "WHERE t.point = p.point AND t.month = p.month AND t.batch_max > p.upto) "
        "OR EXISTS (SELECT 1 FROM ledger_part o WHERE o.point = p.point AND o.month = p.month "
        "AND (o.upto > p.upto OR (o.upto = p.upto AND o.digest > p.digest))))",
        month,
    )


def _merge_ledger(store: Path, catalogue: Catalogue, staging: Staging, parts: list[Segment]) -> Segment:
    """The rows of the parts still kept; each segment may also hold rows of parts that are not."""
    selects = []
    columns = segments.typed(LEDGER_COLUMNS, {})
    for item in parts:
        points = [
            row[0] for row in catalogue.rows("SELECT point FROM ledger_part WHERE segment = ?", item.id)
        ]
        selects.append(
            f"SELECT {columns} FROM {parquet_list([store / item.path])} WHERE point IN ({int_list(points)})"
        )
    with Scratch(store) as scratch, connect(scratch.path) as con:
        return staging.write(
            con, segments.LEDGER, " UNION ALL ".join(selects), parts[0].month, _batches(parts)
        )


def remove_strays(files: Files, catalogue: Catalogue) -> Compacted:
    """Remove segment files that the catalogue does not know (the caller holds the writer lock)."""
    strays = [path for path in files.listed() if not catalogue.has_path(path)]
    return Compacted(strays=sum(files.remove(path) for path in strays))


def check(
    files: Files, catalogue: Catalogue, progress: Callable[[int, int], None] | None
) -> tuple[list[Finding], list[tuple[int, int]]]:
    """Findings for what is damaged or missing, and the (damaged, segment id) marks that must change."""
    found: list[Finding] = []
    marks: list[tuple[int, int]] = []
    fault = catalogue.database.fault()
    if fault is not None:
        found.append(
            faults.CATALOGUE_DAMAGED.at(Place(file=str(files.folder)), path=str(files.folder), detail=fault)
        )
    every = catalogue.segments("1 = 1")
    for done, segment in enumerate(every):
        if progress is not None:
            progress(done, len(every))
        kind_found = files.fault(segment, segments.digest_of)
        if kind_found is not None:
            found.append(damage(kind_found, segment, catalogue))
        if (kind_found is not None) != segment.damaged:
            marks.append((int(kind_found is not None), segment.id))
    if progress is not None:
        progress(len(every), len(every))
    return found, marks

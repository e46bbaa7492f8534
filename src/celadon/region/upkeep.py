"""Upkeep of a region's store: one place of each month for the reports that count, another for those they replaced.

Compaction merges the segments of a month into two: `facts-<source>` holds each enterprise once and is read as it is,
`replaced-<source>` what later batches replaced, read only for answers as of earlier. Retention drops from the latter.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.plant import backup, upkeep
from celadon.plant.opened import Opened as PlantOpened
from celadon.plant.opened import open_file as open_plant_file
from celadon.plant.retain import Retained, before, recorded
from celadon.plant.retain import retain as plant_retain
from celadon.plant.upkeep import Upkeep, extent, steps
from celadon.region.opened import Opened
from celadon.region.opened import open_file as open_region_file
from celadon.region.reader import is_region, read_region
from celadon.region.reports import LIVE, REPLACED
from celadon.store import Segment, Store, month_label, moving
from celadon.store.catalogue import Catalogue
from celadon.store.rows import RETAIN, micros
from celadon.store.scratch import Scratch, connect
from celadon.store.segments import parquet_list

FILE_SAYS_OTHER = FindingKind(
    "move.file-says-other",
    Severity.WARNING,
    Text(en="The plant file names the old catalogue", zh="工厂文件仍写着原目录库"),
    Text(
        en="The catalogue was moved to {now}, but {file} says `catalogue: {said}`: commands are refused until it is corrected.",
        zh="目录库已迁移到 {now}，但 {file} 仍写着 `catalogue: {said}`：更正之前命令会被拒绝。",
    ),
    Text(
        en="Write the new address there, or take `catalogue:` out: the store knows where its catalogue is.",
        zh="请改写为新地址，或删去 `catalogue:`：数据仓自身记有目录库位置。",
    ),
)
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class _Part:
    """The segments of one sender's month."""

    source: str
    month: int
    live: tuple[Segment, ...]
    replaced: tuple[Segment, ...]

    @property
    def label(self) -> str:
        return f"{self.source} {month_label(self.month)}"


def verify(path: str | Path, progress: Progress | None = None) -> Upkeep:
    """Compare every segment of the plant or region at `path` with its digest (see `plant.upkeep.verify`)."""
    return upkeep.verify(_either(path), progress)


def back_up(path: str | Path, folder: str | Path, progress: Progress | None = None) -> backup.Backup:
    """Bring the backup of the plant or region at `path` up to date (see `plant.backup.back_up`)."""
    return backup.back_up(_either(path), folder, progress)


def compact(path: str | Path, progress: Progress | None = None) -> Upkeep:
    """Merge small segments of the plant or region at `path`; every earlier answer stays as it was."""
    opened = _either(path)
    return (
        compact_region(opened, progress) if isinstance(opened, Opened) else upkeep.compact(opened, progress)
    )


def retain(
    path: str | Path, keep: str | None = None, progress: Progress | None = None, *, apply: bool = False
) -> Retained:
    """What retention drops, or would drop, of the plant or region at `path` (see `retain_region`, `plant.retain.retain`)."""
    opened = _either(path)
    if isinstance(opened, Opened):
        return retain_region(opened, keep, progress, apply=apply)
    return plant_retain(opened, keep, progress, apply=apply)


def _either(path: str | Path) -> Opened | PlantOpened:
    return open_region_file(path) if is_region(path) else open_plant_file(path)


@dataclass(frozen=True)
class MovedCatalogue:
    """What a move did, and what the plant file should say now."""

    done: moving.Moved
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Shape `move/1` without its findings."""
        done = self.done
        return {
            "before": done.before, "now": done.now, "moved": done.moved, "batch": done.batch, "facts_digest": done.digest,
            "rows": done.rows,
        }  # fmt: skip


def move(path: str | Path, target: str, progress: Progress | None = None) -> MovedCatalogue:
    """Move the catalogue of the plant's or region's store to `target`: `postgresql://…`, or `folder` (see `store.moving`)."""
    opened = _either(path)
    done = moving.move(opened.store_path, target, steps(progress))
    said = opened.model.catalogue if isinstance(opened, PlantOpened) else None
    now = None if target == moving.FOLDER else target
    if said and said != now:
        where = Place(file=opened.file.name)
        return MovedCatalogue(
            done, (FILE_SAYS_OTHER.at(where, file=opened.file.name, said=said, now=done.now),)
        )
    return MovedCatalogue(done)


def compact_region(opened: Opened, progress: Progress | None = None) -> Upkeep:
    """Merge the segments of each month; every earlier answer stays as it was. A kill loses nothing: a month is a transaction."""
    with opened.open_store() as store:
        size, count = extent(opened.store_path)
        with store.lock(), Scratch(store.path) as scratch, connect(scratch.path) as con:
            parts = [part for part in _parts(store) if len(part.live) > 1 or len(part.replaced) > 1]
            for done, part in enumerate(parts):
                if progress is not None:
                    progress(done / len(parts), part.label)
                _rewrite(con, store, part, 0)
        store.compact(steps(progress))  # sweeps up what was replaced long enough ago
        after, left = extent(opened.store_path)
        return Upkeep(size, after, count, left, len(store.batches()))


def retain_region(
    opened: Opened,
    keep: str | None = None,
    progress: Progress | None = None,
    *,
    apply: bool = False,
    now: datetime | None = None,
) -> Retained:
    """Drop reports that were replaced longer than `keep` (`5y`, `18mo`, `90d`) ago; None keeps everything.

    Without `apply` nothing is changed. Every answer as of `now` − `keep` or later stays what it is; earlier ones are refused
    afterwards (`store.history-dropped`). Registries, quotas and what was kept out stay.

    Raises:
        FindingError: `retain.span-unreadable`; there is no store, or it cannot be written.
    """
    since = None if keep is None else before(now or datetime.now(UTC), keep)
    with opened.open_store() as store:
        kept_since = recorded(store, store.catalogue.horizon())
        horizon = 0 if since is None else store.catalogue.batch_at(micros(since))
        if horizon == 0:
            return Retained(keep, None, apply, kept_since, (), 0)
        gone: dict[str, int] = {}
        parts = [part for part in _parts(store) if len(part.live) > 1 or part.replaced]
        with (
            store.lock() if apply else nullcontext(),
            Scratch(store.path) as scratch,
            connect(scratch.path) as con,
        ):
            for done, part in enumerate(parts):
                if progress is not None:
                    progress(done / len(parts), part.label)
                count = _may_go(con, store, part, horizon)
                if not count:
                    continue
                if apply:
                    if store.catalogue.horizon() < horizon:  # from here on earlier answers are refused
                        with store.begin(RETAIN, str(horizon)) as pending:
                            pending.commit()
                    _rewrite(con, store, part, horizon)
                label = month_label(part.month)
                gone[label] = gone.get(label, 0) + count
        told = recorded(store, horizon) if gone else kept_since
        return Retained(keep, told, apply, kept_since, tuple(sorted(gone.items())), 0)


def _parts(store: Store) -> list[_Part]:
    """The months of every sender; those with a damaged segment stay as they are: merging would hide it."""
    found: dict[tuple[str, int], tuple[list[Segment], list[Segment]]] = {}
    for place, prefix in enumerate((LIVE, REPLACED)):
        for segment in store.catalogue.segments("kind LIKE ?", f"{prefix}%"):
            if segment.month is not None:
                key = segment.kind.removeprefix(prefix), segment.month
                found.setdefault(key, ([], []))[place].append(segment)
    return [
        _Part(source, month, tuple(live), tuple(replaced))
        for (source, month), (live, replaced) in sorted(found.items())
        if not any(store.files.fault(item) for item in (*live, *replaced))
    ]


def _marked(store: Store, part: _Part, horizon: int) -> str:
    """A query of all rows with `is_replaced` (a later batch says the enterprise's month again) and `may_go` (by `horizon`)."""
    files = [store.files.path(item) for item in (*part.live, *part.replaced)]
    source = parquet_list(files).replace(
        "hive_partitioning = false", "hive_partitioning = false, union_by_name = true"
    )
    window = "OVER (PARTITION BY enterprise)"
    return (
        f"SELECT *, batch < max(batch) {window} AS is_replaced, "
        f"batch < coalesce(max(batch) FILTER (batch <= {int(horizon)}) {window}, 0) AS may_go FROM {source}"
    )


def _may_go(con: duckdb.DuckDBPyConnection, store: Store, part: _Part, horizon: int) -> int:
    [(count,)] = con.execute(
        f"SELECT count(*) FROM ({_marked(store, part, horizon)}) WHERE may_go"
    ).fetchall()
    return int(count)


def _rewrite(con: duckdb.DuckDBPyConnection, store: Store, part: _Part, horizon: int) -> None:
    """Write the month anew: what counts, and what was replaced without what may go."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE month_rows AS {_marked(store, part, horizon)}")
    [(rows, gone)] = con.execute("SELECT count(*), count(*) FILTER (may_go) FROM month_rows").fetchall()
    with store.rewriting() as (catalogue, staging, moment):
        made = 0
        for prefix, where in ((LIVE, "NOT is_replaced"), (REPLACED, "is_replaced AND NOT may_go")):
            low, high = con.execute(
                f"SELECT min(batch), max(batch) FROM month_rows WHERE {where}"
            ).fetchall()[0]
            if low is not None:
                select = f"SELECT * EXCLUDE (is_replaced, may_go) FROM month_rows WHERE {where}"
                kind = prefix + part.source
                made += staging.write(con, kind, select, part.month, (low, high)).rows
        if made != rows - gone:
            raise AssertionError(f"merging lost rows: {made} of {rows - gone}")
        _retire(catalogue, part, moment)
    con.execute("DROP TABLE month_rows")


def _retire(catalogue: Catalogue, part: _Part, moment: int) -> None:
    catalogue.retire([item.id for item in (*part.live, *part.replaced)], moment)


def restore(folder: str | Path, target: str | Path, progress: Progress | None = None) -> backup.Backup:
    """`plant.backup.restore` for a backup of either kind."""
    return backup.restore(folder, target, progress, _store_of)


def _store_of(file: Path) -> tuple[str, str | None] | None:
    """The store that a plant or region file names; None where there is none or it cannot be read."""
    if not is_region(file):
        return backup.of_plant(file)
    region, _ = read_region(file)
    return None if region is None else (region.store, None)

"""`doctor` of a store that may be a plant's or a region's: of a region's also whether its reports fit its registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.plant import doctor as plants
from celadon.plant.doctor import Diagnosis
from celadon.region.opened import open_file
from celadon.region.reader import is_region
from celadon.region.reports import LIVE
from celadon.store import Store
from celadon.store import doctor as stores
from celadon.store.scratch import Scratch, connect
from celadon.store.segments import parquet_list

REPORTS_ASTRAY = FindingKind(
    "doctor.reports-astray",
    Severity.ERROR,
    Text(en="Stored reports do not fit the registry", zh="已存报表与名录不符"),
    Text(
        en="{strangers} report(s) in this segment are of no enterprise of any registry, {twice} enterprise(s) are in it twice.",
        zh="该数据段有 {strangers} 条报表不属于任何名录中的企业，{twice} 家企业重复出现。",
    ),
    Text(
        en="The file is as it was written; the catalogue was changed from outside, or a registry segment is damaged: restore the "
        "region from a backup (`celadon restore`).",
        zh="文件与写入时一致；目录库被外部更改，或名录数据段已损坏：请从备份恢复（`celadon restore`）。",
    ),
)
Progress = Callable[[float, str], None]


def examine(
    path: str | Path,
    progress: Progress | None = None,
    *,
    deep: bool = False,
    repair: bool = False,
    backup: str | Path | None = None,
) -> Diagnosis:
    """Look at the store of the plant or region at `path`, or the store in the folder `path` (see `plant.doctor.examine`).

    Of a region, `deep` also compares every report with the registries.
    """
    if is_region(path):
        with open_file(path).open_store() as store:
            return _region(store, progress, deep, repair, backup)
    with plants.open_store(Path(path)) as store:
        if _is_regions(store):
            return _region(store, progress, deep, repair, backup)
    return plants.examine(path, progress, deep=deep, repair=repair, backup=backup)


def _is_regions(store: Store) -> bool:
    """What is loaded under: a region's file is kept as it is written, a plant as JSON."""
    text = store.snapshot().plant_json()
    return text is not None and any(line.startswith("celadon-region:") for line in text.splitlines())


def _region(
    store: Store, progress: Progress | None, deep: bool, repair: bool, backup: str | Path | None
) -> Diagnosis:
    found = _look(store, progress, deep)
    mended = None
    if repair and not any(item.code == "store.catalogue-damaged" for item in found):
        mended = stores.repair(store, None if backup is None else Path(backup).absolute())
        found = _look(store, progress, deep)
    (segments,) = store.catalogue.rows("SELECT count(*) FROM segment WHERE retired_at IS NULL")[0]
    return Diagnosis(store.path, len(store.batches()), segments, 0, 0, mended, 0, tuple(found))


def _look(store: Store, progress: Progress | None, deep: bool) -> list[Finding]:
    def step(done: int, total: int) -> None:
        if progress is not None:
            progress(0.8 * done / max(total, 1), f"{done}/{total}")

    found = stores.examine(store, step, deep=deep).findings
    if deep and not any(item.code == "store.catalogue-damaged" for item in found):
        found += _astray(store)
    return found


def _astray(store: Store) -> Iterator[Finding]:
    """Segments of reports that are not all of known enterprises, each once."""
    registries = [path for path, _ in store.snapshot().tables("registry")]
    if not registries:  # nothing was loaded, or that it is damaged is told
        return
    known = f"SELECT DISTINCT number FROM {parquet_list(registries)}"
    with Scratch(store.path) as own, connect(own.path) as con:
        con.execute(f"CREATE TEMP TABLE known AS SELECT number FROM ({known})")
        for segment in store.catalogue.segments("kind LIKE ?", f"{LIVE}%"):
            if store.files.fault(segment) is not None:
                continue  # told already
            scan = parquet_list([store.files.path(segment)])
            [(strangers, twice)] = con.execute(
                f"SELECT (SELECT count(*) FROM {scan} WHERE enterprise NOT IN (FROM known)), "
                f"(SELECT count(*) - count(DISTINCT enterprise) FROM {scan})"
            ).fetchall()
            if strangers or twice:
                yield REPORTS_ASTRAY.at(Place(file=segment.path), strangers=strangers, twice=twice)

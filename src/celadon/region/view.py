"""View: registry, facts and quotas as they were known at one moment, as queries over the store's segments.

Of one sender's reports of one enterprise and month the latest batch's counts. Months with one segment are read as they
are; where a later batch corrected some, the earlier rows of those enterprises are left out by an anti-join.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.periods import Period, parse_instant, zone
from celadon.core.text import Text
from celadon.region.model import RegionFile
from celadon.region.opened import Opened
from celadon.region.reader import read_region_text
from celadon.region.reports import source_sql
from celadon.region.tables_in import identifier
from celadon.store import Snapshot, Store
from celadon.store.segments import parquet_list

NOTHING_YET = FindingKind(
    "region.nothing-loaded",
    Severity.ERROR,
    Text("Nothing is loaded", "没有数据"),
    Text("Nothing had been loaded into {store} at {as_of}.", "截至 {as_of}，{store} 中没有已载入的数据。"),
    Text(
        "Run `celadon load REGION`, or give a later --as-of.",
        "请先运行 `celadon load REGION`，或给出更晚的 --as-of。",
    ),
)
CHANGED_SINCE_LOAD = FindingKind(
    "region.changed-since-load",
    Severity.WARNING,
    Text("Region file changed since the last load", "区域文件在上次载入后已更改"),
    Text(
        "{file} says something else than when the region was last loaded; this answer follows what was loaded.",
        "{file} 与上次载入时不同；本结果依据已载入的版本。",
    ),
    Text("`celadon load REGION` records the change.", "用 `celadon load REGION` 记录更改。"),
)
REGISTRY_DAMAGED = FindingKind(
    "region.registry-damaged",
    Severity.ERROR,
    Text("The registry cannot be read", "企业名录无法读取"),
    Text(
        "{segment} holds a registry and is damaged or missing: who reports what cannot be told without it.",
        "{segment} 中的企业名录已损坏或缺失：缺少它无法确定月报属于哪家企业。",
    ),
    Text(
        "`celadon doctor REGION --repair --from BACKUP` puts it back; without a backup load into a new store.",
        "用 `celadon doctor REGION --repair --from 备份` 恢复；没有备份时请载入新的数据仓。",
    ),
)
_REGISTRY = "number, enterprise, name, industry, region, grid, product, size, file, line, batch"


@dataclass(frozen=True)
class View:
    """What was known at one moment."""

    snapshot: Snapshot
    region: RegionFile
    findings: tuple[Finding, ...] = ()

    def months(self) -> list[int]:
        """The months that have reports, as year × 12 + month − 1."""
        found: set[int] = set()
        for source in self.region.sources:
            kinds = ["facts-", "replaced-"] if self.snapshot.earlier else ["facts-"]
            for kind in kinds:
                listed = self.snapshot.tables(f"{kind}{source.id}")
                found |= {item.month for _, item in listed if item.month is not None}
        return sorted(found)

    def facts_sql(
        self, months: Collection[int], only: str = "", needed: Collection[str] | None = None
    ) -> str:
        """Wide facts: enterprise (number), month (DATE) and every kept column once; no rows where nothing is loaded. What several
        senders give is, for each enterprise and month, the first sender's that has it.

        `only`: a condition on `enterprise` that each segment is read with (a join of senders would keep it from them);
        `needed`: the columns asked for (None = all): senders that give none of them are not read."""
        parts = [
            (source, sql)
            for source in self.region.sources
            if (needed is None or any(value.name in needed for value in source.values))
            and (sql := source_sql(self.snapshot, source, months, only)) is not None
        ]
        given = {
            value.name: [
                f"s{index}.{identifier(value.name)}" + (f" * {scale!r}e0" if (scale := other.scale_to(value)) != 1 else "")
                for index, (source, _) in enumerate(parts)
                for other in source.values
                if other.name == value.name
            ]
            for value in self.region.columns
            if needed is None or value.name in needed
        }  # fmt: skip
        columns = [
            f"{_first_of(cells)} AS {identifier(name)}" if cells else f"NULL::DOUBLE AS {identifier(name)}"
            for name, cells in given.items()
        ]
        if not parts:
            nothing = ["NULL::INTEGER AS enterprise", "NULL::DATE AS month", *columns]
            return f"SELECT {', '.join(nothing)} WHERE false"
        joined = f"({parts[0][1]}) AS s0"
        for index, (_, sql) in enumerate(parts[1:], 1):
            joined += f" FULL JOIN ({sql}) AS s{index} USING (enterprise, month)"
        keys = ["s0.enterprise", "s0.month"] if len(parts) == 1 else ["enterprise", "month"]
        return f"SELECT {', '.join([*keys, *columns])} FROM {joined}"

    def registry(self) -> str:
        """The registry of this moment."""
        return registry_sql(self.snapshot)

    def quotas(self) -> str:
        """enterprise (number), year, quantity, value, unit: of every file the latest."""
        return quotas_sql(self.snapshot)


def _first_of(cells: Sequence[str]) -> str:
    return cells[0] if len(cells) == 1 else f"coalesce({', '.join(cells)})"


def quotas_sql(snapshot: Snapshot) -> str:
    """enterprise (number), year, quantity, value, unit, file, line, batch: of every quota the latest."""
    files = snapshot.tables("quotas")
    columns = "enterprise, year, quantity, value, unit, file, line, batch"
    if not files:
        typed = "NULL::INTEGER AS enterprise, NULL::INTEGER AS year, NULL::VARCHAR AS quantity, NULL::DOUBLE AS value"
        return f"SELECT {typed}, NULL::VARCHAR AS unit, NULL::INTEGER AS file, NULL::INTEGER AS line, NULL::INTEGER AS batch WHERE false"
    scan = parquet_list(path for path, _ in files)
    return f"SELECT {columns} FROM {scan} QUALIFY batch = max(batch) OVER (PARTITION BY enterprise, year, quantity)"


def registries_sql(snapshot: Snapshot) -> str:
    """Every registry there was, one after the other (FindingError where one is damaged: its numbers would be given again)."""
    files = snapshot.tables("registry")
    _sound(snapshot, "")
    return (
        f"SELECT {_REGISTRY} FROM {parquet_list(path for path, _ in files)}"
        if files
        else registry_sql(snapshot)
    )


def _sound(snapshot: Snapshot, after: str) -> None:
    """FindingError where a registry that came later than the segment `after` is not as it was written."""
    found = [str(item.where.file) for item in snapshot.findings]
    lost = [name for name in found if name.startswith("segments/registry/") and name > after]
    if lost:
        raise FindingError(REGISTRY_DAMAGED.at(Place(file=lost[-1]), segment=lost[-1]))


def registry_sql(snapshot: Snapshot) -> str:
    """The last registry that a snapshot shows; no rows before the first. FindingError where it is damaged: an older one would do for
    it, with other enterprises."""
    files = snapshot.tables("registry")
    _sound(snapshot, files[-1][1].path if files else "")
    if not files:
        return (
            "SELECT NULL::INTEGER AS number, NULL::VARCHAR AS enterprise, NULL::VARCHAR AS name, NULL::VARCHAR AS industry, "
            "NULL::VARCHAR AS region, NULL::VARCHAR AS grid, NULL::VARCHAR AS product, NULL::VARCHAR AS size, NULL::INTEGER AS file, "
            "NULL::INTEGER AS line, NULL::INTEGER AS batch WHERE false"
        )
    return f"SELECT {_REGISTRY} FROM {parquet_list([files[-1][0]])}"


def view(opened: Opened, store: Store, as_of: str | datetime | None = None) -> View:
    """What was known at `as_of` (an instant or date in the region's zone; None = now), the region file included.

    Raises:
        FindingError: nothing had been loaded by then.
    """
    moment = parse_instant(as_of, opened.region.zone) if isinstance(as_of, str) else as_of
    snapshot = store.snapshot(moment)
    snapshot.still_told()
    text = snapshot.plant_json()
    if text is None:
        shown = str(as_of) if as_of else "—"
        raise FindingError(
            NOTHING_YET.at(Place(file=str(opened.file)), store=opened.region.store, as_of=shown)
        )
    if text == opened.text:
        return View(snapshot, opened.region)
    known, _ = read_region_text(text, opened.file.as_posix())
    changed = CHANGED_SINCE_LOAD.at(Place(file=str(opened.file)), file=opened.file.name)
    return View(snapshot, known or opened.region, (changed,) if as_of is None else ())


def month_number(day: date) -> int:
    """Months counted as the store does: year × 12 + month − 1."""
    return day.year * 12 + day.month - 1


def months_in(period: Period) -> list[int]:
    """The whole local months a period touches."""
    local = zone(period.zone)
    first, end = period.start.astimezone(local).date(), period.end.astimezone(local)
    last = month_number(end.date()) if end.day > 1 or end.hour or end.minute else month_number(end.date()) - 1
    return list(range(month_number(first), last + 1))

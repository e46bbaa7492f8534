"""What is wrong with a store: its files, its catalogue, its clock, and what killed processes left; and mending what is safe.

Facts are never removed: what goes is files that the catalogue does not know, and stored ledger, which can be derived.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.store import faults, runs, scratch, segments, stretch
from celadon.store.backup import refetch
from celadon.store.catalogue import Catalogue
from celadon.store.rows import Segment, instant_of, micros
from celadon.store.schema import ADDED
from celadon.store.staging import WRITING
from celadon.store.store import Store

ORPHANS = FindingKind(
    "doctor.orphans",
    Severity.WARNING,
    Text(en="Files that belong to no batch", zh="不属于任何批次的文件"),
    Text(
        en="{count} file(s) in the store's segments, {bytes} bytes, are not in the catalogue (the first: {first}).",
        zh="数据段目录中有 {count} 个文件（{bytes} 字节）不在目录库中（首个：{first}）。",
    ),
    Text(
        en="They count in no answer; `celadon doctor --repair` removes them.",
        zh="它们不计入任何结果；`celadon doctor --repair` 可将其删除。",
    ),
)
LEFT_BEHIND = FindingKind(
    "doctor.left-behind",
    Severity.NOTICE,
    Text(en="Left behind by killed processes", zh="被终止的进程遗留的文件"),
    Text(
        en="Killed processes left {lists} list(s) of files they were writing and {folders} scratch folder(s).",
        zh="被终止的进程遗留了 {lists} 个写入清单和 {folders} 个临时目录。",
    ),
    Text(
        en="Nothing: the next load removes them, or `celadon doctor --repair` does now.",
        zh="无需处理：下次加载会清理，或用 `celadon doctor --repair` 立即清理。",
    ),
)
REFERENCE_BROKEN = FindingKind(
    "doctor.reference-broken",
    Severity.ERROR,
    Text(en="Catalogue contradicts itself", zh="目录库自相矛盾"),
    Text(
        en="{count} row(s) of “{table}” name a {column} that is not in “{other}” (the first: {first}).",
        zh="“{table}”有 {count} 行的 {column} 不在“{other}”中（首个：{first}）。",
    ),
    Text(
        en="The catalogue was changed or damaged from outside: restore the plant from a backup (`celadon restore`).",
        zh="目录库被外部更改或损坏：请从备份恢复工厂（`celadon restore`）。",
    ),
)
BATCH_ORDER = FindingKind(
    "doctor.batch-order",
    Severity.ERROR,
    Text(en="Batches out of order", zh="批次顺序错误"),
    Text(
        en="Batch {batch} is missing, or was not recorded after the one before it ({recorded}).",
        zh="批次 {batch} 缺失，或其记录时间不在前一批次之后（{recorded}）。",
    ),
    Text(
        en="The catalogue was changed from outside, so `--as-of` answers are not to be trusted: restore the plant from a backup.",
        zh="目录库被外部更改，`--as-of` 结果不可信：请从备份恢复工厂。",
    ),
)
CLOCK_AHEAD = FindingKind(
    "doctor.clock-ahead",
    Severity.WARNING,
    Text(en="Recorded in the future", zh="记录时间在未来"),
    Text(
        en="Batch {batch} was recorded at {recorded}, but it is {clock} now: the clock was ahead then, or is behind now.",
        zh="批次 {batch} 记录于 {recorded}，而现在是 {clock}：当时时钟偏快，或现在偏慢。",
    ),
    Text(
        en="Set the computer's clock (NTP). Later batches are recorded just after that one; facts and answers are not affected, "
        "but `--as-of` times between the two show too little.",
        zh="请校准时钟（NTP）。此后的批次顺延其后记录；数据与结果不受影响，但介于两者之间的 `--as-of` 时间会少看到内容。",
    ),
)
PLANT_CHANGED = FindingKind(
    "doctor.plant-altered",
    Severity.ERROR,
    Text(en="Stored plant altered", zh="已存工厂定义被改动"),
    Text(
        en="Plant version {version} in the catalogue does not have the digest it was stored with.",
        zh="目录库中工厂版本 {version} 的摘要与存入时不一致。",
    ),
    Text(
        en="The catalogue was changed from outside: restore the plant from a backup (`celadon restore`).",
        zh="目录库被外部更改：请从备份恢复工厂（`celadon restore`）。",
    ),
)
LISTED_OTHERWISE = FindingKind(
    "doctor.listed-otherwise",
    Severity.ERROR,
    Text(en="Segment listed otherwise than it is", zh="数据段与目录记录不符"),
    Text(
        en="The catalogue lists {what} of this segment otherwise than the file has it.",
        zh="目录库记录的该数据段{what}与文件不一致。",
    ),
    Text(
        en="The file is as it was written; the catalogue was changed or damaged from outside: restore the plant from a backup.",
        zh="文件与写入时一致；目录库被外部更改或损坏：请从备份恢复工厂。",
    ),
)
_REFERENCES = (
    ("file", "batch", "batch"),
    ("batch", "plant", "plant"),
    ("finding", "batch", "batch"),
    ("quarantine", "batch", "batch"),
    ("quarantine", "file", "file"),
    ("segment", "batch_min", "batch"),
    ("segment", "batch_max", "batch"),
    ("span", "segment", "segment"),
    ("span", "point", "point"),
    ("run", "segment", "segment"),
    ("extent", "point", "point"),
    ("touched", "point", "point"),
    ("touched", "batch_max", "batch"),
    ("ledger_part", "point", "point"),
    ("ledger_part", "segment", "segment"),
)
_TOLERATED = timedelta(minutes=1)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found, and the files that belong to no batch."""

    findings: list[Finding] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mended:
    """What was put right: files removed, segments put back, stored ledger segments given up (to be derived again)."""

    removed: int = 0
    put_back: int = 0
    ledger_dropped: int = 0


def examine(
    store: Store, progress: Progress | None = None, *, deep: bool = False, now: datetime | None = None
) -> Examined:
    """Everything that can be told without knowing what the facts mean; `deep` also compares each segment's rows with what
    the catalogue says of them. Only marks of damaged segments are changed (see `Store.verify`).
    """
    catalogue = store.catalogue
    findings = store.verify(progress)
    if any(item.kind is faults.CATALOGUE_DAMAGED for item in findings):
        return Examined(findings)  # what else it says is not to be trusted
    try:
        findings += [
            *_references(catalogue),
            *_batches(catalogue, now or datetime.now(UTC)),
            *_plants(catalogue),
        ]
    except FindingError as error:  # a table is not as it should be
        return Examined([*findings, *error.findings])
    if deep:
        findings += _contents(store, catalogue)
    lists, orphans = len(_lists(store)), _orphans(store.path, catalogue)
    folders = len(scratch.left_behind(store.path / scratch.FOLDER))
    if orphans:
        size = sum((store.path / path).stat().st_size for path in orphans)
        where = Place(file=orphans[0])
        findings.append(ORPHANS.at(where, count=len(orphans), bytes=size, first=orphans[0]))
    if lists or folders:
        findings.append(LEFT_BEHIND.at(Place(file=str(store.path)), lists=lists, folders=folders))
    return Examined(findings, orphans)


def repair(store: Store, backup: Path | None = None) -> Mended:
    """Remove what belongs to no batch, put damaged segments back from `backup`, and give up damaged stored ledger.

    Raises:
        FindingError: `backup.not-a-backup`; the store cannot be written.
    """
    store.verify()
    lists = _lists(store)
    with store.lock():  # whoever takes it sweeps up after killed writers
        removed = len(lists) + scratch.sweep(store.path / scratch.FOLDER)
        for path in _orphans(store.path, store.catalogue):
            (store.path / path).unlink()
            removed += 1
        every = store.catalogue.segments("1 = 1")
        damaged = [item for item in every if store.files.fault(item) is not None]
        back = refetch(store.path, backup, damaged) if backup is not None else []
        ledger = {item.id for item in damaged if item.kind == segments.LEDGER} - {item.id for item in back}
        store.give_up_ledger(segments=ledger)
    store.verify()  # those put back count again
    return Mended(removed, len(back), len(ledger))


def _lists(store: Store) -> list[Path]:
    """The lists that killed writers left; none while a writer is at work, as they may be its own."""
    with store.if_idle() as idle:
        return sorted((store.path / WRITING).glob("*.list")) if idle else []


def _references(catalogue: Catalogue) -> Iterator[Finding]:
    for table, column, other in _REFERENCES:
        if table in ADDED and not catalogue.database.has(table):
            continue
        count, first = catalogue.rows(
            f"SELECT count(*), min(a.{column}) FROM {table} a LEFT JOIN {other} b ON b.id = a.{column} "
            # 0: a ledger part without rows lies in no segment
            f"WHERE a.{column} IS NOT NULL AND b.id IS NULL AND a.{column} <> 0"
        )[0]
        if count:
            place = Place(subject=f"{table}.{column}")
            yield REFERENCE_BROKEN.at(
                place, count=count, table=table, column=column, other=other, first=first
            )
    count, first = catalogue.rows(
        "SELECT count(*), min(s.id) FROM segment s WHERE s.kind = 'readings' AND s.retired_at IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM span WHERE span.segment = s.id)"
    )[0]
    if count:
        place = Place(subject="segment.id")
        yield REFERENCE_BROKEN.at(place, count=count, table="segment", column="id", other="span", first=first)


def _batches(catalogue: Catalogue, now: datetime) -> Iterator[Finding]:
    last = None
    for expected, (number, recorded) in enumerate(
        catalogue.rows("SELECT id, recorded_at FROM batch ORDER BY id"), 1
    ):
        if number != expected or (last is not None and recorded <= last):
            yield BATCH_ORDER.at(Place(subject=f"batch:{expected}"), batch=expected, recorded=_time(recorded))
            return
        last = recorded
    ahead = catalogue.rows(
        "SELECT id, recorded_at FROM batch WHERE recorded_at > ? ORDER BY id LIMIT 1",
        micros(now + _TOLERATED),
    )
    for number, recorded in ahead:
        clock = _time(micros(now))
        yield CLOCK_AHEAD.at(
            Place(subject=f"batch:{number}"), batch=number, recorded=_time(recorded), clock=clock
        )


def _time(recorded: int) -> str:
    return f"{instant_of(recorded):%Y-%m-%dT%H:%M:%SZ}"


def _plants(catalogue: Catalogue) -> Iterator[Finding]:
    for number, digest, text in catalogue.rows("SELECT id, sha256, json FROM plant ORDER BY id"):
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            yield PLANT_CHANGED.at(Place(subject=f"plant:{number}"), version=number)


def _contents(store: Store, catalogue: Catalogue) -> Iterator[Finding]:
    """Segments whose rows are not those the catalogue lists (damaged ones are left out: they are told already)."""
    with scratch.Scratch(store.path) as own, scratch.connect(own.path) as con:
        for segment in catalogue.segments("damaged = 0"):
            if store.files.fault(segment) is None:
                for what in _differing(
                    con, catalogue, segment, segments.parquet_list([store.files.path(segment)])
                ):
                    yield LISTED_OTHERWISE.at(Place(file=segment.path), what=what)


def _differing(
    con: duckdb.DuckDBPyConnection, catalogue: Catalogue, segment: Segment, source: str
) -> Iterator[Text]:
    (count,) = con.execute(f"SELECT count(*) FROM {source}").fetchall()[0]
    if count != segment.rows:
        yield Text(f"the rows ({segment.rows}; there are {count})", f"行数（{segment.rows}，实为 {count}）")
    if segment.kind == segments.LEDGER:
        return
    low, high = con.execute(f"SELECT min(batch), max(batch) FROM {source}").fetchall()[0]
    if (low, high) != (segment.batch_min, segment.batch_max):
        yield Text("the batches", "批次")
    if segment.kind == segments.READINGS:
        listed = f"SELECT point, month, {stretch.COLUMNS} FROM span WHERE segment = ?"
        measured = {(point, month, *found.row()) for point, month, _, found in stretch.measure(con, source)}
        if {tuple(row) for row in catalogue.rows(listed, segment.id)} != measured:
            yield Text("the times of its readings", "读数时间")
        yield from _runs_differ(con, catalogue, segment, source)


def _runs_differ(
    con: duckdb.DuckDBPyConnection, catalogue: Catalogue, segment: Segment, source: str
) -> Iterator[Text]:
    """Runs that are listed and are not the segment's; where none are, its readings are looked at whenever they are needed."""
    listed = catalogue.runs([segment.id]).get(segment.id)
    if listed is not None and listed != runs.find(con, source, segment.rows):
        yield Text("which of its readings follow on one another", "读数的连续区段")


def _orphans(store: Path, catalogue: Catalogue) -> list[str]:
    """Files under segments/ that neither the catalogue nor a writer's list knows.

    Looked for in the opposite order of writing, so that what is committed meanwhile is none.
    """
    files = [file for file in (store / segments.FOLDER).rglob("*") if file.is_file()]
    begun = {
        path
        for listing in (store / WRITING).glob("*.list")
        for path in listing.read_text(encoding="utf-8", errors="replace").splitlines()
    }
    known = begun.union(row[0] for row in catalogue.rows("SELECT path FROM segment"))
    paths = (file.relative_to(store).as_posix() for file in files)
    return sorted(path for path in paths if path not in known)

"""`load`: files into the store, one batch a file, so that a kill loses at most the file it was in.

Order of things: the plant's own version first (what a meter is must be known before its readings), then each file not
loaded yet, then the ledger of what was touched. A file whose content and mapping are loaded already costs its hash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import field
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingKind, Findings, Place, Severity
from celadon.core.text import Text
from celadon.metering.changes import NEIGHBOURS
from celadon.metering.scales import config_digest
from celadon.plant.hashes import Hashes
from celadon.plant.intake import Intake, read_file
from celadon.plant.keeping import keep_ledger
from celadon.plant.ledger import summed_meters
from celadon.plant.opened import Opened, View
from celadon.plant.settling import settle_mended
from celadon.plant.sources import InputFile, input_files, superseded
from celadon.plant.unasked import strange_purposes, unasked
from celadon.plant.versions import own_versions, take_changes
from celadon.store import Pending, Store, StoredFile
from celadon.store.scratch import Scratch, connect

PLANT_RESTATED = FindingKind(
    "load.plant-changed",
    Severity.NOTICE,
    Text(en="The plant has changed", zh="工厂已变更"),
    Text(
        en="The plant file changed since it was last loaded ({meters} meters declared otherwise); answers follow it from now on.",
        zh="工厂文件自上次加载后有更改（{meters} 个计量点的声明不同）；此后的结果以新版本为准。",
    ),
    Text(
        en="Nothing; `--as-of` before this load still shows the earlier plant.",
        zh="无需处理；`--as-of` 取本次加载之前的时间仍可查看旧版本。",
    ),
)
READ_ANEW = FindingKind(
    "load.read-anew",
    Severity.NOTICE,
    Text(en="File read anew", zh="文件重新读取"),
    Text(
        en="How {file} reads has changed, so it was read again: its earlier rows (batch {batch}) no longer count.",
        zh="{file} 的读取方式已更改，已重新读取：此前的行（批次 {batch}）不再计入。",
    ),
    Text(
        en="Nothing; `--as-of` before this load still shows the earlier rows.",
        zh="无需处理；`--as-of` 取本次加载之前的时间仍可查看旧数据。",
    ),
)
WAITING = FindingKind(
    "load.waited",
    Severity.NOTICE,
    Text(en="Another load was running", zh="另有加载正在进行"),
    Text(
        en="The store was being written by {holder}; this load waited for it.",
        zh="数据仓正由 {holder} 写入；本次加载已等待其完成。",
    ),
    Text(en="Nothing.", zh="无需处理。"),
)

Progress = Callable[[float, str], None]
_TICK = timedelta(microseconds=1)  # the store's windows leave out their end


@dataclass(frozen=True)
class LoadedFile:
    """What became of one file. `status`: loaded, known (content and mapping were loaded before) or failed."""

    source: str
    name: str
    status: str
    bytes: int
    readings: int = 0
    records: int = 0
    repeated: int = 0
    """Readings left out because the store holds the same value already."""
    quarantined: int = 0
    batch: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source, "name": self.name, "status": self.status, "bytes": self.bytes, "readings": self.readings,
            "records": self.records, "repeated": self.repeated, "quarantined": self.quarantined, "batch": self.batch,
        }  # fmt: skip


@dataclass
class Loading:
    """What a load did."""

    store: Path
    files: list[LoadedFile] = field(default_factory=list)
    plant_changed: bool = False
    ledger_parts: int = 0
    """(point, month) of the ledger derived and stored."""
    findings: Findings = field(default_factory=Findings)

    @property
    def readings(self) -> int:
        return sum(item.readings for item in self.files)

    @property
    def records(self) -> int:
        return sum(item.records for item in self.files)

    @property
    def changed(self) -> bool:
        """Whether anything was committed."""
        return self.plant_changed or any(item.status == "loaded" for item in self.files)

    def to_json(self) -> dict[str, Any]:
        """Shape `load/1` without its findings."""
        return {
            "store": str(self.store), "plant_changed": self.plant_changed, "readings": self.readings, "records": self.records,
            "ledger_parts": self.ledger_parts, "files": [item.to_json() for item in self.files],
        }  # fmt: skip


def load(
    opened: Opened,
    progress: Progress | None = None,
    *,
    store: Store | None = None,
    con: duckdb.DuckDBPyConnection | None = None,
) -> Loading:
    """Load what is not loaded yet. Stopping it anywhere (Ctrl-C, kill) leaves whole files loaded and the rest to go on with.

    An open `store` and a connection, where there are some, save the time of opening others.

    Raises:
        FindingError: the plant file has errors, or the store cannot be written (disk full, rights).
    """
    opened.sound()
    done = Loading(opened.store_path)
    done.findings.extend(opened.findings)
    with ExitStack() as stack:
        store = store or stack.enter_context(opened.open_or_create_store())
        con = con or stack.enter_context(scratch_connection(opened.store_path))
        place = Place(file=str(store.path))
        stack.enter_context(
            store.lock(waiting=lambda holder: done.findings.add(WAITING.at(place, holder=holder)))
        )
        _load_plant(opened, store, done)
        hashes = Hashes.of(opened.store_path)
        files = list(input_files(opened, done.findings, hashes))
        steps = _Steps(progress, sum(item.bytes for item in files))
        for item in files:
            _load_one(opened, store, con, item, done, steps)
        seen = View(store, store.snapshot(), opened.model, opened.digest)
        done.ledger_parts, said = keep_ledger(seen, con, steps.rest)
        done.findings.extend(said)
        hashes.save()
    return done


@contextmanager
def scratch_connection(store: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that may spill to a folder of its own (in that store's, where it can), gone afterwards."""
    with Scratch(store) as scratch, connect(scratch.path) as con:
        yield con


class _Steps:
    """Progress by bytes: reading files is the first nine tenths, the ledger the last."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._before = progress, max(total, 1), 0

    def within(self, item: InputFile, share: float) -> None:
        if self._progress:
            self._progress(0.9 * (self._before + share * item.bytes) / self._total, item.name)

    def after(self, item: InputFile) -> None:
        self._before += item.bytes
        self.within(item, 0.0)

    def rest(self, share: float, what: str) -> None:
        if self._progress:
            self._progress(0.9 + 0.1 * share, what)


def _load_plant(opened: Opened, store: Store, done: Loading) -> None:
    """Record the plant where it differs from the one in force; meters declared otherwise restate from now on."""
    text = store.snapshot().plant_json()
    if text is not None and (text == opened.text or opened.stored.of(text)[1] == opened.digest):
        store.ensure_points(meter.id for meter in opened.model.meters)
        return
    with store.begin("plant", opened.file.name) as pending:
        changed = stage_plant(opened, store, pending)
        if text is not None:
            notice = PLANT_RESTATED.at(Place(file=str(opened.file)), meters=changed)
            pending.add_findings([notice])
            done.findings.add(notice)
        pending.commit()
    opened.stored.put(opened.text, opened.model, opened.digest)
    done.plant_changed = True


def stage_plant(opened: Opened, store: Store, pending: Pending) -> int:
    """Put the plant into a batch and mark the ledger of meters declared otherwise as touched; how many there are."""
    text = store.snapshot(pending=pending).plant_json()
    points = store.ensure_points(meter.id for meter in opened.model.meters)
    pending.set_plant(opened.text)
    if text is None:
        return 0
    before, _ = opened.stored.of(text)
    grid, grid_before = opened.model.grid_seconds, before.grid_seconds
    earlier = {meter.id: meter for meter in summed_meters(before)}
    snapshot, changed = store.snapshot(pending=pending), 0
    for meter in summed_meters(opened.model):
        old = earlier.get(meter.id)
        if old is meter and grid == grid_before:
            continue
        if old is None or config_digest(old, grid_before) != config_digest(meter, grid):
            changed += old is not None
            months = snapshot.stored_range(points[meter.id])
            for month in range(months[0], months[1] + 1) if months else ():
                pending.touch(points[meter.id], month)
    return changed


def _load_one(
    opened: Opened,
    store: Store,
    con: duckdb.DuckDBPyConnection,
    item: InputFile,
    done: Loading,
    steps: _Steps,
) -> None:
    if store.has_file(item.source.id, item.sha256, item.mapping, item.name):
        done.files.append(LoadedFile(item.source.id, item.name, "known", item.bytes))
        steps.after(item)
        return
    with store.begin("load", item.name) as pending:
        taken = stage_file(opened, store, pending, con, item, lambda share: steps.within(item, share))
        done.findings.extend(taken.findings)
        if not taken.usable:
            done.files.append(LoadedFile(item.source.id, item.name, "failed", item.bytes))
            steps.after(item)
            return
        batch = pending.commit()
    done.files.append(loaded_file(item, taken, batch.id))
    steps.after(item)


def loaded_file(item: InputFile, taken: Intake, batch: int | None) -> LoadedFile:
    """The report line of a file that was staged."""
    return LoadedFile(
        item.source.id,
        item.name,
        "loaded",
        item.bytes,
        taken.readings,
        taken.records,
        taken.repeated,
        taken.quarantined,
        batch,
    )


def stage_file(
    opened: Opened,
    store: Store,
    pending: Pending,
    con: duckdb.DuckDBPyConnection,
    item: InputFile,
    progress: Callable[[float], None] | None = None,
) -> Intake:
    """Read one file into a batch: readings or records, quarantined rows, findings. Nothing is committed here."""
    points = store.ensure_points(meter.id for meter in opened.model.meters)
    earlier = _earlier_reading(store, pending, item)
    file_id = pending.add_file(item.name, item.sha256, item.bytes, item.source.id, item.mapping)
    taken = read_file(opened, con, item, points, file_id, pending.batch_id, progress)
    if not taken.usable:
        return taken
    settle_mended(con, store, pending, item, file_id, taken.table)
    if taken.table and item.source.role == "readings":
        gone = superseded(store.snapshot(pending=pending).files())
        own = [file.id for file in own_versions(store, pending, item, file_id) if file.id not in gone]
        taken.repeated = _drop_repeated(con, store, pending, taken.table, gone, own)
        taken.readings = pending.add_readings(con, taken.table, reach=NEIGHBOURS)
    elif taken.table:
        taken.findings.extend(unasked(con, opened.model, taken.table, item.name))
        taken.findings.extend(strange_purposes(con, taken.table, item.name))
        taken.repeated, said = take_changes(con, store, pending, item, file_id, taken.table)
        taken.findings.extend(said)
        taken.records = pending.add_records(con, taken.table)
    if earlier is not None:
        _touch_rows_of(con, store, pending, earlier)
        taken.findings.append(READ_ANEW.at(Place(file=item.name), file=item.name, batch=earlier.batch))
    pending.add_quarantine(taken.quarantine)
    pending.add_findings(taken.findings)
    con.execute(f"DROP TABLE IF EXISTS {taken.table}") if taken.table else None
    return taken


def _earlier_reading(store: Store, pending: Pending, item: InputFile) -> StoredFile | None:
    """The same content loaded before with another mapping, whose rows this reading replaces."""
    found = None
    for file in store.snapshot(pending=pending).files():
        if (file.source_id, file.name, file.sha256) == (item.source.id, item.name, item.sha256):
            found = file
    return found if found is not None and found.mapping_digest != item.mapping else None


def _drop_repeated(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    pending: Pending,
    table: str,
    gone: set[int],
    own: Sequence[int],
) -> int:
    """Leave out readings that say nothing new: an export that only grew adds what is new.

    That is a value which this file (its versions `own`) said last, even where another file has corrected it since; where
    it has said none, the value in force at that instant.
    """
    found = con.execute(f"SELECT min(t), max(t), list(DISTINCT point) FROM {table}").fetchall()[0]
    if found[0] is None:
        return 0
    snapshot = store.snapshot(pending=pending)
    from_, until = (moment.replace(tzinfo=UTC) for moment in found[:2])
    sql = snapshot.readings_sql(found[2], from_, until + _TICK, neighbours=0)
    omit = f"WHERE file NOT IN ({', '.join(str(number) for number in sorted(gone))})" if gone else ""
    said = f"max_by(value, (batch, line)) FILTER (file IN ({', '.join(map(str, own))})), " if own else ""
    in_force = (
        f"SELECT point, t, span, coalesce({said}max_by(value, (batch, file, line))) AS value FROM ({sql}) {omit} "
        "GROUP BY point, t, span"
    )
    gone_rows = con.execute(
        f"DELETE FROM {table} USING ({in_force}) f WHERE {table}.point = f.point AND {table}.t = f.t "
        f"AND {table}.span = f.span AND {table}.value = f.value"
    ).fetchone()
    return int(gone_rows[0]) if gone_rows else 0


def _touch_rows_of(con: duckdb.DuckDBPyConnection, store: Store, pending: Pending, file: StoredFile) -> None:
    """Mark the ledger that a replaced file's readings made (its months and those beside them) as touched."""
    snapshot = store.snapshot(pending=pending)
    span = snapshot.span()
    if span is None:
        return
    sql = snapshot.readings_sql(None, span[0], span[1] + _TICK, neighbours=0)
    rows = con.execute(
        f"SELECT DISTINCT point, (year(t) * 12 + month(t) - 1)::INTEGER FROM ({sql}) WHERE file = ?",
        [file.id],
    ).fetchall()
    touched = {(point, near) for point, month in rows for near in (month - 1, month, month + 1)}
    for point, month in sorted(touched):
        pending.touch(point, month)

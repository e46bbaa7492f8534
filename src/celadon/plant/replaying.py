"""`quarantine replay`: corrected rows, read again and counted in one batch with their settlement."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import Any

import duckdb

from celadon.adapters.tables import replay as read_again
from celadon.adapters.tables import replay_records
from celadon.adapters.tables.report import QuarantineRow as KeptOut
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding
from celadon.core.model import Source
from celadon.metering.changes import NEIGHBOURS
from celadon.plant.intake import STAGED
from celadon.plant.keeping import keep_ledger
from celadon.plant.loading import scratch_connection
from celadon.plant.opened import Opened, View, view
from celadon.plant.quarantine import Corrections, Kept, kept_rows, read_corrections
from celadon.plant.workspace import write_records
from celadon.store import RECORD_COLUMNS, Pending, Store
from celadon.store.rows import RECORD_KEY


@dataclass
class Replay:
    """What became of the corrections."""

    readings: int = 0
    records: int = 0
    replayed: list[int] = field(default_factory=list)
    """Ids of the rows that count now."""
    dismissed: list[int] = field(default_factory=list)
    still_bad: list[int] = field(default_factory=list)
    """Ids of rows whose correction is no better; they wait on."""
    batch: int | None = None
    findings: list[Finding] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Shape `replay/1` without its findings."""
        return {
            "readings": self.readings, "records": self.records, "replayed": self.replayed, "dismissed": self.dismissed,
            "still_bad": self.still_bad, "batch": self.batch,
        }  # fmt: skip


def replay(opened: Opened, path: Path) -> Replay:
    """Read a table of corrections and count the rows it mends; a kill leaves all of it done or nothing.

    Raises:
        FindingError: the table cannot be read, or there is no store.
    """
    with opened.open_store() as store, store.lock():
        return _replay(opened, store, read_corrections(path, view(opened, store)), path.name)


def replay_corrections(opened: Opened, asked: Corrections, note: str) -> Replay:
    """The same for corrections that stand in no file; `note` says who made them."""
    with opened.open_store() as store, store.lock():
        return _replay(opened, store, asked, note)


def _replay(opened: Opened, store: Store, asked: Corrections, note: str) -> Replay:
    seen = view(opened, store)
    done = Replay(dismissed=asked.dismissed, findings=list(asked.findings))
    if asked.changes or asked.dismissed:
        with store.begin("replay", note) as pending, scratch_connection(store.path) as con:
            replay_into(seen, pending, con, asked, done)
            done.batch = pending.commit().id
    if done.readings:
        with scratch_connection(store.path) as con:
            after = View(store, store.snapshot(), seen.model, seen.digest)
            done.findings += keep_ledger(after, con)[1]
    return done


def replay_into(
    seen: View, pending: Pending, con: duckdb.DuckDBPyConnection, asked: Corrections, done: Replay
) -> None:
    """Put corrected rows and the settlement of dismissed ones into a batch."""
    for ident in asked.dismissed:
        pending.resolve_quarantine(ident, "dismissed")
    by_source: dict[str, list[Kept]] = {}
    for kept in kept_rows(seen):
        if kept.row.id in asked.changes:
            by_source.setdefault(kept.source, []).append(kept)
    sources = {source.id: source for source in seen.model.sources}
    for name, group in by_source.items():
        if name in sources:
            _replay_source(seen, pending, con, sources[name], group, asked, done)


def _replay_source(seen: View, pending: Pending, con: duckdb.DuckDBPyConnection, source: Source, group: list[Kept],
                   asked: Corrections, done: Replay) -> None:  # fmt: skip
    con.execute(f"DROP TABLE IF EXISTS {STAGED}")
    model = seen.model
    rows = [kept.kept_out.corrected(asked.changes[kept.row.id]) for kept in group]
    files = {kept.kept_out.file: kept.row.file_id for kept in group}
    if source.role == "readings":
        meters, points = {meter.id: meter for meter in model.meters}, seen.snapshot.points()
        report = read_again(
            con, rows, source, meters, points, files, pending.batch_id, STAGED, zone=model.zone
        )
        if report.rows_good:
            done.readings += pending.add_readings(con, STAGED, reach=NEIGHBOURS)
    else:
        report = replay_records(con, rows, source, model, files, pending.batch_id, STAGED)
        if report.rows_good:
            done.records += report.rows_good
            _keep_those_beside(seen, con)
            pending.add_records(con, STAGED)
    done.findings += report.findings
    pending.add_findings(report.findings)
    bad = {_mark(row) for row in report.quarantine}
    for kept, row in zip(group, rows, strict=True):
        if _mark(row) in bad:
            done.still_bad.append(kept.row.id)
        else:
            pending.resolve_quarantine(kept.row.id, "replayed")
            done.replayed.append(kept.row.id)


def _mark(row: KeptOut) -> tuple[object, ...]:
    """A row by its place and its texts: two versions of a file have rows of one place."""
    texts = sorted((name, " ".join(text.split())) for name, text in row.raw.items() if text.strip())
    return (row.file, row.sheet, row.line, row.column, *texts)


def _keep_those_beside(seen: View, con: duckdb.DuckDBPyConnection) -> None:
    """Rows of one key add within a batch, and a later batch's replace them: so those that count now come along.

    Two deliveries of one day, one of them mended now, are two deliveries afterwards too.
    """
    key = ", ".join(f'"{name}"' for name in RECORD_KEY)
    columns = ", ".join(f'"{name}"' for name in RECORD_COLUMNS)
    write_records(con, seen, "in_force", every=True)
    # The blank keys of staged rows may be null; the store writes them as ''.
    con.execute(
        f"""INSERT INTO {STAGED} ({columns}) SELECT {columns} FROM in_force WHERE ({key}) IN (
            SELECT (quantity, coalesce(item, ''), coalesce(purpose, ''), coalesce(site, ''), coalesce(process, ''), start, "end",
                coalesce(note, '')) FROM {STAGED})"""
    )
    con.execute("DROP TABLE in_force")

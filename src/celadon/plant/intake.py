"""One file through its adapter: what came out, in the form the store takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import field

import duckdb

from celadon.adapters.tables import TableReport, read_readings, read_records
from celadon.adapters.tables.report import QuarantineRow as KeptOut
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Findings, Place, Severity
from celadon.core.text import Text
from celadon.plant.opened import Opened
from celadon.plant.sources import InputFile
from celadon.store import QuarantineRow

ROW_KEPT_OUT = FindingKind(
    "quarantine.row",
    Severity.WARNING,
    Text(en="Row kept out", zh="行被隔离"),
    Text(en="This row or cell was not loaded ({code}): {text}", zh="该行或单元格未载入（{code}）：{text}"),
    Text(
        en="`celadon quarantine PLANT export FILE`, correct the values there, then `celadon quarantine PLANT replay FILE`.",
        zh="用 `celadon quarantine PLANT export 文件` 导出并更正数值，再用 `celadon quarantine PLANT replay 文件` 重放。",
    ),
)

STAGED = "staged_rows"


@dataclass
class Intake:
    """What one file gave. `table` names a temporary table of rows for the store, None when there are none."""

    table: str | None = None
    usable: bool = True
    """Whether the file could be read at all; if not, it counts as not loaded and is tried again next time."""
    readings: int = 0
    records: int = 0
    repeated: int = 0
    quarantine: list[QuarantineRow] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def quarantined(self) -> int:
        return len(self.quarantine)


def read_file(
    opened: Opened,
    con: duckdb.DuckDBPyConnection,
    item: InputFile,
    points: Mapping[str, int],
    file_id: int,
    batch: int,
    progress: Callable[[float], None] | None = None,
) -> Intake:
    """Read a file's rows into the temporary table `staged_rows`; bad rows go to the quarantine, never an exception."""
    con.execute(f"DROP TABLE IF EXISTS {STAGED}")
    model, source = opened.model, item.source
    if source.role == "readings":
        meters = {meter.id: meter for meter in model.meters}
        report = read_readings(
            con,
            item.path,
            source,
            meters,
            points,
            file_id,
            batch,
            STAGED,
            progress,
            zone=model.zone,
            shown=item.name,
        )
    else:
        report = read_records(
            con, item.path, source, model, file_id, batch, STAGED, progress, shown=item.name
        )
    return taken(report, file_id)


def taken(report: TableReport, file_id: int) -> Intake:
    """An adapter's report as what the store takes."""
    failed = not report.rows_good and not report.rows_bad and bool(Findings(list(report.findings)).errors)
    kept_out = [kept_row(row, file_id) for row in report.quarantine]
    return Intake(
        STAGED if report.rows_good else None, not failed, quarantine=kept_out, findings=list(report.findings)
    )


def kept_row(row: KeptOut, file_id: int) -> QuarantineRow:
    """A row kept out, as the store keeps it: its text is the adapter's JSON, so that it can be corrected and replayed."""
    text = "; ".join(f"{name} = {value}" for name, value in row.raw.items())
    place = Place(
        row.file, row.sheet, row.line, row.column, subject=f"meter:{row.meter}" if row.meter else None
    )
    finding = ROW_KEPT_OUT.at(place, code=row.code, text=text)
    return QuarantineRow(file_id, row.line, json.dumps(row.to_json(), ensure_ascii=False), finding, row.sheet)

"""`quarantine`: rows that were kept out; export them, correct them, replay them.

The table that goes out and comes back has one line per cell: `id` says which row, `field` which cell, `value` what
stands in the file, `corrected` what should. A row whose `action` says `dismiss` is settled without being counted.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Any

from celadon.adapters.tables import kinds
from celadon.adapters.tables.report import QuarantineRow as KeptOut
from celadon.core import units
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Findings, Place, Severity
from celadon.core.text import Lang, Text, text_of
from celadon.plant.opened import View
from celadon.store import QuarantineRow

CORRECTIONS_UNREADABLE = FindingKind(
    "quarantine.corrections-unreadable",
    Severity.ERROR,
    Text(en="Corrections cannot be read", zh="更正文件无法读取"),
    Text(en="{file} is no table of corrections: {why}.", zh="{file} 不是更正表：{why}。"),
    Text(
        en="Export the quarantine again, fill in `corrected`, and leave the other columns as they are.",
        zh="请重新导出隔离区，填写 `corrected` 列，其余列保持不变。",
    ),
)
CORRECTION_UNKNOWN = FindingKind(
    "quarantine.correction-unknown",
    Severity.ERROR,
    Text(en="No such row in quarantine", zh="隔离区没有该行"),
    Text(
        en="Row {id}, field “{field}” does not wait in quarantine.",
        zh="隔离区中没有编号 {id}、字段“{field}”的待处理行。",
    ),
    Text(
        en="Leave `id` and `field` as exported; rows replayed before are settled.",
        zh="请保持导出的 `id` 与 `field` 不变；此前已重放的行无需再次处理。",
    ),
)
NOTHING_CORRECTED = FindingKind(
    "quarantine.nothing-corrected",
    Severity.WARNING,
    Text(en="No correction in the file", zh="文件中没有更正"),
    Text(en="{file} has nothing in the column `corrected`.", zh="{file} 的 `corrected` 列为空。"),
    Text(
        en="Write what should stand in the cell into `corrected`, or `dismiss` into `action`.",
        zh="请在 `corrected` 列填写正确值，或在 `action` 列填写 `dismiss`。",
    ),
)

COLUMNS = ("id", "file", "sheet", "line", "column", "code", "field", "value", "corrected", "action")


@dataclass(frozen=True)
class Kept:
    """One row in quarantine: what the store says of it and what the adapter said."""

    row: QuarantineRow
    kept_out: KeptOut
    source: str
    file: str

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.row.id,
            "status": self.row.status,
            "source": self.source,
            **self.kept_out.to_json(),
        }


@dataclass
class Corrections:
    """What a table of corrections asks for, by row id."""

    changes: dict[int, dict[str, str]] = field(default_factory=dict)
    dismissed: list[int] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)


def kept_rows(seen: View, status: str | None = "open") -> list[Kept]:
    """Rows in quarantine with that status (None = all), oldest first."""
    files = {file.id: file for file in seen.snapshot.files()}
    found = []
    for row in seen.store.quarantine(status):
        if row.file_id in files and row.batch <= seen.snapshot.upto:
            file = files[row.file_id]
            found.append(Kept(row, KeptOut.from_json(json.loads(row.text)), file.source_id, file.name))
    return found


def export(seen: View, path: Path) -> int:
    """Write the waiting rows to `path` as CSV (UTF-8 with a mark, so that spreadsheets read it); how many rows."""
    rows = kept_rows(seen)
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for kept in rows:
            out = kept.kept_out
            for name, value in out.raw.items():
                writer.writerow(
                    [
                        kept.row.id,
                        out.file,
                        out.sheet or "",
                        out.line,
                        out.column or "",
                        out.code,
                        name,
                        value,
                        "",
                        "",
                    ]
                )
    return len(rows)


def read_corrections(path: Path, seen: View) -> Corrections:
    """Read what `export` wrote and somebody filled in.

    Raises:
        FindingError: the file is no such table.
    """
    known = {kept.row.id: kept for kept in kept_rows(seen)}
    found = Corrections()
    for number, row in enumerate(_lines(path), start=2):
        place = Place(file=path.name, line=number)
        ident = row["id"].strip()
        kept = known.get(int(ident)) if ident.isdigit() else None
        name, corrected = row["field"].strip(), (row["corrected"] or "").strip()
        dismiss = (row.get("action") or "").strip().lower() == "dismiss"
        if not corrected and not dismiss:
            continue
        if kept is None or (corrected and name not in kept.kept_out.raw):
            found.findings.add(CORRECTION_UNKNOWN.at(place, id=ident, field=name))
        elif dismiss:
            found.dismissed.append(kept.row.id)
        else:
            found.changes.setdefault(kept.row.id, {})[name] = corrected
    if not found.changes and not found.dismissed and not found.findings.items:
        found.findings.add(NOTHING_CORRECTED.at(Place(file=path.name), file=path.name))
    return found


def _lines(path: Path) -> Iterator[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found = CORRECTIONS_UNREADABLE.at(Place(file=path.name), file=path.name, why=text_of(error))
        raise FindingError(found) from error
    reader = csv.DictReader(text.splitlines(), restval="")
    missing = [name for name in ("id", "field", "corrected") if name not in (reader.fieldnames or ())]
    if missing:
        names = ", ".join(missing)
        why = Text(f"no column {names}", f"缺少列 {names}")
        raise FindingError(CORRECTIONS_UNREADABLE.at(Place(file=path.name), file=path.name, why=why))
    yield from reader


_WHY = {
    item.code: item.title
    for module in (kinds, units)
    for item in vars(module).values()
    if isinstance(item, FindingKind)
}


def why_of(kept: Kept) -> Text:
    """What is wrong with a row, by the code it is kept under."""
    return _WHY.get(kept.kept_out.code, kept.row.finding.kind.title)


def describe(kept: Kept, lang: Lang) -> str:
    """The cells of a row as one text."""
    sign = "：" if lang == "zh" else ": "
    return "; ".join(f"{name}{sign}{value}" for name, value in kept.kept_out.raw.items())


def errors(found: Corrections) -> list[Finding]:
    """Errors in the corrections themselves."""
    return found.findings.errors

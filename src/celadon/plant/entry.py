"""Records entered by hand: each entry is a small source file of the plant that is never changed.

So entering, correcting and tracing them is what it is for any file: the entry's file says who, when, why and on what
evidence; a later entry of the same record corrects it; both clocks are kept.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import zone
from celadon.core.text import Text

EVIDENCE_MISSING = FindingKind(
    "entry.evidence",
    Severity.ERROR,
    Text(en="Evidence cannot be read", zh="凭证无法读取"),
    Text(en="The evidence {file} cannot be read.", zh="凭证文件 {file} 无法读取。"),
    Text(en="Name a file that is there.", zh="请指定存在的文件。"),
)
FOLDER = "manual"
SOURCE = "manual"
_FIELDS = (
    "quantity", "item", "purpose", "site", "process", "start", "end", "value", "unit", "weight", "weight_unit", "note",
)  # fmt: skip
_MARKS = ("by", "at", "reason", "evidence", "evidence_sha256")
_PATTERN = f"{FOLDER}/*.csv"


@dataclass(frozen=True)
class Entry:
    """One record as a person enters it. `start` and `end` are days (both included) or local instants, as written."""

    quantity: str
    value: float
    unit: str
    start: str
    end: str = ""
    item: str = ""
    purpose: str = ""
    site: str = ""
    process: str = ""
    note: str = ""
    weight: float | None = None
    weight_unit: str = ""


@dataclass(frozen=True)
class Signed:
    """Who enters, when, why, and the evidence shown (name and content)."""

    by: str
    at: datetime
    reason: str = ""
    evidence: str = ""
    evidence_bytes: bytes = b""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.evidence_bytes).hexdigest() if self.evidence else ""

    @property
    def evidence_name(self) -> str:
        """Where the evidence is kept, from the plant's folder: under its own digest, so that it cannot be exchanged."""
        suffix = re.sub(r"[^.\w]", "", Path(self.evidence).suffix)[:12]
        return f"{FOLDER}/evidence/{self.sha256}{suffix}"


def read_evidence(path: Path) -> bytes:
    """The evidence's content (FindingError when it cannot be read)."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FindingError(EVIDENCE_MISSING.at(Place(file=path.name), file=path.name)) from error


def manual_source(model: PlantModel) -> tuple[str, dict[str, Any] | None]:
    """The id of the plant's source of entries; and, where it has none yet, the block that declares it."""
    wanted = tuple((name, name) for name in _FIELDS)
    for source in model.sources:
        if source.files == (_PATTERN,) and set(source.columns) == set(wanted):
            return source.id, None
    taken = {source.id for source in model.sources}
    name = next(name for name in (SOURCE, *(f"{SOURCE}_{n}" for n in range(2, 1000))) if name not in taken)
    return name, {"id": name, "role": "records", "files": [_PATTERN], "format": "csv", "encoding": "utf-8",
                  "delimiter": ",", "fields": {field: field for field in _FIELDS}}  # fmt: skip


def file_of(entries: Sequence[Entry], signed: Signed) -> tuple[str, bytes]:
    """The name (from the plant's folder) and content of the file that holds these entries."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_FIELDS, *_MARKS])
    at = signed.at.astimezone(UTC).isoformat(timespec="seconds")
    for entry in entries:
        cells = {name: "" if value is None else value for name, value in asdict(entry).items()}
        cells["end"] = cells["end"] or cells["start"]
        marks = [signed.by, at, signed.reason, signed.evidence, signed.sha256]
        writer.writerow([_text(cell) for cell in (*(cells[name] for name in _FIELDS), *marks)])
    data = out.getvalue().encode()
    # The time comes first, so that entries are read in the order they were made.
    stamp = signed.at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    return f"{FOLDER}/{stamp}-{hashlib.sha256(data).hexdigest()[:8]}.csv", data


def _text(value: object) -> str:
    """A cell; one line each, so that a record is known by its line."""
    return repr(value) if isinstance(value, float) else " ".join(str(value).split())


def entry_of(record: Mapping[str, Any], model: PlantModel) -> Entry:
    """A record of the store (columns as `store.rows.RECORD_COLUMNS`) as an entry that has the same key."""
    tz = zone(next((site.zone for site in model.sites if site.id == record["site"]), model.zone))
    start, end = (record[name].replace(tzinfo=UTC).astimezone(tz) for name in ("start", "end"))
    return Entry(
        quantity=record["quantity"], value=record["value"], unit=record["unit"] or "", start=_written(start),
        end=_written(end, closing=True), item=record["item"] or "", purpose=record["purpose"] or "",
        site=record["site"] or "", process=record["process"] or "", note=record["note"] or "",
        weight=record["weight"], weight_unit=record["weight_unit"] or "",
    )  # fmt: skip


def _written(moment: datetime, *, closing: bool = False) -> str:
    """A local edge as a record file has it: midnight as a day (of an end, the day that it closes)."""
    if moment.hour or moment.minute or moment.second:
        return moment.strftime("%Y-%m-%d %H:%M:%S")
    return (moment - timedelta(days=1) if closing else moment).strftime("%Y-%m-%d")


@dataclass(frozen=True)
class Mark:
    """What an entry's file says of who made it."""

    by: str
    at: str
    reason: str
    evidence: str
    evidence_sha256: str

    def to_json(self) -> dict[str, str]:
        """The fields that say something."""
        return {name: word for name, word in asdict(self).items() if word}


def mark_of(path: Path, sha256: str, line: int) -> Mark | None:
    """Who made the entry in that line; None where the file is gone, has changed since it was loaded, or is no entry."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest() != sha256:
        return None
    for number, row in enumerate(csv.DictReader(io.StringIO(data.decode("utf-8"))), start=2):
        if number == line and all(name in row for name in _MARKS):
            return Mark(*(row[name] or "" for name in _MARKS))
    return None

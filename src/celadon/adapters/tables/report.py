"""What reading a table gives back: counts, findings and the quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """One row or cell that was kept out, with the texts as they stand in the file; correct `raw` and replay it.

    `raw` maps column names to texts: for a bad cell its row's time and that cell, for a bad row every mapped column.
    """

    file: str
    sheet: str | None
    line: int
    column: str | None
    code: str
    raw: dict[str, str]
    meter: str | None = None
    t: datetime | None = None
    """Where the time was good: the reading's time (UTC, an interval's end), so that a corrected value fits in again."""
    span: int = 0
    time_text: str | None = None
    """The time as printed; a corrected time makes `t` void."""
    units: dict[str, str] = field(default_factory=dict)
    """Column → the unit that the file's header gave it, which a corrected text has too."""

    def corrected(self, changes: Mapping[str, str]) -> QuarantineRow:
        """The same row with some texts replaced."""
        return replace(self, raw={**self.raw, **changes})

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads them back."""
        return {
            "file": self.file, "sheet": self.sheet, "line": self.line, "column": self.column, "code": self.code,
            "raw": dict(self.raw), "meter": self.meter, "t": self.t.isoformat() if self.t else None, "span": self.span,
            "time_text": self.time_text, "units": dict(self.units),
        }  # fmt: skip

    @staticmethod
    def from_json(shape: Mapping[str, Any]) -> QuarantineRow:
        """The row that `to_json` wrote."""
        t = datetime.fromisoformat(shape["t"]).astimezone(UTC) if shape.get("t") else None
        return QuarantineRow(
            shape["file"], shape["sheet"], shape["line"], shape["column"], shape["code"], dict(shape["raw"]),
            shape.get("meter"), t, shape.get("span", 0), shape.get("time_text"), dict(shape.get("units", {})),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TableReport:
    """Rows that went into the table, rows kept out, and what there is to say."""

    rows_good: int = 0
    rows_bad: int = 0
    findings: list[Finding] = field(default_factory=list)
    quarantine: list[QuarantineRow] = field(default_factory=list)

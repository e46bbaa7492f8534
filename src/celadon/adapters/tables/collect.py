"""The bad rows of a file: counted into a few findings, and kept as quarantine rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC
from typing import Any

import duckdb

from celadon.adapters.tables import limits
from celadon.adapters.tables.kinds import FLAW, FLAWS, HEADER_REPEATED, QUARANTINE_FULL
from celadon.adapters.tables.numbers import NumberForm
from celadon.adapters.tables.points import Layout, Point, unit_finding, unknown_meter
from celadon.adapters.tables.report import QuarantineRow
from celadon.adapters.tables.settle import PLACED_COLUMNS
from celadon.adapters.tables.sql import literal, name
from celadon.adapters.tables.staging import Context
from celadon.adapters.tables.table import Table, untyped
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, Place

BAD = "celadon_tables_bad"
_WHOLE_ROW = {FLAW[key] for key in ("encoding-mixed", "quote-open", "row-ragged")}
_TIMES = {FLAW[key] for key in ("time-missing", "time-unreadable", "time-impossible", "time-far")}
_CLOCK = {FLAW[key] for key in ("time-nonexistent", "hour-given-often")}
_SUBJECTS = 20
"""So many unknown meters or units are named one by one."""


@dataclass(slots=True)
class Collector:
    """Gathers bad rows of one pass over a file in the temporary table BAD."""

    con: duckdb.DuckDBPyConnection
    table: Table
    layout: Layout
    context: Context
    points: Mapping[str, Point]
    repeated: list[int] = field(default_factory=list)
    """Lines that repeat the header; the first few."""
    repeats: int = 0
    count: int = 0
    """Bad rows so far."""

    def __post_init__(self) -> None:
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {BAD} ({PLACED_COLUMNS})")

    def add(self, query: str) -> None:
        """Put the bad ones of placed rows (PLACED_COLUMNS) aside."""
        row = self.con.execute(
            f"INSERT INTO temp.{BAD} SELECT * FROM ({query}) WHERE flaw IS NOT NULL"
        ).fetchone()
        self.count += row[0] if row else 0

    def skip_headers(self, stage: str, flaw: int) -> None:
        """Take lines that repeat the header out of the stage and remember where they were."""
        lines = f"SELECT min(line, 3) FROM temp.{stage} WHERE flaw = {flaw}"
        row = self.con.execute(lines).fetchone()
        deleted = self.con.execute(f"DELETE FROM temp.{stage} WHERE flaw = {flaw}").fetchone()
        if row and row[0] and deleted:
            self.repeats += deleted[0]
            self.repeated = (self.repeated + list(row[0]))[:3]

    def contradicted(self, form: NumberForm) -> frozenset[int]:
        """Columns in which so many numbers contradict the declared convention that ambiguous ones cannot be trusted.

        One stray cell in a thousand does not make a convention.
        """
        if not self.count:
            return frozenset()
        rows = self.con.execute(
            f"SELECT col, point, count(*) FROM temp.{BAD} WHERE flaw = {FLAW['number-convention']} "
            f"AND regexp_full_match(shown, {literal(form.contrary)}) GROUP BY ALL"
        ).fetchall()
        contrary: dict[int, int] = {}
        for col, _, n in rows:
            contrary[col] = contrary.get(col, 0) + n
        # A wide table has one meter per column; in a long one the column holds them all.
        points = {col: point for col, point, _ in rows}
        return frozenset(
            col
            for col, n in contrary.items()
            if n * 1000 >= self._read(None if self.layout.long else points[col])
        )

    def _read(self, point: int | None) -> int:
        """Numbers of this file that were read, of one point or all."""
        context = self.context
        row = self.con.execute(
            f"SELECT count(*) FROM {name(context.into)} WHERE file = ? AND batch = ? AND (point = ? OR ?)",
            [context.file_id, context.batch, point, point is None],
        ).fetchone()
        return int(row[0]) if row else 0

    # --- findings ----------------------------------------------------------------------------------------------

    def findings(self) -> list[Finding]:
        """One finding per kind, column and (for units and meters) name, with a count and the first places."""
        found: list[Finding] = []
        if self.repeats:
            place = Place(self.table.shown, self.table.sheet, self.repeated[0])
            found.append(
                HEADER_REPEATED.at(place, count=self.repeats, lines=_lines(self.repeated, self.repeats))
            )
        if not self.count:
            return found
        named = f"flaw IN ({FLAW['meter-unknown']}, {FLAW['unit.unknown']}, {FLAW['unit.mismatch']})"
        rows = self.con.execute(
            f"SELECT flaw, CASE WHEN flaw IN ({', '.join(map(str, _WHOLE_ROW | _TIMES | _CLOCK))}) THEN -1 ELSE col END AS c, "
            f"CASE WHEN {named} THEN coalesce(bad_unit, shown) END AS who, any_value(point), count(*), min(line, 3), arg_min(shown, line) "
            f"FROM temp.{BAD} GROUP BY flaw, c, who ORDER BY min(line), flaw, c"
        ).fetchall()
        seen: dict[int, int] = {}
        for flaw, col, who, point, count, lines, shown in rows:
            seen[flaw] = seen.get(flaw, 0) + 1
            if who is not None and seen[flaw] > _SUBJECTS:
                continue
            found.append(self._finding(flaw, col, who, point, count, lines, shown or ""))
        if self.count > limits.MAX_QUARANTINE:
            found.append(QUARANTINE_FULL.at(self.table.place, count=self.count, limit=limits.MAX_QUARANTINE))
        return found

    def _finding(
        self, flaw: int, col: int, who: str | None, point: int, count: int, lines: list[int], shown: str
    ) -> Finding:
        kind, source = FLAWS[flaw], self.context.source
        place = Place(self.table.shown, self.table.sheet, lines[0], self._title(flaw, col))
        if kind.code == "table.meter-unknown":
            return unknown_meter(who or "", self.context.meters, place, count, _lines(lines, count))
        if flaw in (FLAW["unit.unknown"], FLAW["unit.mismatch"]):
            meter = next((p.meter for p in self.points.values() if p.id == point), None)
            return unit_finding(who or "", meter.unit if meter else "", place)
        values: dict[str, Any] = {"count": count, "lines": _lines(lines, count), "value": untyped(shown)}
        values |= {"decimal": source.decimal, "thousands": source.thousands, "zone": self.context.zone_name}
        values |= {
            "encoding": self.table.encoding,
            "width": self.table.header.width,
            "format": self.context.times(self.table).said,
        }
        return kind.at(place, **values)

    def _title(self, flaw: int, col: int) -> str | None:
        if flaw in _WHOLE_ROW:
            return None
        if flaw in _TIMES | _CLOCK:
            return self.context.source.time_column
        if flaw == FLAW["meter-unknown"]:
            return self.context.source.meter_column
        if flaw == FLAW["unit.unknown"] and self.context.source.unit_column:
            return self.context.source.unit_column
        return self.layout.columns[col].title

    # --- quarantine --------------------------------------------------------------------------------------------

    def quarantine(self) -> list[QuarantineRow]:
        """The bad rows in the file's order, up to the limit."""
        if not self.count:
            return []
        self._recall()
        fields = self.table.fields("raw")
        rows = self.con.execute(
            f"SELECT line, col, flaw, point, t, span, raw, {fields} FROM temp.{BAD} ORDER BY line, col LIMIT {limits.MAX_QUARANTINE}"
        ).fetchall()
        meters = {point.id: meter_id for meter_id, point in self.points.items()}
        return [self._quarantined(row, meters) for row in rows]

    def _recall(self) -> None:
        """Rows that turned out bad only later have no text yet: look their lines up in the file again."""
        missing = f"SELECT line FROM temp.{BAD} WHERE raw IS NULL"
        row = self.con.execute(f"SELECT count(*) FROM ({missing})").fetchone()
        if not row or not row[0]:
            return
        for batch in self.table.batches(self.con):
            lines = f"(SELECT line, x FROM {batch.query} WHERE line IN ({missing}))"
            self.con.execute(
                f"UPDATE temp.{BAD} SET raw = b.x FROM {lines} b WHERE {BAD}.line = b.line AND {BAD}.raw IS NULL"
            )

    def _quarantined(self, row: tuple[Any, ...], meters: Mapping[int, str]) -> QuarantineRow:
        line, col, flaw, point, t, span, text, cells = row
        whole = flaw in _WHOLE_ROW or flaw in _TIMES
        raw = {
            title: untyped(cells[index - 1])
            for title, index in sorted(self._columns(None if whole else col), key=lambda item: item[1])
            if index <= len(cells)
        }
        if flaw in _WHOLE_ROW:
            raw["@line"] = text
        time_text = raw.get(self._time_titles()[0])
        meter = None if whole else meters.get(point)
        good = not whole and t is not None and flaw != FLAW["span-open"]
        return QuarantineRow(
            self.table.shown, self.table.sheet, line, self._title(flaw, col), FLAWS[flaw].code, raw, meter,
            t.replace(tzinfo=UTC) if good else None, span or 0 if good else 0, time_text if good else None,
            {column.title: column.unit for column in self.layout.columns if column.unit and column.title in raw},
        )  # fmt: skip

    def _time_titles(self) -> list[str]:
        name = self.context.source.time_column
        return [name] if len(self.layout.time) == 1 else [part.strip() for part in name.split(" + ")]

    def _columns(self, col: int | None) -> list[tuple[str, int]]:
        """Titles and indexes of the columns a quarantine row shows: all mapped ones, or the time and one cell."""
        source = self.context.source
        found = list(zip(self._time_titles(), self.layout.time, strict=True))
        if self.layout.meter:
            found.append((source.meter_column or "", self.layout.meter))
        if self.layout.unit:
            found.append((source.unit_column or "", self.layout.unit))
        columns = self.layout.columns if col is None or self.layout.long else [self.layout.columns[col]]
        return found + [(column.title, column.index) for column in columns]


def _lines(lines: list[int], count: int) -> str:
    return ", ".join(map(str, lines)) + (" …" if count > len(lines) else "")

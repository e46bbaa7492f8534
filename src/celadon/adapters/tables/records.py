"""Records from a table: purchases, stocks, laboratory values, production: one row each, with its own span of time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from celadon.adapters.tables import limits, numbers
from celadon.adapters.tables.kinds import (
    FIELD_MISSING,
    FLAW,
    FLAWS,
    HEADER_SKIP,
    QUARANTINE_FULL,
    STOPS,
    TABLE_HEADER_ONLY,
    UNIT_CONTRADICTS,
)
from celadon.adapters.tables.numbers import NumberForm
from celadon.adapters.tables.open_table import open_table
from celadon.adapters.tables.points import insert_rows, same_unit
from celadon.adapters.tables.report import QuarantineRow, TableReport
from celadon.adapters.tables.sql import case, literal, name
from celadon.adapters.tables.staging import row_flaws
from celadon.adapters.tables.table import Table, untyped
from celadon.adapters.tables.times import TimeForm
from celadon.core.carriers import find_carrier
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, Place
from celadon.core.model import Plant, Source
from celadon.core.periods import zone as find_zone
from celadon.core.text import Text
from celadon.core.units import UNIT_UNKNOWN, UnitError, parse_unit
from celadon.store.scratch import Scratch

ROWS = "celadon_tables_records"
RECORD_COLUMNS = (
    'quantity VARCHAR, item VARCHAR, purpose VARCHAR, site VARCHAR, process VARCHAR, start TIMESTAMP, "end" TIMESTAMP, '
    "value DOUBLE, unit VARCHAR, weight DOUBLE, weight_unit VARCHAR, note VARCHAR, file INTEGER, line INTEGER, batch INTEGER"
)
TIMES, AMOUNTS = ("date", "start", "end"), ("value", "weight")
WORDS = ("quantity", "item", "purpose", "site", "process", "unit", "weight_unit", "note")
OF_CARRIERS = frozenset(
    {
        "fuel_purchased", "fuel_opening_stock", "fuel_closing_stock", "fuel_resold", "fuel_consumed",
        "energy_purchased", "energy_exported", "energy_generated", "energy_consumed", "energy_cost",
        "net_calorific_value", "carbon_content", "carbon_content_by_mass",
    }
)  # fmt: skip
"""Record quantities whose item is an energy carrier."""
_COARSE = re.compile(r"(\d{4})(?:年|(?:[-/.]|年)(\d{1,2})月?)?")


_PLACES = {"site": Text("site", "厂区"), "process": Text("process", "工序")}


def read_records(
    con: duckdb.DuckDBPyConnection,
    path: Path | str,
    source: Source,
    plant: Plant,
    file_id: int,
    batch: int,
    into: str,
    progress: Callable[[float], None] | None = None,
    *,
    shown: str | None = None,
    now: datetime | None = None,
) -> TableReport:
    """Read one file's records into the table `into` (made when it is not there).

    `date` is a day, month or year in the record's zone, both edges included; `start` and `end` are days (the end included)
    or instants. A blank value is no record. Bad data never raises: it is in the report.
    """
    con.execute(f"CREATE TABLE IF NOT EXISTS {name(into)} ({RECORD_COLUMNS})")
    wanted = [header for _, header in source.columns if not header.startswith("=")]
    with Scratch() as scratch:
        try:
            table = open_table(Path(path), shown or str(path), source, wanted, scratch.path)
        except FindingError as error:
            return TableReport(findings=list(error.findings))
        moment = now or datetime.now(UTC)
        with closing(table):
            return RecordLoad(con, table, source, plant, file_id, batch, into, moment).run(progress)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record cannot be taken: the flaw's number, and the field it is in."""

    flaw: int
    field: str


@dataclass(slots=True)
class RecordLoad:
    """One table of records on its way into the target."""

    con: duckdb.DuckDBPyConnection
    table: Table
    source: Source
    plant: Plant
    file_id: int
    batch: int
    into: str
    now: datetime
    indexes: dict[str, int] = field(default_factory=dict)
    """Field -> column from 1."""
    constants: dict[str, str] = field(default_factory=dict)
    bad: list[tuple[int, int, str, str, list[str]]] = field(default_factory=list)
    """Line, flaw, field, shown text, cells."""
    good: int = 0
    rows: int = 0
    too_many: int = 0
    _maps: dict[str, tuple[dict[str, str], dict[str, str]]] = field(default_factory=dict, init=False)
    """Of each mapped field: our words by the file's, and by them in small letters; of two alike the first."""

    def __post_init__(self) -> None:
        for key, pairs in self.source.maps:
            folded = {theirs.strip().casefold(): ours for theirs, ours in reversed(pairs)}
            self._maps[key] = (dict(pairs), folded)

    def run(self, progress: Callable[[float], None] | None) -> TableReport:
        """Read every row; see `read_records`."""
        findings = [*self.table.findings, *self._lay_out()]
        where = Place(self.source.where.file, line=self.source.where.line, subject=f"source:{self.source.id}")
        wrong = [*self._form.problems(where), *self._times.problems(self.con, where)]
        if any(item.code in ("table.field-missing",) for item in findings) or not self._complete() or wrong:
            return TableReport(findings=findings + wrong)
        try:
            for batch in self.table.batches(self.con):
                self._batch(self._query(batch.query))
                if progress:
                    progress(batch.share)
        except FindingError as error:
            findings += error.findings
        if not self.rows and not any(item.kind in STOPS for item in findings):
            findings.append(TABLE_HEADER_ONLY.at(self.table.place))
        findings += [*self.table.after(), *self._findings()]
        return TableReport(
            self.good, len(self.bad) + self.too_many, findings, [self._quarantined(row) for row in self.bad]
        )

    @property
    def _form(self) -> NumberForm:
        return NumberForm(self.source.decimal, self.source.thousands)

    @property
    def _times(self) -> TimeForm:
        return TimeForm(self.source.time_format, False, self.table.typed, self.table.excel_1904)

    def _lay_out(self) -> list[Finding]:
        """Find the mapped columns; what a record cannot do without must be mapped."""
        found: list[Finding] = []
        for key, header in self.source.columns:
            if header.startswith("="):
                self.constants[key] = header[1:]
                continue
            index = self.table.header.find(header, self.table.place)
            if isinstance(index, Finding):
                found.append(index)
            else:
                self.indexes[key] = index + 1
        if self.source.quantity:
            self.constants.setdefault("quantity", self.source.quantity)
        found += self._unit_of_header()
        mapped = {key for key, _ in self.source.columns} | set(self.constants)
        needed = ["value", "quantity", *([] if {"start", "end"} <= mapped else ["date"])]
        place = Place(self.source.where.file, line=self.source.where.line, subject=f"source:{self.source.id}")
        return found + [FIELD_MISSING.at(place, field=key) for key in needed if key not in mapped]

    @property
    def _header_unit(self) -> str | None:
        return self.table.header.unit_of(self.indexes["value"] - 1) if "value" in self.indexes else None

    def _unit_of_header(self) -> list[Finding]:
        """Take the unit in the header of the values where the plant file gives none; a Finding where it gives another."""
        header = self._header_unit
        if header is None or "unit" in self.indexes:
            return []
        said = self.constants.setdefault("unit", header)
        if same_unit(dict(dict(self.source.maps).get("unit", ())).get(said, said), header):
            return []
        place = Place(
            self.table.shown, self.table.sheet, self.table.header.line or None, self._title("value")
        )
        return [UNIT_CONTRADICTS.at(place, header=header, unit=said)]

    def _complete(self) -> bool:
        have = set(self.indexes) | set(self.constants)
        return {"value", "quantity"} <= have and ("date" in have or {"start", "end"} <= have)

    # --- reading -----------------------------------------------------------------------------------------------

    def _query(self, rows: str) -> str:
        """Line, cells and row flaw; of each time its text, wall time and flaw; of each amount its text, value and flaw."""
        texts = {
            key: numbers.clean(f"f[{index}]") for key, index in self.indexes.items() if key in TIMES + AMOUNTS
        }
        texts |= {key: literal(self.constants[key]) for key in TIMES + AMOUNTS if key in self.constants}
        given = [key for key in TIMES + AMOUNTS if key in texts]
        columns = ", ".join(f"{texts[key]} AS t_{key}" for key in given)
        read = ", ".join(f"{self._read(key)} AS v_{key}" for key in given)
        flaws = ", ".join(f"({self._flaw(key)}) AS w_{key}" for key in given)
        shaped = f"SELECT line, f, x, {case(row_flaws(self.table))} AS rflaw, {columns} FROM {rows}"
        valued = f"SELECT *, {read} FROM ({shaped})"
        picked = ", ".join(f"t_{key}, v_{key}, w_{key}" for key in given)
        return f"SELECT line, f, x, rflaw, {picked or 'NULL'} FROM (SELECT *, {flaws} FROM ({valued})) ORDER BY line"

    def _read(self, key: str) -> str:
        return (
            self._times.local(f"t_{key}")
            if key in TIMES
            else numbers.value(f"t_{key}", self._form, self.table.typed)
        )

    def _flaw(self, key: str) -> str:
        text, value = f"t_{key}", f"v_{key}"
        if key in TIMES:
            return self._times.flaw(text, value, self.now)
        return numbers.flaw(text, value, "", self.table.typed)

    def _batch(self, query: str) -> None:
        given = [key for key in TIMES + AMOUNTS if key in self.indexes or key in self.constants]
        rows = self.con.execute(query).fetchall()
        records: list[tuple[object, ...]] = []
        for line, cells, text, rflaw, *values in rows:
            if rflaw == HEADER_SKIP or not any(self._cell(cells, key) for key in self.indexes):
                continue
            self.rows += 1
            if rflaw is not None:
                self._refuse(line, int(rflaw), "", text[: limits.SHOWN], cells)
                continue
            parts = {key: tuple(values[n * 3 : n * 3 + 3]) for n, key in enumerate(given)}
            record = self._record(line, cells, parts)
            if record is not None:
                records.append((*record, self.file_id, line, self.batch))
        self._write(records)

    def _write(self, records: Sequence[tuple[object, ...]]) -> None:
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {ROWS} ({RECORD_COLUMNS})")
        insert_rows(self.con, ROWS, records)
        self.con.execute(f"INSERT INTO {name(self.into)} SELECT * FROM temp.{ROWS}")
        self.con.execute(f"DROP TABLE temp.{ROWS}")
        self.good += len(records)

    def _cell(self, cells: Sequence[str], key: str) -> str:
        index = self.indexes.get(key, 0)
        return untyped(cells[index - 1]).strip() if 0 < index <= len(cells) else ""

    def _word(self, cells: Sequence[str], key: str) -> str:
        """A field's text, in our words where the source maps them."""
        text = self._cell(cells, key) if key in self.indexes else self.constants.get(key, "")
        exact, folded = self._maps.get(key, ({}, {}))
        return exact[text] if text in exact else folded.get(text.casefold(), text)

    def _refuse(self, line: int, flaw: int, key: str, shown: str, cells: list[str]) -> None:
        if len(self.bad) < limits.MAX_QUARANTINE:
            self.bad.append((line, flaw, key, untyped(shown)[: limits.SHOWN], cells))
        else:
            self.too_many += 1

    def _record(
        self, line: int, cells: list[str], parts: Mapping[str, tuple[Any, ...]]
    ) -> tuple[object, ...] | None:
        """The record's columns up to `note`; None when it is absent or was refused."""
        text, value, flaw = parts["value"]
        if untyped(text) in ("", *self.source.missing) and not text.startswith(numbers.EMPTY_FORMULA):
            return None
        if flaw is not None:
            self._refuse(line, int(flaw), "value", text, cells)
            return None
        words = {key: self._word(cells, key) for key in WORDS}
        if problem := self._check_words(words):
            self._refuse(line, FLAW[problem[0]], problem[1], words[problem[1]], cells)
            return None
        weight = parts.get("weight", ("", None, None))
        if weight[2] is not None and untyped(weight[0]) not in ("", *self.source.missing):
            self._refuse(line, int(weight[2]), "weight", weight[0], cells)
            return None
        span = self._span(parts, words["site"])
        if isinstance(span, Refusal):
            self._refuse(line, span.flaw, span.field, parts[span.field][0], cells)
            return None
        places = (words["quantity"], words["item"], words["purpose"], words["site"], words["process"])
        return (*places, *span, value, words["unit"], weight[1], words["weight_unit"], words["note"])

    # --- words -------------------------------------------------------------------------------------------------

    def _check_words(self, words: dict[str, str]) -> tuple[str, str] | None:
        """Put ids in place of names; (flaw, field) of the first word that means nothing."""
        if not words["quantity"]:
            return "field-blank", "quantity"
        if words["quantity"] in OF_CARRIERS:
            if not words["item"]:
                return "field-blank", "item"
            carrier = find_carrier(words["item"], self.plant.carriers)
            if carrier is None:
                return "item-unknown", "item"
            words["item"] = carrier.id
        sites = {site.id: site.name for site in self.plant.sites}
        if not words["site"] and len(sites) == 1:
            words["site"] = next(iter(sites))
        elif words["site"] and not (found := _place_id(words["site"], sites)):
            return "place-unknown", "site"
        elif words["site"]:
            words["site"] = found
        processes = {
            p.id: p.name
            for site in self.plant.sites
            for p in site.processes
            if words["site"] in ("", site.id)
        }
        if words["process"]:
            if not (known := _place_id(words["process"], processes)):
                return "place-unknown", "process"
            words["process"] = known
        return next(
            (("unit.unknown", key) for key in ("unit", "weight_unit") if not _unit_known(words[key])), None
        )

    # --- time --------------------------------------------------------------------------------------------------

    def _span(self, parts: Mapping[str, tuple[Any, ...]], site: str) -> tuple[datetime, datetime] | Refusal:
        """Start and end in UTC."""
        zone = self.source.zone or next((s.zone for s in self.plant.sites if s.id == site), self.plant.zone)
        edges: dict[str, tuple[datetime, datetime]] = {}
        for key in ("start", "end", "date"):
            if key not in parts or (key == "date" and len(edges) == 2):
                continue
            text, local, flaw = parts[key]
            if not text and (key != "date" or edges):
                continue
            coarse = self._coarse(untyped(text)) if flaw is not None or self.source.time_format else None
            if coarse is None and flaw is not None:
                return Refusal(int(flaw), key)
            edges[key] = coarse or _day_or_instant(local, key != "date")
        first = edges.get("start") or edges.get("date")
        last = edges.get("end") or edges.get("date") or first
        if first is None or last is None:
            return Refusal(FLAW["time-missing"], "date" if "date" in parts else "start")
        tz = find_zone(zone)
        start, end = (
            moment.replace(tzinfo=tz).astimezone(UTC).replace(tzinfo=None) for moment in (first[0], last[1])
        )
        return (
            (start, end)
            if start <= end
            else Refusal(FLAW["period-reversed"], "end" if "end" in edges else "date")
        )

    def _coarse(self, text: str) -> tuple[datetime, datetime] | None:
        """A month or a year, when that is what the text or the format says."""
        form = self.source.time_format
        if form is not None:
            if re.search(r"%-?[djeUW]", form):
                return None
            try:
                day = datetime.strptime(text, form)
            except ValueError:
                return None
            return _whole(day.year, day.month if re.search(r"%-?[mbB]", form) else None)
        match = _COARSE.fullmatch(text)
        month = int(match[2]) if match and match[2] else None
        if not match or (month is not None and not 1 <= month <= 12) or not 1970 <= int(match[1]) <= 9998:
            return None
        return _whole(int(match[1]), month)

    # --- what is kept out --------------------------------------------------------------------------------------

    def _title(self, key: str) -> str | None:
        return dict(self.source.columns).get(key, key) if key else None

    def _findings(self) -> list[Finding]:
        """One per kind, field and (for words) text, with a count and the first lines."""
        groups: dict[tuple[int, str, str], list[tuple[int, str]]] = {}
        named = {FLAW["item-unknown"], FLAW["unit.unknown"]}
        for line, flaw, key, shown, _ in self.bad:
            groups.setdefault((flaw, key, shown if flaw in named else ""), []).append((line, shown))
        found = [self._finding(flaw, key, places) for (flaw, key, _), places in list(groups.items())[:200]]
        if self.too_many:
            total = len(self.bad) + self.too_many
            found.append(QUARANTINE_FULL.at(self.table.place, count=total, limit=limits.MAX_QUARANTINE))
        return found

    def _finding(self, flaw: int, key: str, places: list[tuple[int, str]]) -> Finding:
        line, shown = places[0]
        lines = ", ".join(str(item[0]) for item in places[:3]) + (" …" if len(places) > 3 else "")
        place = Place(self.table.shown, self.table.sheet, line, self._title(key))
        if FLAWS[flaw] is UNIT_UNKNOWN:
            return UNIT_UNKNOWN.at(place, unit=shown, hint="")
        values: dict[str, Any] = {
            "count": len(places),
            "lines": lines,
            "value": shown,
            "what": _PLACES.get(key, key),
            "encoding": self.table.encoding,
        }
        values |= {
            "decimal": self.source.decimal,
            "thousands": self.source.thousands,
            "format": self._times.said,
        }
        values |= {"width": self.table.header.width, "zone": self.source.zone or self.plant.zone}
        return FLAWS[flaw].at(place, **values)

    def _quarantined(self, row: tuple[int, int, str, str, list[str]]) -> QuarantineRow:
        line, flaw, key, shown, cells = row
        titles = dict(self.source.columns)
        raw = {
            # A blank last cell may be missing from the row; it can still be filled in and replayed.
            titles[field_]: untyped(cells[index - 1]) if index <= len(cells) else ""
            for field_, index in sorted(self.indexes.items(), key=lambda item: item[1])
        }
        if not key:
            raw["@line"] = shown
        units = {titles["value"]: unit} if (unit := self._header_unit) else {}
        return QuarantineRow(
            self.table.shown, self.table.sheet, line, self._title(key), FLAWS[flaw].code, raw, units=units
        )


def _place_id(word: str, places: Mapping[str, Any]) -> str:
    """The id of the place with this id or name; '' when there is none."""
    if word in places:
        return word
    same = (
        key
        for key, label in places.items()
        if word.casefold() in (key.casefold(), label.zh.casefold(), label.en.casefold())
    )
    return next(same, "")


def _unit_known(unit: str) -> bool:
    if not unit:
        return True
    try:
        parse_unit(unit)
    except UnitError:
        return False
    return True


def _day_or_instant(local: datetime, instants: bool) -> tuple[datetime, datetime]:
    """The whole day; of a start or end with a clock time, that instant."""
    if instants and (local.hour or local.minute or local.second):
        return local, local
    day = datetime(local.year, local.month, local.day)
    return day, day + timedelta(days=1)


def _whole(year: int, month: int | None) -> tuple[datetime, datetime]:
    if month is None:
        return datetime(year, 1, 1), datetime(year + 1, 1, 1)
    return datetime(year, month, 1), datetime(year + month // 12, month % 12 + 1, 1)

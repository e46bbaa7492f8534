"""Corrected quarantine rows, read again under the same rules as the file they came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from celadon.adapters.tables.header import Header, plain
from celadon.adapters.tables.kinds import FLAW, FLAWS
from celadon.adapters.tables.numbers import TYPED_NUMBER, TYPED_TIME, NumberForm, parse_number
from celadon.adapters.tables.points import conversions, insert_rows, state_words
from celadon.adapters.tables.readings import READING_COLUMNS, load
from celadon.adapters.tables.records import RECORD_COLUMNS, RecordLoad
from celadon.adapters.tables.report import QuarantineRow, TableReport
from celadon.adapters.tables.sql import literal, name
from celadon.adapters.tables.staging import Context
from celadon.adapters.tables.table import Table
from celadon.adapters.tables.text import FIELD_MARK
from celadon.core.findings import Finding, Place
from celadon.core.model import Meter, Plant, PointKind, Source

REPLAY, VALUES = "celadon_tables_replay", "celadon_tables_values"
_CANONICAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?: [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?)?Z?")


def replay(
    con: duckdb.DuckDBPyConnection,
    rows: Iterable[QuarantineRow],
    source: Source,
    meters: Mapping[str, Meter],
    point_ids: Mapping[str, int],
    file_ids: Mapping[str, int],
    batch: int,
    into: str,
    *,
    zone: str = "Asia/Shanghai",
    states: Mapping[str, Mapping[str, int]] | None = None,
    now: datetime | None = None,
) -> TableReport:
    """Read corrected rows into the table `into`; they keep the file and line they came from.

    `file_ids` maps the rows' `file` to its id. What is still bad comes back in the report's quarantine. Where a row's
    time is as it was, its reading keeps its place in time; numbers of workbook rows are written with a point.
    """
    con.execute(f"CREATE TABLE IF NOT EXISTS {name(into)} ({READING_COLUMNS})")
    context = Context(source, meters, point_ids, 0, batch, into, zone, states or {}, now or datetime.now(UTC))
    placed: list[QuarantineRow] = []
    loose: dict[tuple[str, str | None], list[QuarantineRow]] = {}
    for row in rows:
        if _keeps_time(row, source) and row.meter in meters and row.meter in point_ids:
            placed.append(row)
        else:
            loose.setdefault((row.file, row.sheet), []).append(row)
    report = _put_back(con, placed, context, file_ids)
    for (file, _), group in loose.items():
        # Rows whose time or shape was bad go through the whole reading once more.
        again = load(con, _as_table(con, group), replace(context, file_id=file_ids[file]))
        con.execute(f"DROP TABLE temp.{REPLAY}")
        report = _both(report, again)
    return report


def replay_records(
    con: duckdb.DuckDBPyConnection,
    rows: Iterable[QuarantineRow],
    source: Source,
    plant: Plant,
    file_ids: Mapping[str, int],
    batch: int,
    into: str,
    *,
    now: datetime | None = None,
) -> TableReport:
    """Read corrected rows of a records file; as `replay`."""
    con.execute(f"CREATE TABLE IF NOT EXISTS {name(into)} ({RECORD_COLUMNS})")
    groups: dict[tuple[str, str | None], list[QuarantineRow]] = {}
    for row in rows:
        groups.setdefault((row.file, row.sheet), []).append(row)
    report = TableReport()
    for (file, _), group in groups.items():
        table = _as_table(con, group)
        again = RecordLoad(
            con, table, source, plant, file_ids[file], batch, into, now or datetime.now(UTC)
        ).run(None)
        con.execute(f"DROP TABLE temp.{REPLAY}")
        report = _both(report, again)
    return report


def _both(left: TableReport, right: TableReport) -> TableReport:
    return TableReport(
        left.rows_good + right.rows_good,
        left.rows_bad + right.rows_bad,
        [*left.findings, *right.findings],
        [*left.quarantine, *right.quarantine],
    )


def _keeps_time(row: QuarantineRow, source: Source) -> bool:
    first = (
        source.time_column if source.time_column in row.raw else source.time_column.split(" + ")[0].strip()
    )
    return row.t is not None and row.column in row.raw and row.raw.get(first) == row.time_text


def _put_back(
    con: duckdb.DuckDBPyConnection,
    rows: Sequence[QuarantineRow],
    context: Context,
    file_ids: Mapping[str, int],
) -> TableReport:
    """Rows whose value alone was bad go to where they belong in time."""
    good: list[tuple[object, ...]] = []
    bad: list[QuarantineRow] = []
    findings: list[Finding] = []
    for row in rows:
        value = _value(row, context)
        if isinstance(value, float) and row.t is not None and row.meter is not None:
            t = row.t.astimezone(UTC).replace(tzinfo=None)
            good.append(
                (
                    context.point_ids[row.meter],
                    t,
                    row.span,
                    value,
                    file_ids[row.file],
                    row.line,
                    context.batch,
                )
            )
        elif isinstance(value, int):
            kind = FLAWS[value]
            bad.append(replace(row, code=kind.code))
            findings.append(_still_bad(row, value, context))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {VALUES} ({READING_COLUMNS})")
    insert_rows(con, VALUES, good)
    con.execute(f"INSERT INTO {name(context.into)} SELECT * FROM temp.{VALUES}")
    con.execute(f"DROP TABLE temp.{VALUES}")
    return TableReport(len(good), len(bad), findings, bad)


def _still_bad(row: QuarantineRow, flaw: int, context: Context) -> Finding:
    place = Place(row.file, row.sheet, row.line, row.column)
    shown, form = row.raw.get(row.column or "", ""), context.numbers
    meter = context.meters.get(row.meter or "")
    values: dict[str, Any] = {
        "count": 1,
        "lines": row.line,
        "value": shown,
        "decimal": form.decimal,
        "thousands": form.thousands,
    }
    unit = row.raw.get(context.source.unit_column or "", "")
    values |= {
        "unit": unit,
        "hint": "",
        "what": row.column,
        "dimension": "?",
        "expected": meter.unit if meter else "?",
    }
    return FLAWS[flaw].at(place, **values)


def _value(row: QuarantineRow, context: Context) -> float | int | None:
    """The corrected value in the meter's unit; None when it is now blank; the flaw's number when it is still bad."""
    meter, source = context.meters[row.meter or ""], context.source
    column = source.value_column or row.column or "" if source.meter_column else row.column or ""
    text = row.raw.get(column, "").strip()
    if text in ("", *source.missing):
        return None
    if (
        meter.kind is PointKind.STATE
        and (code := state_words(meter, context.states).get(text.lower())) is not None
    ):
        return float(code)
    number = parse_number(text, NumberForm() if row.sheet else context.numbers)
    if number is None:
        return FLAW["state-unknown"] if meter.kind is PointKind.STATE else FLAW["number-unreadable"]
    unit = (
        row.raw.get(source.unit_column or "", "").strip()
        or row.units.get(column)
        or dict(source.units).get(column)
    )
    if not unit or meter.kind is PointKind.STATE:
        return number
    began = (row.t or context.now).astimezone(UTC).replace(tzinfo=None)
    found = next(c for c in conversions(meter, unit) if c.since <= began < c.until)
    if found.flaw is not None:
        return found.flaw
    return number if found.num == found.den else float(f"{number * found.num / found.den:.15g}")


def _as_table(con: duckdb.DuckDBPyConnection, rows: Sequence[QuarantineRow]) -> Table:
    """The rows of one file and sheet as a table; its lines are those of the file."""
    names = list(dict.fromkeys(key for row in rows for key in row.raw if not key.startswith("@")))
    typed = rows[0].sheet is not None
    lines = [(row.line, FIELD_MARK.join(_cell(row.raw.get(key, ""), typed) for key in names)) for row in rows]
    con.execute(f"CREATE OR REPLACE TEMP TABLE {REPLAY} (line BIGINT, x VARCHAR)")
    insert_rows(con, REPLAY, lines)
    query = f"SELECT line, x, string_split(x, {literal(FIELD_MARK)}) AS f FROM temp.{REPLAY}"
    units = {key: unit for row in rows for key, unit in row.units.items()}
    header = Header(0, 1, (tuple(plain(key) for key in names), tuple(units.get(key, "") for key in names)))
    return Table(
        Path(rows[0].file), rows[0].file, header, FIELD_MARK, list, rows[0].sheet, typed, parquet=query
    )


def _cell(text: str, typed: bool) -> str:
    text = text.replace(FIELD_MARK, " ").replace("\n", " ")
    if typed and _ISO.fullmatch(text.strip()):
        return TYPED_TIME + text.strip()
    return TYPED_NUMBER + text.strip() if typed and _CANONICAL.fullmatch(text.strip()) else text

"""Where a filing's facts came from, told without the readings themselves: digests, ends, records, the registers' sums."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from celadon.core.findings import FindingError, Severity
from celadon.core.periods import Grain, Period
from celadon.metering.proof import Proof
from celadon.plant.balance import prove
from celadon.plant.ledger import Deriver, summed_meters
from celadon.plant.opened import View
from celadon.plant.sources import superseded
from celadon.plant.workspace import Workspace, write_records

READINGS, RECORDS, SOURCES, CONSERVATION = (
    "data/facts/readings.csv", "data/facts/records.csv", "data/facts/sources.csv", "data/facts/conservation.csv",
)  # fmt: skip


def as_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """CSV in UTF-8 with a header; absent is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def evidence(work: Workspace, seen: View, period: Period) -> dict[str, bytes]:
    """Sources with digests; readings by meter and month with the lines at their ends; records; the registers' sums."""
    names = {file.id: file.name for file in seen.snapshot.files()}
    batches = {batch.id: batch.recorded_at for batch in seen.snapshot.batches()}
    gone = superseded(seen.snapshot.files())
    sources = [
        (file.id, file.source_id, file.name, file.sha256, file.bytes, batches[file.batch].isoformat())
        for file in seen.snapshot.files()
        if file.id not in gone
    ]
    proofs, said = prove(work, seen, period)
    work.con.execute("DROP TABLE IF EXISTS balance_ledger")
    broken = [
        item for item in said if item.severity is Severity.ERROR and item.code == "balance.not-conserved"
    ]
    if broken:
        raise FindingError(broken)
    return {
        SOURCES: as_csv(("file", "source", "name", "sha256", "bytes", "recorded_at"), sources),
        READINGS: as_csv(_READINGS, _readings(work.con, seen, period, names)),
        RECORDS: as_csv(_RECORDS, _records(work.con, seen, period, names)),
        CONSERVATION: as_csv(_SUMS, map(_sums, proofs)),
    }


_SUMS = ("meter", "unit", "period", "counted", "rolled", "edges", "intervals", "attributed", "gaps")
_READINGS = (
    "meter", "month", "readings", "first_time", "first_value", "first_file", "first_line", "last_time", "last_value", "last_file",
    "last_line", "sha256",
)  # fmt: skip
_RECORDS = (
    "quantity", "item", "purpose", "site", "process", "start", "end", "value", "unit", "weight", "weight_unit", "note", "file", "line",
)  # fmt: skip


def _sums(item: Proof) -> tuple[object, ...]:
    """One meter's sums in ticks (10⁻⁶ of the unit)."""
    pieces = item.pieces
    parts = (sum(part.counted for part in pieces), sum(part.rolled for part in pieces))
    edges, gaps = sum(part.edges for part in pieces), sum(gap.amount or 0 for gap in item.gaps)
    return item.meter, item.unit, item.period.label, *parts, edges, item.intervals, item.attributed, gaps


def _readings(
    con: duckdb.DuckDBPyConnection, seen: View, period: Period, names: Mapping[int, str]
) -> Iterable[Sequence[object]]:
    """Lines of readings.csv out of the store."""
    deriver, points = Deriver.of(con, seen), seen.snapshot.points()
    meters = {points[meter.id]: meter.id for meter in summed_meters(seen.model) if meter.id in points}
    con.execute("CREATE OR REPLACE TEMP TABLE filed_names (id INTEGER, name VARCHAR)")
    con.executemany("INSERT INTO filed_names VALUES (?, ?)", [[0, ""], *map(list, names.items())])
    for month in period.split(Grain.MONTH):
        with seen.store.reading():
            sql = deriver.readings_sql(sorted(meters), month.start, month.end, 0)
            named = f"SELECT r.*, n.name FROM ({sql}) r LEFT JOIN filed_names n ON n.id = r.file"
            yield from list(_month(con, named, month, meters))
    con.execute("DROP TABLE filed_names")


def _month(
    con: duckdb.DuckDBPyConnection, source: str, month: Period, meters: Mapping[int, str]
) -> Iterable[Sequence[object]]:
    """Of each meter in a month the count, the ends with file and line, and a digest over every reading that counts.

    The digest is of lines `time|seconds|value|file's name|line`, in the order of time; a corrected reading is there as corrected.
    """
    found = con.execute(
        f"""WITH last AS (SELECT * FROM ({source}) QUALIFY row_number() OVER (
            PARTITION BY point, t, span ORDER BY batch DESC, file DESC, line DESC) = 1)
        SELECT point, count(*), min_by(struct_pack(t, value, name, line), (t, span)),
          max_by(struct_pack(t, value, name, line), (t, span)),
          sha256(string_agg(concat_ws('|', t, span, value, name, line), chr(10) ORDER BY t, span))
        FROM last GROUP BY point ORDER BY point"""
    ).fetchall()
    for point, count, first, last, digest in found:
        ends = (cell for end in (first, last) for cell in (_utc(end["t"]), *list(end.values())[1:]))
        yield meters[point], month.label, count, *ends, digest


def readings_csv(
    con: duckdb.DuckDBPyConnection, table: str, period: Period, points: Mapping[str, int]
) -> bytes:
    """readings.csv as it follows from a table of readings with their files' names."""
    meters = {point: meter for meter, point in points.items()}
    rows: list[Sequence[object]] = []
    for month in period.split(Grain.MONTH):
        start, end = (f"TIMESTAMP '{_naive(moment)}'" for moment in (month.start, month.end))
        rows += _month(con, f"SELECT * FROM {table} WHERE t >= {start} AND t < {end}", month, meters)
    return as_csv(_READINGS, rows)


def _records(
    con: duckdb.DuckDBPyConnection, seen: View, period: Period, names: Mapping[int, str]
) -> Iterable[Sequence[object]]:
    """Lines of records.csv out of the store."""
    write_records(con, seen, "filed_records")
    found = list(_overlapping(con, "filed_records", "file", period))
    con.execute("DROP TABLE filed_records")
    for *cells, file, line in found:
        yield (*cells, names.get(file), line)


def _overlapping(
    con: duckdb.DuckDBPyConnection, table: str, file: str, period: Period
) -> Iterable[list[Any]]:
    """The records that overlap the period, or stand at its edges (stocks)."""
    listed = ", ".join(f'"{file if name == "file" else name}"' for name in _RECORDS)
    rows = con.execute(
        f"""SELECT {listed} FROM {table} WHERE start <= $2 AND "end" >= $1 ORDER BY ALL""",
        [_naive(period.start), _naive(period.end)],
    ).fetchall()
    for row in rows:
        yield [_utc(cell) if isinstance(cell, datetime) else cell for cell in row]


def records_csv(con: duckdb.DuckDBPyConnection, table: str, period: Period) -> bytes:
    """records.csv as it follows from a table of records with their files' names."""
    return as_csv(_RECORDS, _overlapping(con, table, "name", period))


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _utc(moment: datetime) -> str:
    return moment.replace(tzinfo=UTC).isoformat()

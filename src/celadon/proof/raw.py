"""The readings and records behind a filing's facts, where it carries them: every fact made anew from the meters' lines.

A package filed with them holds each reading that counted (corrected ones and their corrections too, as the ledger needs them),
with the readings around the period that its edges are cut from, and every record. Facts are a pure function of these and of the
plant; checking derives them with the same functions as loading does, without a store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, Place
from celadon.core.periods import Period
from celadon.metering.activity import build_facts
from celadon.metering.amounts import covering_period
from celadon.metering.intervals import derive
from celadon.plant.ledger import Deriver, summed_meters
from celadon.plant.opened import View
from celadon.plant.workspace import write_records
from celadon.proof import faults
from celadon.proof.evidence import READINGS, RECORDS, readings_csv, records_csv
from celadon.store import READING_COLUMNS, RECORD_COLUMNS
from celadon.store.segments import literal

if TYPE_CHECKING:
    from celadon.core.model import Plant as PlantModel
    from celadon.core.periods import Grain
    from celadon.core.quantities import Space
    from celadon.proof.deriving import Keeping

RAW_READINGS, RAW_RECORDS = "data/facts/raw-readings.parquet", "data/facts/raw-records.parquet"
MOST_READINGS = 10_000_000
BYTES_OF_READING = 8
"""About what one takes in the package."""
"""Readings that a filing may carry: some 80 MB; beyond it a shorter period is filed."""
_FILE = {"meter": "VARCHAR", "name": "VARCHAR"}
_READINGS = {**READING_COLUMNS, **_FILE}
_RECORDS = {**RECORD_COLUMNS, "name": "VARCHAR"}
_KEY = (
    "quantity", "item", "purpose", "enterprise", "site", "process", "meter", "time_start", "time_end", "unit", "source",
)  # fmt: skip
_NUMBERS = ("value", "weight", "estimated", "coverage")
_AS_GOOD_AS = 1e-12


@dataclass(frozen=True)
class Raw:
    """What a package has of them: how many, and the numbers that the store knew the meters by."""

    readings: int
    records: int
    points: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        return {"readings": self.readings, "records": self.records, "points": dict(self.points)}


def raw_of(request: Mapping[str, Any]) -> Raw | None:
    """What the request of a package says of them; None where it was filed without."""
    told = request.get("raw")
    if told is None:
        return None
    points = {str(meter): int(point) for meter, point in told["points"].items()}
    return Raw(int(told["readings"]), int(told["records"]), points)


# -- filing ------------------------------------------------------------------------------------------------------------


def keep_raw(work: Keeping, seen: View, period: Period) -> tuple[dict[str, bytes], Raw]:
    """The files of the readings and records that facts of the period are made from.

    Raises:
        FindingError: `filing.readings-too-many`.
    """
    con, window, known = work.con, covering_period(seen.model, period), seen.snapshot.points()
    points = {meter.id: known[meter.id] for meter in summed_meters(seen.model) if meter.id in known}
    deriver = Deriver.of(con, seen)
    with seen.store.reading():
        sql = deriver.readings_sql(sorted(points.values()), window.start, window.end, 0)
        count = _number(con, f"SELECT count(*) FROM ({sql})")
        if count > MOST_READINGS:
            raise FindingError(
                faults.READINGS_TOO_MANY.at(Place(period=period.label), count=count, most=MOST_READINGS)
            )
        deriver.readings(sorted(points.values()), window.start, window.end, "kept_readings")
    write_records(con, seen, "kept_records")
    names = [[0, ""], *([file.id, file.name] for file in seen.snapshot.files())]
    meters = [[point, meter] for meter, point in points.items()] or [[-1, ""]]
    con.execute("CREATE OR REPLACE TEMP TABLE kept_names (id INTEGER, name VARCHAR)")
    con.executemany("INSERT INTO kept_names VALUES (?, ?)", names)
    con.execute("CREATE OR REPLACE TEMP TABLE kept_meters (point INTEGER, meter VARCHAR)")
    con.executemany("INSERT INTO kept_meters VALUES (?, ?)", meters)
    joined = "LEFT JOIN kept_names n ON n.id = r.file"
    readings = f"SELECT r.*, m.meter, n.name FROM kept_readings r JOIN kept_meters m USING (point) {joined}"
    files = {
        RAW_READINGS: _parquet(con, readings, _READINGS, work.scratch / "raw.parquet"),
        RAW_RECORDS: _parquet(
            con, f"SELECT r.*, n.name FROM kept_records r {joined}", _RECORDS, work.scratch / "raw.parquet"
        ),
    }
    counts = [_number(con, f"SELECT count(*) FROM {table}") for table in ("kept_readings", "kept_records")]
    for table in ("kept_readings", "kept_records", "kept_names", "kept_meters"):
        con.execute(f"DROP TABLE {table}")
    return files, Raw(counts[0], counts[1], points)


def due(seen: View, period: Period) -> int:
    """How many readings a filing of the period would carry with them, but for those around its edges."""
    window, known = covering_period(seen.model, period), seen.snapshot.points()
    points = sorted(known[meter.id] for meter in summed_meters(seen.model) if meter.id in known)
    with duckdb.connect() as con, seen.store.reading():
        sql = Deriver.of(con, seen).readings_sql(points, window.start, window.end, 0)
        return _number(con, f"SELECT count(*) FROM ({sql})")


def _number(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(con.execute(sql).fetchall()[0][0])


def _parquet(con: duckdb.DuckDBPyConnection, sql: str, columns: Mapping[str, str], file: Path) -> bytes:
    """Rows as a Parquet file in one order, the same bytes for the same rows."""
    listed = ", ".join(f'"{name}"' for name in columns)
    con.execute(
        f"COPY (SELECT {listed} FROM ({sql}) ORDER BY ALL) TO {literal(str(file))} "
        "(FORMAT PARQUET, COMPRESSION ZSTD, PARQUET_VERSION V2)"
    )
    try:
        return file.read_bytes()
    finally:
        file.unlink()


# -- checking ----------------------------------------------------------------------------------------------------------


def read_raw(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Make the tables `raw_readings` and `raw_records` of an unpacked package (ValueError: other columns than theirs)."""
    for path, columns, table in (
        (RAW_READINGS, _READINGS, "raw_readings"),
        (RAW_RECORDS, _RECORDS, "raw_records"),
    ):
        source = f"read_parquet({literal(str(folder / path.removeprefix('data/')))})"
        found = {row[0]: row[1] for row in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        if found != columns:
            raise ValueError(path)
        con.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM {source}")


def facts_anew(
    con: duckdb.DuckDBPyConnection,
    raw: Raw,
    model: PlantModel,
    period: Period,
    filed: Mapping[tuple[Space, Grain], str],
    listed: Mapping[str, bytes],
    file: str,
) -> Iterator[Finding]:
    """What the tables `raw_readings` and `raw_records` do not bear out.

    `filed`: by grain the table of facts as filed, before any rulebook calculated more of them. `listed`: the package's
    readings.csv and records.csv by path.
    """
    made = {
        READINGS: readings_csv(con, "raw_readings", period, raw.points),
        RECORDS: records_csv(con, "raw_records", period),
    }
    for path, content in made.items():
        if listed[path] != content:
            yield faults.RAW_DIFFERS.at(Place(file=file, subject=path), path=path)
    meters = [meter for meter in summed_meters(model) if meter.id in raw.points]
    window = covering_period(model, period)
    derive(con, "raw_readings", meters, raw.points, window, model.grid_seconds, "raw_ledger", "raw_events")
    for (space, grain), table in filed.items():
        build_facts(con, model, "raw_ledger", "raw_records", raw.points, period, space, grain, "raw_facts")
        yield from _beside(con, table, file)


def _beside(con: duckdb.DuckDBPyConnection, table: str, file: str) -> Iterator[Finding]:
    """The first fact of a table that differs from the one in `raw_facts`; rows of one key add."""
    sums = ", ".join(f"sum({name}) AS {name}" for name in _NUMBERS)
    added = f"SELECT {', '.join(_KEY)}, {sums}, max(status) AS status FROM"
    differs = " OR ".join(
        f"(f.{name} IS DISTINCT FROM r.{name} AND coalesce(abs(f.{name} - r.{name}) > "
        f"{_AS_GOOD_AS} * greatest(abs(f.{name}), abs(r.{name})), true))"
        for name in _NUMBERS
    )
    found = con.execute(
        f"SELECT quantity, item, f.value, r.value, unit, count(*) OVER () FROM ({added} {table} GROUP BY ALL) f "
        f"FULL JOIN ({added} raw_facts GROUP BY ALL) r USING ({', '.join(_KEY)}) "
        f"WHERE f.status IS DISTINCT FROM r.status OR {differs} ORDER BY ALL LIMIT 1"
    ).fetchone()
    if found is not None:
        quantity, item, told, made, unit, count = found
        yield faults.RAW_FACTS.at(
            Place(file=file, subject=quantity), count=count, quantity=f"{quantity} {item or ''}".strip(),
            filed="—" if told is None else repr(told), computed="—" if made is None else repr(made), unit=unit,
        )  # fmt: skip

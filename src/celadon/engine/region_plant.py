"""One enterprise of a region as a plant, so that the step-by-step plan can explain its cells."""

from __future__ import annotations

from typing import Any

import duckdb

from celadon.core.facts import FACT_COLUMNS, Status
from celadon.core.model import FactorEntry, Plant, Site
from celadon.core.periods import Grain, Period, zone
from celadon.core.text import Text
from celadon.engine.pieces import (
    FACTORS,
    WHOLE,
    ZERO,
    text,
)
from celadon.engine.region_model import FactColumn, FactorColumn, Region
from celadon.engine.region_rows import day_sql, quoted
from celadon.engine.steps import stamp
from celadon.rules.rulebook import Rulebook


def region_plant(
    con: duckdb.DuckDBPyConnection,
    book: Rulebook,
    region: Region,
    enterprise: Any,
    period: Period,
    into: str = "facts",
) -> Plant:
    """One enterprise as a plant of one site, its facts of the period turned long in the table `into`
    (core.facts.FACT_COLUMNS): what the step-by-step plan explains a cell from.

    Raises KeyError where the registry does not have the enterprise."""
    own = "".join(f", {quoted(column.column)}" for column in region.factor_columns)
    found = con.execute(
        f"SELECT CAST(enterprise AS VARCHAR), region{own} FROM {region.registry} WHERE enterprise = ?",
        [enterprise],
    ).fetchone()
    if found is None:
        raise KeyError(enterprise)
    name = str(found[0])
    given = [
        FactorEntry(
            column.factor, float(value), column.unit, _keys(book, column), source=f"registry: {column.column}"
        )
        for column, value in zip(region.factor_columns, found[2:], strict=True)
        if value is not None and column.factor in book.factors
    ]
    con.execute(
        f"CREATE OR REPLACE TABLE {quoted(into)} ({', '.join(f'{c} {k}' for c, k in FACT_COLUMNS.items())})"
    )
    months = list(period.split(Grain.MONTH))
    days = ", ".join(
        f"({day_sql(month.start.astimezone(zone(region.zone)).date())}, {stamp(month.start)}, {stamp(month.end)})"
        for month in months
    )
    for column in region.columns:
        con.execute(
            f"INSERT INTO {quoted(into)} SELECT * FROM (SELECT {_long(column, name)} FROM {region.facts} AS f "
            f"JOIN (VALUES {days}) AS m(day, time_start, time_end) ON f.month = m.day WHERE f.enterprise = ?) AS l "
            f"WHERE value IS NOT NULL OR status = {int(Status.ABSENT)}",
            [enterprise],
        )
    site = Site(name, Text(name, name), found[1], region.zone)
    return Plant(
        name, Text(name, name), region.zone, 3600, (site,), region.products, region.carriers,
        factors=(*region.factors, *given),
    )  # fmt: skip


def _keys(book: Rulebook, column: FactorColumn) -> tuple[tuple[str, str], ...]:
    return tuple(zip(book.factors[column.factor].row_keys, column.keys, strict=True))


def _long(column: FactColumn, name: str) -> str:
    """One wide column as the columns of a fact."""
    value = f"f.{quoted(column.value)}"

    def part(companion: str | None) -> str:
        return ZERO if companion is None else f"coalesce(f.{quoted(companion)}, {ZERO})"

    covered = WHOLE if column.coverage is None else f"coalesce(f.{quoted(column.coverage)}, {WHOLE})"
    absent = "FALSE" if column.absent is None else f"coalesce(f.{quoted(column.absent)}, FALSE)"
    status = (
        f"CASE WHEN {value} IS NULL AND {absent} THEN {int(Status.ABSENT)} WHEN {part(column.defaulted)} > {ZERO} "
        f"THEN {int(Status.DEFAULT)} WHEN {part(column.estimated)} > {ZERO} THEN {int(Status.ESTIMATED)} "
        f"ELSE {int(column.basis)} END"
    )
    cells = {
        "quantity": text(column.quantity), "item": text(column.item), "purpose": text(column.purpose),
        "enterprise": text(name), "site": text(name), "process": "''", "meter": "''", "time_start": "m.time_start",
        "time_end": "m.time_end", "value": value, "unit": text(column.unit), "weight": "CAST(NULL AS DOUBLE)",
        "estimated": part(column.estimated), "defaulted": part(column.defaulted),
        **dict.fromkeys(FACTORS, ZERO),
        "coverage": f"CASE WHEN {value} IS NULL THEN {ZERO} ELSE {covered} END", "status": status,
        "basis": f"CASE WHEN {value} IS NOT NULL THEN {int(column.basis)} END",
        "source": text(f"region:{column.value}"),
    }  # fmt: skip
    return ", ".join(f"{cells[key]} AS {key}" for key in FACT_COLUMNS)

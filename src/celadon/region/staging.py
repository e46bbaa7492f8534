"""Rows of one file checked in the database: good ones with their enterprise's number, bad ones with what is wrong.

Each function makes the temporary table `staged`: the columns to keep, `line`, and `fault` (a code of `faults`, null =
good), `fault_column`, `example`. Nothing is dropped here.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from celadon.core.carriers import CARRIERS
from celadon.core.findings import FindingError
from celadon.core.periods import parse_period, zone
from celadon.core.units import UnitError, parse_unit
from celadon.region.lists import area_of, industries
from celadon.region.model import BY_PRODUCT, FactSource, Quotas, RegionFile, ValueColumn, column_name
from celadon.region.tables_in import Rows, identifier, literal

SIGNED = frozenset({"industrial_added_value", "added_value", "profit", "heat_balance"})
"""Quantities that may be below zero; amounts of energy and product may not."""


def stage_registry(con: duckdb.DuckDBPyConnection, rows: Rows, region: RegionFile) -> None:
    """Staged: enterprise, name, industry, region, grid, product, size."""
    registry = region.registry
    cells = {
        name: _text(rows.need(header)) if (header := registry.column(name)) else "NULL::VARCHAR"
        for name in ("enterprise", "name", "industry", "region", "product", "size")
    }
    listed = ", ".join(f"{cell} AS {name}" for name, cell in cells.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE raw AS SELECT {listed}, line FROM ({rows.select})")
    con.execute("CREATE OR REPLACE TEMP TABLE industry_list (code VARCHAR)")
    codes = ", ".join(f"({literal(item.code)})" for item in industries().values() if item.level == 4)
    con.execute(f"INSERT INTO industry_list VALUES {codes}")
    con.execute("CREATE OR REPLACE TEMP TABLE area_list (code VARCHAR, grid VARCHAR)")
    found = con.execute("SELECT DISTINCT region FROM raw WHERE region IS NOT NULL").fetchall()
    areas = [(code, area.grid) for (code,) in found if (area := area_of(str(code))) and len(str(code)) == 6]
    if areas:
        listed = ", ".join(f"({literal(code)}, {literal(grid)})" for code, grid in areas)
        con.execute(f"INSERT INTO area_list VALUES {listed}")
    products = ", ".join(literal(item.id) for item in region.products) or "NULL"
    fault = _first(
        ("r.enterprise IS NULL", "region.enterprise-missing", "enterprise", "coalesce(r.name, '')"),
        ("r.place > 1", "region.enterprise-twice", "enterprise", "r.enterprise"),
        ("i.code IS NULL", "region.industry-unknown", "industry", "r.industry"),
        ("a.code IS NULL", "region.region-unknown", "region", "r.region"),
        (
            f"r.product IS NOT NULL AND r.product NOT IN ({products})",
            "region.product-unknown",
            "product",
            "r.product",
        ),
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE staged AS SELECT r.enterprise, r.name, r.industry, r.region, a.grid, r.product, r.size, "
        f"r.line, NULL::VARCHAR AS month_text, {fault} FROM (SELECT *, row_number() OVER (PARTITION BY enterprise ORDER BY line) AS place "
        "FROM raw) AS r LEFT JOIN industry_list AS i ON i.code = r.industry LEFT JOIN area_list AS a ON a.code = r.region"
    )
    con.execute("DROP TABLE raw")


def stage_facts(con: duckdb.DuckDBPyConnection, rows: Rows, region: RegionFile, source: FactSource) -> None:
    """Staged: number, month (DATE) and one column per kept fact, from wide or long rows; `registry` is a table on `con`."""
    if source.long:
        _pivot(con, rows, region, source)
    else:
        _wide(con, rows, region, source)
    twice = "SELECT 1 FROM staged WHERE fault IS NULL GROUP BY number, month HAVING count(*) > 1 LIMIT 1"
    if con.execute(twice).fetchall():
        con.execute(
            "CREATE OR REPLACE TEMP TABLE staged AS SELECT * REPLACE ("
            "CASE WHEN fault IS NULL AND place > 1 THEN 'region.row-twice' ELSE fault END AS fault, "
            "CASE WHEN fault IS NULL AND place > 1 THEN enterprise || ' ' || month_text ELSE example END AS example) "
            "FROM (SELECT *, row_number() OVER (PARTITION BY number, month, fault IS NULL ORDER BY line) AS place FROM staged)"
        )
        con.execute("ALTER TABLE staged DROP COLUMN place")


def _wide(con: duckdb.DuckDBPyConnection, rows: Rows, region: RegionFile, source: FactSource) -> None:
    checks = [*_row_checks(region)]
    cells = []
    for index, value in enumerate(source.values):
        raw, name = rows.need(value.column), identifier(value.name)
        kind = rows.columns[value.column]
        text = f"nullif(trim({raw}::VARCHAR), '')" if kind == "VARCHAR" else raw
        number = f"TRY_CAST({text} AS DOUBLE)"
        scaled = number if value.factor == 1 else f"{number} * {value.factor!r}"
        cells.append(f"{scaled} AS {name}")
        cells.append(
            f"{text}::VARCHAR AS raw_{index}" if kind == "VARCHAR" else f"NULL::VARCHAR AS raw_{index}"
        )
        checks += _value_checks(value, f"d.{name}", f"d.raw_{index}")
    names = ", ".join(f"d.{identifier(value.name)}" for value in source.values)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE staged AS SELECT r.number, {_month('d.month_text')} AS month, {names}, d.line, "
        f"d.enterprise, d.month_text, {_first(*checks)} FROM (SELECT {_text(rows.need(source.enterprise))} AS enterprise, "
        f"{_month_text(rows, source.month)} AS month_text, line, {', '.join(cells)} FROM ({rows.select})) AS d "
        "LEFT JOIN registry AS r ON r.enterprise = d.enterprise"
    )


def _pivot(con: duckdb.DuckDBPyConnection, rows: Rows, region: RegionFile, source: FactSource) -> None:
    """Long rows to wide ones; a bad line is kept out alone, the rest of its report stays."""
    headers = dict(source.long)

    def cell(name: str) -> str:
        return f"coalesce({_text(rows.need(headers[name]))}, '')" if name in headers else "''"

    raw = rows.need(headers["value"])
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE raw AS SELECT {_text(rows.need(source.enterprise))} AS enterprise, "
        f"{_month_text(rows, source.month)} AS month_text, {cell('quantity')} AS quantity, {cell('item')} AS item, "
        f"{cell('purpose')} AS purpose, {cell('unit')} AS unit, nullif(trim({raw}::VARCHAR), '') AS text, line FROM ({rows.select})"
    )
    words = con.execute("SELECT DISTINCT quantity, item, purpose, unit FROM raw").fetchall()
    con.execute("CREATE OR REPLACE TEMP TABLE word (quantity VARCHAR, item VARCHAR, purpose VARCHAR, unit VARCHAR, "
                "name VARCHAR, factor DOUBLE, fault VARCHAR)")  # fmt: skip
    for word in words:
        con.execute("INSERT INTO word VALUES (?, ?, ?, ?, ?, ?, ?)", [*word, *_meaning(source.values, *word)])
    signed = ", ".join(literal(name) for name in sorted(SIGNED))
    checks = [
        *_row_checks(region),
        ("w.fault IS NOT NULL", None, "value", "d.quantity || ' ' || d.item || ' ' || d.purpose || ' ' || d.unit"),
        ("d.text IS NOT NULL AND (d.number_ IS NULL OR NOT isfinite(d.number_))", "region.value-unreadable", "value", "d.text"),
        (f"d.number_ < 0 AND d.quantity NOT IN ({signed})", "region.value-negative", "value", "d.quantity || ' = ' || d.text"),
    ]  # fmt: skip
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE lined AS SELECT r.number, {_month('d.month_text')} AS month, w.name, d.number_ * w.factor "
        f"AS value, d.line, d.enterprise, d.month_text, {_first(*checks)} FROM (SELECT *, TRY_CAST(text AS DOUBLE) AS number_ FROM raw) "
        "AS d JOIN word AS w USING (quantity, item, purpose, unit) LEFT JOIN registry AS r ON r.enterprise = d.enterprise"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE lined AS SELECT * REPLACE ("
        "CASE WHEN fault IS NULL AND place > 1 THEN 'region.row-twice' ELSE fault END AS fault, "
        "CASE WHEN fault IS NULL AND place > 1 THEN enterprise || ' ' || month_text || ' ' || name ELSE example END AS example) "
        "FROM (SELECT *, row_number() OVER (PARTITION BY number, month, name, fault IS NULL ORDER BY line) AS place FROM lined)"
    )
    made = [
        f"max(value) FILTER (fault IS NULL AND name = {literal(item.name)}) AS {identifier(item.name)}"
        for item in source.values
    ]
    empty = ", ".join("NULL::DOUBLE" for _ in source.values)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE staged AS SELECT number, month, {', '.join(made)}, min(line) AS line, "
        "any_value(enterprise) AS enterprise, any_value(month_text) AS month_text, NULL::VARCHAR AS fault, "
        "NULL::VARCHAR AS fault_column, NULL::VARCHAR AS example FROM lined WHERE fault IS NULL GROUP BY number, month "
        f"UNION ALL SELECT number, month, {empty}, line, enterprise, month_text, fault, fault_column, example "
        "FROM lined WHERE fault IS NOT NULL"
    )
    for table in ("raw", "word", "lined"):
        con.execute(f"DROP TABLE {table}")


def _meaning(
    values: Sequence[ValueColumn], quantity: str, item: str, purpose: str, unit: str
) -> tuple[str | None, float | None, str | None]:
    """Where a long row's fact is kept and by what its value is multiplied, or why it cannot be."""
    wanted = [column_name(quantity, item, purpose), column_name(quantity, item or BY_PRODUCT, purpose)]
    wanted += [column_name(quantity, item, purpose or "combustion")]
    found = next((value for name in wanted for value in values if value.name == name), None)
    if found is None:
        return None, None, "region.fact-unknown"
    if not unit:
        return found.name, found.factor, None
    try:
        carrier, given = CARRIERS.get(found.item or found.quantity), parse_unit(unit)
        given = given if carrier is None else carrier.counted(given)
        return found.name, float(given.factor_to(parse_unit(found.kept_unit))), None
    except UnitError:
        return None, None, "region.unit-unreadable"


def stage_quotas(con: duckdb.DuckDBPyConnection, rows: Rows, quotas: Quotas) -> None:
    """Staged: number, year, quantity, value, unit."""
    cells = {
        name: _text(rows.need(quotas.column(name)))
        for name in ("enterprise", "year", "quantity", "value", "unit")
    }
    listed = ", ".join(f"{cell} AS {name}" for name, cell in cells.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE raw AS SELECT {listed}, line FROM ({rows.select})")
    units = [row[0] for row in con.execute("SELECT DISTINCT unit FROM raw WHERE unit IS NOT NULL").fetchall()]
    sound = ", ".join(literal(unit) for unit in units if _is_unit(unit)) or "NULL"
    number = "TRY_CAST(d.value AS DOUBLE)"
    fault = _first(
        ("r.number IS NULL", "region.enterprise-unknown", "enterprise", "coalesce(d.enterprise, '')"),
        ("TRY_CAST(d.year AS INTEGER) IS NULL", "region.year-unreadable", "year", "coalesce(d.year, '')"),
        (
            f"{number} IS NULL OR NOT isfinite({number})",
            "region.value-unreadable",
            "value",
            "coalesce(d.value, '')",
        ),
        (f"{number} < 0", "region.value-negative", "value", "d.quantity || ' = ' || d.value"),
        (
            f"d.unit IS NULL OR d.unit NOT IN ({sound})",
            "region.unit-unreadable",
            "unit",
            "coalesce(d.unit, '')",
        ),
        (
            "d.place > 1",
            "region.row-twice",
            "enterprise",
            "d.enterprise || ' ' || d.year || ' ' || d.quantity",
        ),
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE staged AS SELECT r.number, TRY_CAST(d.year AS INTEGER) AS year, d.quantity, {number} AS value, "
        f"d.unit, d.line, d.enterprise, d.year AS month_text, {fault} FROM (SELECT *, row_number() OVER (PARTITION BY enterprise, year, "
        "quantity ORDER BY line) AS place FROM raw) AS d LEFT JOIN registry AS r ON r.enterprise = d.enterprise"
    )
    con.execute("DROP TABLE raw")


def _is_unit(text: str) -> bool:
    try:
        parse_unit(text)
    except UnitError:
        return False
    return True


def _text(column: str) -> str:
    return f"nullif(trim({column}::VARCHAR), '')"


def _month_text(rows: Rows, header: str) -> str:
    return _text(rows.need(header))


def _month(text: str) -> str:
    """A month's first day, from 2024-03, 202403, 2024/3, 2024年3月, or a date or time in it; null where it is none. A year has four
    digits; a time with an offset is none: which month it is depends on the zone."""
    plain = f"regexp_replace(rtrim({text}, '月'), '[/.年]', '-')"
    return (
        f"date_trunc('month', CASE WHEN length({text}) = 7 AND {text}[5] = '-' THEN TRY_STRPTIME({text}, '%Y-%m') "
        f"WHEN regexp_full_match({text}, '\\d{{6}}') THEN TRY_STRPTIME({text}, '%Y%m') "
        f"WHEN regexp_full_match({text}, '\\d{{8}}') THEN TRY_STRPTIME({text}, '%Y%m%d') "
        f"WHEN regexp_full_match({text}, '\\d{{4}}[-/.年]\\d{{1,2}}月?') THEN TRY_STRPTIME({plain}, '%Y-%m') "
        f"WHEN regexp_full_match({text}, '\\d{{4}}[-/]\\d{{1,2}}[-/]\\d{{1,2}}([ T][\\d:.]*)?') "
        f"THEN TRY_CAST({text} AS TIMESTAMP) END)::DATE"
    )


def _row_checks(region: RegionFile) -> list[tuple[str, str | None, str, str]]:
    month = _month("d.month_text")
    checks: list[tuple[str, str | None, str, str]] = [
        ("r.number IS NULL", "region.enterprise-unknown", "enterprise", "coalesce(d.enterprise, '')"),
        (f"{month} IS NULL", "region.month-unreadable", "month", "coalesce(d.month_text, '')"),
    ]
    if region.months:
        try:
            period = parse_period(region.months, region.zone)
        except FindingError:
            return checks
        local = zone(region.zone)
        first, end = (moment.astimezone(local).date() for moment in (period.start, period.end))
        outside = f"{month} < DATE '{first}' OR {month} >= DATE '{end}'"
        checks.append((outside, "region.month-outside", "month", "d.month_text"))
    return checks


def _value_checks(value: ValueColumn, cell: str, raw: str) -> list[tuple[str, str | None, str, str]]:
    unreadable = (
        f"({cell} IS NULL AND {raw} IS NOT NULL) OR NOT isfinite({cell})",
        "region.value-unreadable", value.column, f"coalesce({raw}, ({cell} / {value.factor!r})::VARCHAR)",
    )  # fmt: skip
    if value.quantity in SIGNED:
        return [unreadable]
    # as reported, in the unit of the column
    shown = f"{literal(value.column + ' = ')} || coalesce({raw}, ({cell} / {value.factor!r})::VARCHAR)"
    return [unreadable, (f"{cell} < 0", "region.value-negative", value.column, shown)]


def _first(*checks: tuple[str, str | None, str, str]) -> str:
    """fault, fault_column and example of the first condition that holds; a fault of None is the word's own."""
    whens = [
        (condition, literal(code) if code else "w.fault", column, example)
        for condition, code, column, example in checks
    ]
    fault = " ".join(f"WHEN {condition} THEN {code}" for condition, code, _, _ in whens)
    column = " ".join(f"WHEN {condition} THEN {literal(column)}" for condition, _, column, _ in whens)
    example = " ".join(f"WHEN {condition} THEN {example}" for condition, _, _, example in whens)
    return f"CASE {fault} END AS fault, CASE {column} END AS fault_column, left(CASE {example} END, 80) AS example"

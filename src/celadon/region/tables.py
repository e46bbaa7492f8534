"""What the engine reads of a region: its registry and its wide facts as two relations of one connection."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.model import FactorEntry
from celadon.engine.region_model import FactColumn, FactorColumn
from celadon.engine.region_model import Region as RegionTables
from celadon.region.model import BY_PRODUCT, ValueColumn
from celadon.region.tables_in import identifier, literal
from celadon.region.view import View
from celadon.rules.rulebook import Rulebook

REGISTRY, FACTS = "region_registry", "region_facts"
GROUPS = {
    "enterprise": "enterprise", "industry": "industry", "industry_group": "industry_group", "division": "division",
    "region": "area", "prefecture": "prefecture", "province": "province", "product": "product", "size": "size",
}  # fmt: skip
"""What a user groups by → the registry's column. (The engine's own `region` is the grid's, which chooses factors.)"""
_AREAS = {
    "area": "region",
    "prefecture": "CASE WHEN substr(region, 3, 2) = '00' THEN region ELSE left(region, 4) || '00' END",
    "province": "left(region, 2) || '0000'",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """The engine's view of a region, and which kept column each engine column is."""

    tables: RegionTables
    columns: dict[str, ValueColumn]


def prepare(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    months: Collection[int],
    book: Rulebook | None,
    *,
    extra: Iterable[tuple[str, str]] = (),
    factor_columns: tuple[FactorColumn, ...] = (),
    factors: tuple[FactorEntry, ...] = (),
    only: str = "",
) -> Prepared:
    """Make the registry and the facts of `months` views on `con`: only the columns a question needs are ever read.

    Only columns that `book` asks for are there (None = all). `extra`: (name, SQL over the registry row `r`) of further
    registry columns; `only`: a query of the numbers of the enterprises that are asked about."""
    areas = ", ".join(f"{sql} AS {name}" for name, sql in _AREAS.items())
    more = "".join(f", {sql} AS {name}" for name, sql in extra)
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW {REGISTRY} AS SELECT number AS enterprise, grid AS region, enterprise AS id, "
        f"coalesce(name, enterprise) AS name, industry, left(industry, 3) AS industry_group, left(industry, 2) AS division, {areas}, "
        f"product, size{more} FROM ({seen.registry()}) AS r"
    )
    listed: list[str] = []
    facts: list[FactColumn] = []
    columns: dict[str, ValueColumn] = {}
    joined = False
    for value in seen.region.columns:
        if book is not None and value.quantity not in book.facts:
            continue
        kept = f"f.{identifier(value.name)}"
        if value.item != BY_PRODUCT:
            name = f"c{len(columns)}"
            listed.append(f"{kept} AS {name}")
            facts.append(FactColumn(value.quantity, value.item, value.purpose, value.kept_unit, value=name))
            columns[name] = value
            continue
        joined = True
        for product in _products(con, seen):
            name = f"c{len(columns)}"
            listed.append(f"CASE WHEN r.product = {literal(product)} THEN {kept} END AS {name}")
            unit = seen.region.product_unit(product) or value.kept_unit
            facts.append(FactColumn(value.quantity, product, value.purpose, unit, value=name))
            columns[name] = value
    # the registry's own file, so that another engine reads that too where it is
    join = f" LEFT JOIN ({seen.registry()}) AS r ON r.number = f.enterprise" if joined else ""
    where = f" WHERE f.enterprise IN ({only})" if only else ""
    select = ", ".join(["f.enterprise", "f.month", *listed])
    wide = seen.facts_sql(months, needed={value.name for value in columns.values()})
    con.execute(f"CREATE OR REPLACE TEMP VIEW {FACTS} AS SELECT {select} FROM ({wide}) AS f{join}{where}")
    tables = RegionTables(
        REGISTRY, FACTS, tuple(facts), seen.region.zone, seen.region.id, (*seen.region.factors, *factors),
        factor_columns, seen.region.products,
    )  # fmt: skip
    return Prepared(tables, columns)


def _products(con: duckdb.DuckDBPyConnection, seen: View) -> list[str]:
    known = {item.id for item in seen.region.products}
    found = con.execute(
        f"SELECT DISTINCT product FROM {REGISTRY} WHERE product IS NOT NULL ORDER BY 1"
    ).fetchall()
    return [str(row[0]) for row in found if row[0] in known]

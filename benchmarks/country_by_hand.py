"""The country's formulas by hand: one SQL statement an expert would fuse for just these columns, and the same in Polars.

They know that nothing is estimated or short of its month, fold the factors into numbers, and say nothing of coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.country_numbers import CARBON, ELECTRICITY, FUELS, HEAT, HEAT_FACTOR, MATERIALS


def row_columns() -> list[tuple[str, str]]:
    """(name, SQL) of what is added up, over the columns of `r` (row), in the order of the formulas."""
    found: list[tuple[str, str]] = []
    for name, (heat, carbon, oxidised, coal) in FUELS.items():
        found.append((f"fuel_heat {name}", f"{name} * {heat}e0"))
        found.append((f"fuel_emission {name}", f"{name} * {heat * carbon * oxidised * CARBON}e0"))
        found.append((f"coal_equivalent {name}", f"{name} * {coal}e0"))
    found += [
        ("purchased_equivalent electricity", f"electricity * {ELECTRICITY}e0"),
        ("purchased_equivalent heat", f"heat * {HEAT}e0"),
        ("exported_equivalent electricity", f"electricity_sold * {ELECTRICITY}e0"),
        ("exported_equivalent heat", f"heat_sold * {HEAT}e0"),
        ("electricity_emission electricity", "electricity * grid"),
        ("heat_emission heat", f"heat * {HEAT_FACTOR}e0"),
        ("exported_electricity_emission electricity", "electricity_sold * grid"),
        ("exported_heat_emission heat", f"heat_sold * {HEAT_FACTOR}e0"),
        ("avoided_emission electricity", "solar * grid"),
        *((f"process_emission {name}", f"{name} * {factor}e0") for name, factor in MATERIALS.items()),
        ("comprehensive_energy", "energy"), ("direct_emission", "direct"), ("indirect_emission", "indirect"),
        ("total_emission", "emission"),
        ("grade_1", "CASE WHEN emission / output_value <= lim * 0.6e0 THEN 1e0 ELSE 0e0 END"),
        ("grade_2", "CASE WHEN emission / output_value > lim * 0.6e0 AND emission / output_value <= lim THEN 1e0 ELSE 0e0 END"),
        ("grade_3", "CASE WHEN emission / output_value > lim AND emission / output_value <= lim * 2e0 THEN 1e0 ELSE 0e0 END"),
        ("grade_4", "CASE WHEN emission / output_value > lim * 2e0 THEN 1e0 ELSE 0e0 END"),
        ("excess_emission", "greatest(emission - lim * output_value, 0e0)"),
        ("excess_cost", "greatest(emission - lim * output_value, 0e0) * price"),
        ("whole_cost", "greatest(emission - lim * output_value, 0e0) * price + electricity_cost"),
    ]  # fmt: skip
    return found


def _added(terms: Sequence[str]) -> str:
    return " + ".join(f"coalesce({term}, 0e0)" for term in terms)


DIRECT = _added(
    [
        *(f"{name} * {h * c * o * CARBON}e0" for name, (h, c, o, _) in FUELS.items()),
        *(f"{name} * {f}e0" for name, f in MATERIALS.items()),
    ]
)
INDIRECT = f"coalesce(electricity * grid, 0e0) + coalesce(heat * {HEAT_FACTOR}e0, 0e0) - coalesce(electricity_sold * grid, 0e0) - coalesce(heat_sold * {HEAT_FACTOR}e0, 0e0)"
ENERGY = (
    _added([f"{name} * {k}e0" for name, (_, _, _, k) in FUELS.items()])
    + f" + coalesce(electricity * {ELECTRICITY}e0, 0e0) + coalesce(heat * {HEAT}e0, 0e0) - coalesce(electricity_sold * {ELECTRICITY}e0, 0e0) - coalesce(heat_sold * {HEAT}e0, 0e0)"
)


def statement(
    facts: str, registry: str, factors: Mapping[str, tuple[float, float]], prices: Sequence[float]
) -> str:
    """One statement: facts beside their registry row with its region's factors, row-wise formulas, sums by group, ratios."""
    rows = row_columns()
    values = ", ".join(f"('{region}', {grid}e0, {limit}e0)" for region, (grid, limit) in factors.items())
    price = (
        "CASE month(f.month) "
        + " ".join(f"WHEN {n} THEN {p / 10000}e0" for n, p in enumerate(prices, start=1))
        + " END"
    )
    sums = ", ".join(f"sum({sql}) AS s{number}" for number, (_, sql) in enumerate(rows))
    place = {name: f"s{number}" for number, (name, _) in enumerate(rows)}
    ratios = (
        f"{place['total_emission']} / nullif(value, 0e0), {place['total_emission']} / nullif(made, 0e0), {place['comprehensive_energy']} / nullif(added, 0e0), "
        f"{place['direct_emission']} / nullif({place['total_emission']}, 0e0), cost / nullif(bought, 0e0), cost / nullif(warm, 0e0)"
    )
    return f"""
        SELECT industry, region, {", ".join(place.values())}, {ratios} FROM (
        SELECT industry, region, {sums}, sum(output_value) AS value, sum(product) AS made, sum(added_value) AS added,
            sum(electricity_cost) AS cost, sum(electricity) AS bought, sum(heat) AS warm
        FROM (SELECT *, direct + indirect AS emission FROM (
            SELECT *, {DIRECT} AS direct, {INDIRECT} AS indirect, {ENERGY} AS energy, {price} AS price
            FROM {facts} AS f JOIN (
                SELECT g.enterprise, g.industry, g.region, x.grid, x.lim FROM {registry} AS g
                JOIN (VALUES {values}) AS x(region, grid, lim) ON g.region = x.region) AS r USING (enterprise)
            WHERE f.month >= DATE '2023-01-01' AND f.month <= DATE '2023-12-01'))
        GROUP BY industry, region)"""


def by_polars(
    folder: Path, factors: Mapping[str, tuple[float, float]], prices: Sequence[float]
) -> list[tuple[Any, ...]]:
    """The same in Polars: the row columns are the same expressions."""
    import polars as pl

    regions = pl.LazyFrame(
        {
            "region": list(factors),
            "grid": [grid for grid, _ in factors.values()],
            "lim": [limit for _, limit in factors.values()],
        }
    )
    whole = pl.LazyFrame({"number": range(1, 13), "price": [price / 10000 for price in prices]}).with_columns(
        pl.col("number").cast(pl.Int8)
    )
    rows = row_columns()
    parts = {"direct": DIRECT, "indirect": INDIRECT, "energy": ENERGY}
    frame = (
        pl.scan_parquet(folder / "facts.parquet")
        .join(pl.scan_parquet(folder / "registry.parquet").join(regions, on="region"), on="enterprise")
        .with_columns(pl.col("month").dt.month().alias("number"))
        .join(whole, on="number")
        .with_columns(pl.sql_expr(_plain(sql)).alias(name) for name, sql in parts.items())
        .with_columns((pl.col("direct") + pl.col("indirect")).alias("emission"))
        .with_columns(pl.sql_expr(_plain(sql)).alias(f"s{place}") for place, (_, sql) in enumerate(rows))
        .group_by("industry", "region")
        .agg(
            *(pl.col(f"s{place}").sum() for place in range(len(rows))),
            *(pl.col(name).sum().alias(f"t{place}") for place, name in enumerate(
                ("output_value", "product", "added_value", "electricity_cost", "electricity", "heat")
            )),
        )
    )  # fmt: skip
    place = {name: pl.col(f"s{number}") for number, (name, _) in enumerate(rows)}
    emission, cost = place["total_emission"], pl.col("t3")
    ratios = (
        emission / pl.col("t0"), emission / pl.col("t1"), place["comprehensive_energy"] / pl.col("t2"),
        place["direct_emission"] / emission, cost / pl.col("t4"), cost / pl.col("t5"),
    )  # fmt: skip
    chosen = frame.select(
        "industry", "region", *place.values(), *(one.alias(f"q{n}") for n, one in enumerate(ratios))
    )
    return chosen.collect(engine="streaming").rows()


def _plain(sql: str) -> str:
    """Without the exponents that make a literal a DOUBLE: Polars reads it as one anyway."""
    return sql.replace("e0", "")


RATIOS = (
    "intensity", "specific_emission", "specific_energy", "direct_share", "mean_price electricity", "mean_price heat",
)  # fmt: skip


def names() -> list[str]:
    """What the statement's columns after industry and region are."""
    return [*(name for name, _ in row_columns()), *RATIOS]


def by_sql(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    factors: Mapping[str, tuple[float, float]],
    prices: Sequence[float],
) -> list[tuple[Any, ...]]:
    facts, registry = (f"read_parquet('{folder}/{name}.parquet')" for name in ("facts", "registry"))
    return con.execute(statement(facts, registry, factors, prices)).fetchall()

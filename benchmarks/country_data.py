"""A country for measuring speed: enterprises with 21 monthly facts, made by formula, streaming, to two Parquet files."""

from __future__ import annotations

from pathlib import Path

import duckdb

REGIONS = [
    "BJ",
    "TJ",
    "HE",
    "SX",
    "NM",
    "LN",
    "JL",
    "HL",
    "SH",
    "JS",
    "ZJ",
    "AH",
    "FJ",
    "JX",
    "SD",
    "HA",
    "HB",
    "HN",
    "GD",
    "GX",
    "HI",
    "CQ",
    "SC",
    "GZ",
    "YN",
    "XZ",
    "SN",
    "GS",
    "QH",
    "NX",
    "XJ",
]
INDUSTRIES = 40
COLUMNS = (
    # column, quantity, item, unit, share of the enterprises that report it, typical size
    ("raw_coal", "energy_consumed", "raw_coal", "t", 35, 400),
    ("cleaned_coal", "energy_consumed", "cleaned_coal", "t", 10, 200),
    ("coke", "energy_consumed", "coke", "t", 8, 300),
    ("natural_gas", "energy_consumed", "natural_gas", "m3", 60, 90000),
    ("diesel", "energy_consumed", "diesel", "t", 70, 6),
    ("gasoline", "energy_consumed", "gasoline", "t", 50, 2),
    ("fuel_oil", "energy_consumed", "fuel_oil", "t", 12, 30),
    ("lpg", "energy_consumed", "lpg", "t", 10, 9),
    ("electricity", "energy_purchased", "electricity", "MWh", 100, 800),
    ("heat", "energy_purchased", "heat", "GJ", 25, 900),
    ("electricity_sold", "energy_exported", "electricity", "MWh", 3, 200),
    ("heat_sold", "energy_exported", "heat", "GJ", 4, 700),
    ("solar", "energy_generated", "electricity", "MWh", 12, 60),
    ("limestone", "material_consumed", "limestone", "t", 6, 500),
    ("dolomite", "material_consumed", "dolomite", "t", 3, 100),
    ("product", "product_output", "", "t", 95, 2000),
    ("output_value", "output_value", "", "10^4 CNY", 100, 900),
    ("added_value", "added_value", "", "10^4 CNY", 100, 250),
    ("electricity_cost", "energy_cost", "", "10^4 CNY", 100, 52),
)  # fmt: skip


def make(folder: Path, enterprises: int, months: int = 12) -> None:
    """Write registry.parquet and facts.parquet: what each firm reports is fixed, how much varies by month."""
    folder.mkdir(parents=True, exist_ok=True)
    regions = ", ".join(f"'CN-{word}'" for word in REGIONS)
    amounts = ", ".join(
        f"CASE WHEN hash(e * 41 + {place}) % 100 < {share} THEN round({size} * size * (0.7 + 0.6 * (hash(e * 4099 + m * 67 + {place}) % 1000) / 1000), 2)::DOUBLE END AS {name}"
        for place, (name, _, _, _, share, size) in enumerate(COLUMNS)
    )
    with duckdb.connect() as con:
        con.execute("SET threads = 2")
        con.execute(
            f"COPY (SELECT e::INTEGER AS enterprise, ([{regions}])[1 + (hash(e) % {len(REGIONS)})::INT] AS region, "
            f"(1000 + hash(e + 7) % {INDUSTRIES})::VARCHAR AS industry FROM range({enterprises}) AS r(e)) "
            f"TO '{folder}/registry.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )
        con.execute(
            f"COPY (SELECT e::INTEGER AS enterprise, make_date(2023, m::INT + 1, 1) AS month, {amounts} "
            f"FROM (SELECT e, exp(3 * ((hash(e + 3) % 1000) / 1000 - 0.5)) AS size FROM range({enterprises}) AS r(e)), "
            f"range({months}) AS s(m) ORDER BY m, e) TO '{folder}/facts.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )

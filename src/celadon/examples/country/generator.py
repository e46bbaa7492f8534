"""Make a country: registry, monthly facts, utility bills, quotas, the planted truth and the region file.

Rows stream from a counter through one query per month into Parquet, so memory does not grow with the number of
enterprises. What a firm is and what it did in a month follows from draws on (seed, firm, month) alone.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files as resources
from pathlib import Path

import duckdb

from celadon.core.dataclass import dataclass
from celadon.examples.country import noise, planting
from celadon.region.lists import industries, regions

SEED = 20260101
FILE = "region.yaml"
_SLOTS = 20_000
_MONTHS = (93, 72, 102, 100, 102, 103, 99, 98, 103, 102, 105, 110)
"""Activity by month of the year, per cent: a dip in February, a peak in December. Invented."""
_HEATING = (150, 145, 115, 90, 70, 60, 60, 60, 65, 90, 120, 145)
_PROVINCES = {
    "44": 12, "32": 11, "33": 11, "37": 9, "41": 6, "35": 5, "34": 5, "13": 5, "42": 5, "43": 5, "36": 4, "51": 4, "31": 3,
    "21": 3, "61": 3, "50": 3, "45": 2, "14": 2, "12": 2, "53": 2, "52": 2, "11": 1, "54": 0, "71": 0, "81": 0, "82": 0,
}  # fmt: skip
"""Weight of each province's industry (others 1). Invented: no statistic."""

Progress = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and what was made."""


@dataclass(frozen=True, slots=True)
class Country:
    """What was made: how many, where, and which months."""

    folder: Path
    enterprises: int
    months: tuple[str, ...]
    rows: int
    planted: int


def generate(
    directory: Path | str,
    enterprises: int = 2000,
    first_year: int = 2023,
    years: int = 2,
    seed: int = SEED,
    anomalies: float = 0.03,
    progress: Progress | None = None,
) -> Country:
    """Write a country into `directory`; `anomalies` is the share of enterprises whose reports are spoiled.

    The same arguments give the same bytes with one version of the engine. Writes registry.parquet, facts/<month>.parquet
    (20 facts with the bills), bills/<month>.parquet, quotas.parquet, truth.csv and region.yaml.
    """
    target = Path(directory)
    for name in ("facts", "bills"):
        (target / name).mkdir(parents=True, exist_ok=True)
    labels = [f"{first_year + index // 12}-{index % 12 + 1:02}" for index in range(12 * years)]
    steps = len(labels) + 3
    rows = 0
    con = duckdb.connect()
    try:
        _prepare(con, target)
        drafts = target / "firms.parquet"
        _write(con, _firms(enterprises, seed, anomalies, years), drafts)
        firms = f"read_parquet({_literal(drafts)})"
        _write(con, _with_size(firms), target / "registry.parquet")
        planted = _write_truth(con, planting.truth_sql(firms), labels, target / "truth.csv")
        _told(progress, 1, steps, "registry")
        for index, label in enumerate(labels):
            rows += _write(con, _facts(firms, index, label), target / "facts" / f"{label}.parquet")
            _write(con, _bills(firms, index, label), target / "bills" / f"{label}.parquet")
            _told(progress, index + 2, steps, label)
        _write(con, _quotas(firms, first_year + years - 1), target / "quotas.parquet")
        drafts.unlink()
    finally:
        con.close()
    template = resources("celadon.examples.country").joinpath(FILE).read_text("utf-8")
    (target / FILE).write_text(template, encoding="utf-8")
    _told(progress, steps, steps, FILE)
    return Country(target, enterprises, tuple(labels), rows, planted)


def digest(directory: Path | str) -> str:
    """SHA-256 over the names and bytes of every file that `generate` writes."""
    root, found = Path(directory), hashlib.sha256()
    parts = ["registry.parquet", "quotas.parquet", "truth.csv", FILE]
    parts += sorted(path.relative_to(root).as_posix() for path in root.glob("*/*.parquet"))
    for name in parts:
        if name.startswith(("facts/", "bills/")) or "/" not in name:
            found.update(name.encode())
            with (root / name).open("rb") as stream:
                found.update(hashlib.file_digest(stream, "sha256").digest())
    return found.hexdigest()


def _told(progress: Progress | None, done: int, total: int, what: str) -> None:
    if progress is not None:
        progress(done, total, what)


def _prepare(con: duckdb.DuckDBPyConnection, target: Path) -> None:
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET preserve_insertion_order = true")  # so that the bytes do not depend on the threads
    con.execute("SET memory_limit = '1GB'")
    con.execute(f"SET temp_directory = '{str(target).replace(chr(39), chr(39) * 2)}/spill'")
    noise.define(con)
    numbers = ", ".join(f"{name} DOUBLE" for name in _NUMBERS)
    columns = "industry VARCHAR, industry_name VARCHAR, product VARCHAR, price DOUBLE, " + numbers
    _dealt(con, "sector", columns, _sectors(), _SLOTS)
    _dealt(con, "place", "region VARCHAR, region_name VARCHAR", _places(), _SLOTS)


_NUMBERS = ("value", "electricity", "coal", "gas", "oil", "coke", "heat", "added")


def _sectors() -> Iterator[tuple[float, list[object]]]:
    """Each industry of the list with its weight and its sector's numbers."""
    text = resources("celadon.examples.country").joinpath("sectors.csv").read_text("utf-8")
    sectors = {row["sector"]: row for row in csv.DictReader(text.splitlines())}
    for row in sectors.values():
        members = [
            item
            for item in industries().values()
            if item.level == 4 and sectors.get(item.code, sectors.get(item.code[:2])) is row
        ]
        numbers: list[object] = [float(row[name]) for name in _NUMBERS]
        price = float(row["price"]) if row["price"] else None
        for item in members:
            yield (
                float(row["weight"]) / len(members),
                [item.code, item.name.zh, row["product"] or None, price, *numbers],
            )


def _places() -> Iterator[tuple[float, list[object]]]:
    """Each prefecture (or province that has none) with its weight."""
    known = regions().values()
    parents = {item.parent for item in known}
    chosen = [item for item in known if item.level != "county_direct" and item.code not in parents]
    siblings = Counter(item.code[:2] for item in chosen)
    for item in chosen:
        yield _PROVINCES.get(item.code[:2], 1) / siblings[item.code[:2]], [item.code, item.name.zh]


def _dealt(
    con: duckdb.DuckDBPyConnection,
    table: str,
    columns: str,
    rows: Iterable[tuple[float, list[object]]],
    slots: int,
) -> None:
    """A table of `slots` rows, each row of `rows` in as many of them as its weight calls for."""
    weighed = list(rows)
    total, reached = sum(weight for weight, _ in weighed), 0.0
    con.execute(f"CREATE TEMP TABLE dealt (first INTEGER, until INTEGER, {columns})")
    for weight, row in weighed:
        first, reached = reached, reached + weight
        bounds = [round(first / total * slots), round(reached / total * slots)]
        con.execute(f"INSERT INTO dealt VALUES (?, ?, {', '.join('?' * len(row))})", [*bounds, *row])
    con.execute(
        f"CREATE TABLE {table} AS SELECT unnest(range(first, until)) AS slot, * EXCLUDE (first, until) FROM dealt"
    )
    con.execute("DROP TABLE dealt")


def _write(con: duckdb.DuckDBPyConnection, select: str, path: Path) -> int:
    copied = con.execute(
        f"COPY ({select}) TO {_literal(path)} (FORMAT PARQUET, COMPRESSION ZSTD, PARQUET_VERSION V2)"
    ).fetchone()
    return copied[0] if copied else 0


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _write_truth(con: duckdb.DuckDBPyConnection, query: str, labels: list[str], path: Path) -> int:
    """The truth with months as they are written (the planted firms are few, so they may pass through here)."""
    rows = con.execute(query).fetchall()
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["enterprise", "kind", "first_month", "last_month", "quantity", "strength"])
        for enterprise, kind, first, last, quantity, strength in rows:
            end = labels[-1] if last is None else labels[last]
            writer.writerow([enterprise, kind, labels[first], end, quantity, f"{strength:.6f}"])
    return len(rows)


def _firms(count: int, seed: int, anomalies: float, years: int) -> str:
    """What each firm is: sector numbers, size, own efficiency, which fuels it burns, and its anomaly if it has one."""
    base = f"SELECT i AS number, draw(i, {int(seed)}) AS seed_of_firm FROM range({int(count)}) AS r(i)"
    drawn = (
        "SELECT number, seed_of_firm, s.*, p.region, p.region_name, "
        "s.value * exp(1.3e0 * normal(seed_of_firm, 3)) AS level, exp(0.12e0 * normal(seed_of_firm, 4)) AS power_need, "
        "exp(0.18e0 * normal(seed_of_firm, 5)) AS heat_need, uniform(seed_of_firm, 6) AS fuel_draw, "
        "CASE WHEN uniform(seed_of_firm, 7) < 0.08e0 THEN 0.05e0 + 0.1e0 * uniform(seed_of_firm, 8) END AS solar, "
        "heat > 0.05e0 AND uniform(seed_of_firm, 9) < 0.6e0 AS buys_heat, uniform(seed_of_firm, 10) < 0.15e0 AS burns_oil, "
        "uniform(seed_of_firm, 11) < 0.1e0 AS burns_lpg, uniform(seed_of_firm, 12) < 0.6e0 AS is_metered, "
        "0.04e0 * normal(seed_of_firm, 13) + 0.02e0 AS growth "
        f"FROM ({base}) JOIN sector AS s ON s.slot = draw(seed_of_firm, 1) % {_SLOTS} "
        f"JOIN place AS p ON p.slot = draw(seed_of_firm, 2) % {_SLOTS}"
    )
    burnt = (
        "SELECT *, 'E' || lpad(number::VARCHAR, 8, '0') AS id, "
        "CASE WHEN coal > 3 OR (coal > 0.05e0 AND fuel_draw < 0.35e0) THEN coal END AS uses_cleaned_coal, "
        "CASE WHEN coal <= 3 AND coal > 0.05e0 AND fuel_draw >= 0.35e0 THEN gas + coal WHEN gas > 0 THEN gas END "
        f"AS uses_natural_gas FROM ({drawn})"
    )
    return (
        f"SELECT *, {planting.anomaly_columns(anomalies, 12 * years, years)} FROM ({burnt}) ORDER BY number"
    )


def _with_size(firms: str) -> str:
    """Size by a year's output value; after the classes of the statistical office, which also count employees."""
    size = (
        "CASE WHEN level * 12 >= 40000 THEN 'large' WHEN level * 12 >= 2000 THEN 'medium' "
        "WHEN level * 12 >= 300 THEN 'small' ELSE 'micro' END"
    )
    name = "region_name || industry_name || lpad(number::VARCHAR, 8, '0')"
    return f"SELECT id, {name} AS name, industry, region, product, {size} AS size FROM {firms}"


def _month(firms: str, index: int) -> str:
    """What every firm truly did in one month (or in the month it copies), and its bills of this month."""
    spoiled = f"SELECT *, {planting.within(str(index))} AS is_spoiled FROM {firms}"
    shown = (
        f"SELECT *, {planting.source_month(str(index))} AS shown, draw(seed_of_firm, {1000 + index}) AS seed_of_bill "
        f"FROM ({spoiled})"
    )
    seasons = f"[{', '.join(f'{part / 100!r}e0' for part in _MONTHS)}][shown % 12 + 1]"
    heating = f"[{', '.join(f'{part / 100!r}e0' for part in _HEATING)}][shown % 12 + 1]"
    drawn = f"SELECT *, draw(seed_of_firm, 2000 + shown) AS m, {heating} AS heating FROM ({shown})"
    active = f"SELECT *, {seasons} * exp(growth * shown / 12e0) * exp(0.06e0 * normal(m, 20)) AS activity FROM ({drawn})"
    powered = (
        "SELECT *, level * (0.15e0 + 0.85e0 * activity) * electricity / 1000 * power_need * exp(0.03e0 * normal(m, 21)) AS power, "
        "level * electricity / 1000 * power_need * solar * (1.6e0 - 0.6e0 * heating) AS sun, level * activity AS made "
        f"FROM ({active})"
    )
    return (
        "SELECT *, round(power, 3) AS electricity_consumed, round(sun, 3) AS electricity_generated, "
        "round(power - coalesce(round(sun, 3), 0), 3) AS electricity_purchased, "
        "round(made, 2) AS output_value, round(made * added * (0.9e0 + 0.2e0 * uniform(seed_of_firm, 14)) "
        "* exp(0.04e0 * normal(m, 22)), 2) AS industrial_added_value, "
        "round(made / price * exp(0.04e0 * normal(m, 23)), 2) AS product_output, "
        "round(power * 0.065e0 * exp(0.05e0 * normal(m, 24)), 2) AS electricity_cost, "
        "CASE WHEN buys_heat THEN round(made * heat * heat_need * (0.7e0 + 0.3e0 * heating) * exp(0.05e0 * normal(m, 25)), 1) END "
        "AS heat_purchased, CASE WHEN industry LIKE '44%' THEN round(made * 6 * heat_need * heating "
        "* exp(0.05e0 * normal(m, 26)), 1) END AS heat_exported, "
        f"{_burnt('uses_cleaned_coal', 26.344, 27)} AS cleaned_coal, {_burnt('nullif(coke, 0)', 28.435, 28)} AS coke, "
        f"{_burnt('uses_natural_gas', 389.31, 29)} AS natural_gas, {_burnt('oil * 0.6e0', 42.652, 30)} AS diesel, "
        f"{_burnt('oil * 0.1e0', 43.07, 31)} AS gasoline, "
        f"CASE WHEN burns_oil THEN {_burnt('oil', 41.816, 32)} END AS fuel_oil, "
        f"CASE WHEN burns_lpg THEN {_burnt('oil * 0.5e0', 50.179, 33)} END AS lpg, "
        "round(made * (2 + heat * 8) * heat_need * exp(0.06e0 * normal(m, 34)), 1) AS fresh_water, "
        "round(level / 9 * (0.8e0 + 0.4e0 * uniform(seed_of_firm, 15)) + 5)::DOUBLE AS employees "
        f"FROM ({powered})"
    )


def _burnt(heat: str, per_unit: float, draw: int) -> str:
    """Fuel of `heat` GJ per 10^4 CNY as an amount of its own unit."""
    return f"round(made * {heat} * heat_need * exp(0.05e0 * normal(m, {draw})) / {per_unit!r}e0, 3)"


_FACTS = tuple(planting.SCALE)


def _facts(firms: str, index: int, label: str) -> str:
    """The reports of one month, spoiled where an anomaly was planted; one firm in two hundred did not report."""
    values = ", ".join(planting.spoiled(column) for column in _FACTS)
    return (
        f"SELECT id AS enterprise, '{label}' AS month, {values} FROM ({_month(firms, index)}) "
        "WHERE uniform(seed_of_bill, 40) >= 0.005e0"
    )


def _bills(firms: str, index: int, label: str) -> str:
    """What the grid company billed and its meters sent, whatever the firm reported."""
    honest = (
        f"(SELECT * REPLACE (CAST(NULL AS INTEGER) AS kind, CAST(NULL AS INTEGER) AS start) FROM {firms})"
    )
    return (
        f"SELECT id AS enterprise, '{label}' AS month, "
        "round(electricity_purchased * 1000 * exp(0.004e0 * normal(seed_of_bill, 41))) AS electricity_billed, "
        "CASE WHEN is_metered THEN round(electricity_purchased * 1000 * exp(0.002e0 * normal(seed_of_bill, 42))) END "
        f"AS electricity_metered FROM ({_month(honest, index)})"
    )


def _quotas(firms: str, year: int) -> str:
    """A yearly energy quota, in tonnes of standard coal, for every firm expected to use a thousand or more."""
    heat = "(coalesce(uses_cleaned_coal, 0) + coalesce(uses_natural_gas, 0) + coke + oil) * heat_need / 29.3076e0"
    expected = f"12 * level * (electricity / 1000 * 0.1229e0 * power_need + {heat})"
    return (
        f"SELECT id AS enterprise, {year} AS year, 'comprehensive_energy' AS quantity, "
        "round(expected * (0.96e0 + 0.24e0 * uniform(seed_of_firm, 16))) AS value, 'tce' AS unit "
        f"FROM (SELECT *, {expected} AS expected FROM {firms}) WHERE expected >= 1000 ORDER BY id"
    )

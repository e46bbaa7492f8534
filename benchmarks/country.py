"""A sector's formulas over a country's monthly facts, by industry and region: against one fused SQL statement, Polars, openfisca."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import country_by_hand
from benchmarks.country_data import COLUMNS, make
from benchmarks.measure import Used, Watch, in_turns, run

BOOK = Path(__file__).resolve().parent / "country_book"
BY = ("industry", "region")
MOST = 100_000
"""openfisca keeps every variable of every month in memory, in single precision: it gets at most this many enterprises."""


def compare(folder: Path, enterprises: int, runs: int, python: str | None) -> dict[str, Any]:
    """Make the facts, check that all give the same sums, then time them in turns; `python`: one that has openfisca-core."""
    place = folder / "country"
    run("country:prepare", folder=str(place), enterprises=enterprises)
    rows, fewer = enterprises * 12, min(enterprises, MOST)
    contenders = {
        name: (lambda function=function: run(f"country:{function}", folder=str(place)))
        for name, function in (
            ("Celadon", "celadon"), ("Celadon with shares", "celadon_shares"), ("SQL by hand", "sql"), ("Polars by hand", "polars"),
        )
    }  # fmt: skip
    if python is not None:
        given = {
            "folder": str(place), "enterprises": fewer, "prices": _prices(), "factors": _factors(),
            "inputs": [column[0] for column in COLUMNS],
        }  # fmt: skip
        contenders["openfisca-core"] = lambda: run("country_openfisca:compute", python=python, **given)
    found = in_turns(runs, contenders)
    base, size = found["SQL by hand"], {"openfisca-core": fewer * 12}
    if "openfisca-core" in found and fewer == enterprises:
        _nearly_same(found["openfisca-core"], base)
    for name, used in found.items():
        if name != "openfisca-core":
            _same(used, base)
    result = {
        name: {
            "work_cpu_s": round(used.work_cpu, 2), "work_wall_s": round(used.work_wall, 2), "peak_mb": round(used.peak_mb),
            "cpu_ratio": round(used.work_cpu / base.work_cpu * rows / size.get(name, rows), 2),
            "cpu_s_per_million": round(used.work_cpu / size.get(name, rows) * 1e6, 3),
            "wall_s_per_million": round(used.work_wall / size.get(name, rows) * 1e6, 3),
        }
        for name, used in found.items()
    }  # fmt: skip
    formulas = len(country_by_hand.names())
    without = "" if python else "not run: it could not be installed"
    return {
        "enterprises": enterprises,
        "rows": rows,
        "formulas": formulas,
        "contenders": result,
        "without": without,
    }


def prepare(_watch: Watch, folder: str, enterprises: int) -> None:
    """Make the facts, in a process whose memory nobody inherits."""
    make(Path(folder), enterprises)


def _table(name: str) -> list[dict[str, str]]:
    with (BOOK / "tables" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _factors() -> dict[str, tuple[float, float]]:
    limits = {row["region"]: float(row["value"]) for row in _table("limits")}
    return {row["region"]: (float(row["value"]), limits[row["region"]]) for row in _table("grid")}


def _prices() -> list[float]:
    return [float(row["value"]) for row in _table("prices")]


def _same(one: Used, other: Used) -> None:
    assert one.answer.keys() == other.answer.keys(), one.answer.keys() ^ other.answer.keys()
    for name, value in other.answer.items():
        mine = one.answer[name]
        assert abs(mine - value) <= 1e-9 * max(abs(mine), abs(value), 1e-6), (name, mine, value)


def _nearly_same(one: Used, other: Used) -> None:
    """openfisca computes in single precision."""
    for name, value in one.answer.items():
        own = other.answer[f"whole {_OTHER_NAMES.get(name, name)}"]
        assert abs(own - value) <= 1e-4 * abs(own), (name, own, value)


_OTHER_NAMES = {"emission": "total_emission", "energy": "comprehensive_energy"}


def _sums(rows: list[tuple[Any, ...]]) -> dict[str, float]:
    """Each formula's column added up over the groups: the same only if every group's is."""
    weights = [1 + sum(map(ord, f"{row[0]}{row[1]}")) % 7 for row in rows]
    found: dict[str, float] = {}
    for place, name in enumerate(country_by_hand.names(), start=2):
        values = [row[place] or 0.0 for row in rows]
        found[name] = sum(value * weight for value, weight in zip(values, weights, strict=True))
        found[f"whole {name}"] = sum(values)
    return found


def sql(watch: Watch, folder: str) -> dict[str, float]:
    """One fused statement, written by hand."""
    with duckdb.connect() as con, watch.running():
        rows = country_by_hand.by_sql(con, Path(folder), _factors(), _prices())
    return _sums(rows)


def polars(watch: Watch, folder: str) -> dict[str, float]:
    """Polars by hand."""
    with watch.running():
        rows = country_by_hand.by_polars(Path(folder), _factors(), _prices())
    return _sums(rows)


def celadon(watch: Watch, folder: str) -> dict[str, float]:
    """The engine: values and coverage."""
    return _celadon(watch, folder, shares=False)


def celadon_shares(watch: Watch, folder: str) -> dict[str, float]:
    """The engine with the shares of what values rest on."""
    return _celadon(watch, folder, shares=True)


def _celadon(watch: Watch, folder: str, *, shares: bool) -> dict[str, float]:
    from celadon.core.periods import parse_period
    from celadon.engine.region import account_region
    from celadon.engine.region_model import FactColumn, Region
    from celadon.engine.request import Request
    from celadon.rules.rulebook import load_rulebook

    columns = tuple(
        FactColumn(quantity, item, "", unit, name, complete=share == 100)
        for name, quantity, item, unit, share, _ in COLUMNS
    )
    registry, facts = (f"read_parquet('{folder}/{name}.parquet')" for name in ("registry", "facts"))
    with duckdb.connect() as con:
        book, region = load_rulebook(BOOK), Region(registry, facts, columns)
        request = Request(parse_period("2023", region.zone), wanted=tuple(book.rules))
        with watch.running():
            result = account_region(con, book, region, request, BY, into="answers", shares=shares)
        places = {f"{one.quantity} {one.item}".strip(): one.value for one in result.columns}
        chosen = ", ".join(places[name] for name in country_by_hand.names())
        return _sums(con.execute(f"SELECT industry, region, {chosen} FROM answers").fetchall())

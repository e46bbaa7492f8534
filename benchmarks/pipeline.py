"""Register → hour → area → site: energy, carbon by both methods and cost, from the readings at rest to the account."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import by_hand
from benchmarks.measure import Used, Watch, in_turns, run
from benchmarks.works import REGIONS, ZONE, Works, count_readings, make_store, segments

BOOK = "ghg_protocol_corporate"
WANTED = ("electricity_purchased", "scope_2_location_based", "scope_2_market_based")
PERIOD = "2023"
CONTRACT = 0.02


def compare(folder: Path, works: Works, runs: int, pandas: str | None) -> dict[str, Any]:
    """Make the readings, check that all contenders give the same answer, then time them in turns; `pandas`: a Python that has it."""
    place = folder / "pipeline"
    if place.exists():
        shutil.rmtree(place)
    opened = make_store(place, works)
    files = segments(opened)
    with duckdb.connect() as con:
        readings = count_readings(con, files)
    shape = {"folder": str(place), "sites": works.sites, "leaves": works.leaves, "months": works.months}
    contenders = {
        name: (lambda function=function: run(f"pipeline:{function}", **shape))
        for name, function in (
            ("Celadon", "celadon"),
            ("SQL by hand", "sql"),
            ("Polars by hand", "polars"),
            ("bare window query", "bare"),
        )
    }
    if pandas is not None:
        known = {
            "files": [str(file) for file in files],
            "meters": by_hand.meters(works),
            "factors": _factors(works),
        }
        hours = [int(moment.timestamp()) // 3600 for moment in (works.start, works.end)]
        (place / "known.json").write_text(json.dumps({**known, "hours": hours}), encoding="utf-8")
        contenders["pandas"] = lambda: run("pipeline_pandas:account", python=pandas, folder=str(place))
    found = in_turns(runs, contenders)
    for name in contenders.keys() - {"SQL by hand", "bare window query"}:
        check(found[name], found["SQL by hand"])
    base = found["SQL by hand"]
    rows = {}
    for name, used in found.items():
        rows[name] = {
            "cpu_s": round(used.cpu, 2), "wall_s": round(used.wall, 2), "peak_mb": round(used.peak_mb),
            "work_cpu_s": round(used.work_cpu, 2), "work_wall_s": round(used.work_wall, 2),
            "readings_per_s": round(readings / used.work_wall), "readings_per_cpu_s": round(readings / used.work_cpu),
            "cpu_ratio": round(used.work_cpu / base.work_cpu, 2),
        }  # fmt: skip
    return {
        "plant": works.name,
        "readings": readings,
        "bytes_per_reading": round(sum(f.stat().st_size for f in files) / readings, 2),
        "contenders": rows,
    }


def check(one: Used, other: Used) -> None:
    """The same rows with the same values (the last digits of a sum in floating point aside)."""
    for mine, theirs in zip(one.answer, other.answer, strict=True):
        assert len(mine) == len(theirs), (len(mine), len(theirs))
        for left, right in zip(mine, theirs, strict=True):
            for a, b in zip(left, right, strict=True):
                same = (
                    a == b
                    if isinstance(a, str) or isinstance(b, str)
                    else abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-6)
                )
                assert same, (left, right)


def _factors(works: Works) -> list[tuple[str, float, float, float | None]]:
    """Grid and residual factors (tCO2e/MWh) from the rulebook's own tables, so that all contenders use the same."""
    from celadon.rules.rulebook import load_rulebook

    tables = Path(load_rulebook(BOOK).folder) / "tables"
    with duckdb.connect() as con:
        sql = "SELECT {key}, value FROM read_csv(?, header = true, all_varchar = true) WHERE valid_from <= '2023-01-01' AND (valid_to >= '2023-12-31' OR valid_to IS NULL)"
        grid = dict(con.execute(sql.format(key="region"), [str(tables / "grid_factors_co2.csv")]).fetchall())
        rest = dict(con.execute(sql.format(key="country"), [str(tables / "residual_mix.csv")]).fetchall())
    return [
        (
            works.site(site),
            float(grid[REGIONS[site % len(REGIONS)]]),
            float(rest["CN"]),
            CONTRACT if site == 0 else None,
        )
        for site in range(works.sites)
    ]


def _plain(answer: by_hand.Answer) -> list[list[list[Any]]]:
    return [[list(row) for row in rows] for rows in answer]


def sql(watch: Watch, folder: str, **shape: int) -> Any:
    """Hand-written DuckDB SQL."""
    from celadon.plant.opened import open_file
    from celadon.store.scratch import connect

    works, files = Works(**shape), segments(open_file(folder))
    factors = _factors(works)
    with connect() as con, watch.running():
        by_hand.declare(con, works, factors)
        by_hand.ledger(con, works, files)
        answer = by_hand.account(con, works)
    return _plain(answer)


def polars(watch: Watch, folder: str, **shape: int) -> Any:
    """Polars by hand."""
    from benchmarks import by_polars
    from celadon.plant.opened import open_file

    works, files = Works(**shape), segments(open_file(folder))
    factors = _factors(works)
    with watch.running():
        answer = by_polars.account(works, by_polars.ledger(works, files), factors)
    return _plain(answer)


def bare(watch: Watch, folder: str, **_shape: int) -> Any:
    """The floor: one window query, no care."""
    from celadon.plant.opened import open_file
    from celadon.store.scratch import connect

    files = segments(open_file(folder))
    with connect() as con, watch.running():
        return by_hand.floor(con, files)


def celadon(watch: Watch, folder: str, **shape: int) -> Any:
    """Celadon: view of the store → ledger derived → facts by area → the rulebook's query, by area and month and by site."""
    from celadon.core.periods import Grain, parse_period
    from celadon.core.quantities import Space
    from celadon.engine.request import Request
    from celadon.engine.run import run as run_engine
    from celadon.plant.facade import Plant
    from celadon.plant.opened import open_file
    from celadon.plant.workspace import Workspace
    from celadon.rules.rulebook import load_rulebook

    with Plant(open_file(folder)) as plant:
        book = load_rulebook(BOOK)
        with watch.running():
            seen, work = plant.view(), Workspace.open()
            period = parse_period(
                PERIOD if shape["months"] == 12 else f"2023-{13 - shape['months']:02d}..2023-12", ZONE
            )
            facts = work.facts(seen, period, Space.PROCESS, Grain.MONTH)
            answers = []
            for space, grain in ((Space.PROCESS, Grain.MONTH), (Space.SITE, None)):
                request = Request(period, space, grain, WANTED).checked(book)
                result = run_engine(work.con, book, seen.model, request, facts=facts.name)
                answers.append(_rows(work.con, facts.name, result, space is Space.PROCESS))
        work.close()
    return answers


def _rows(con: duckdb.DuckDBPyConnection, facts: str, result: Any, by_area: bool) -> list[list[Any]]:
    """The result in the shape of the other contenders: keys, energy, estimated share, location, market, cost."""
    keys = "site, process, month(time_start + INTERVAL 8 HOUR)" if by_area else "site"
    cost = {
        tuple(row[:-1]): row[-1]
        for row in con.execute(
            f"SELECT {keys}, sum(value) FROM {facts} WHERE quantity = 'energy_cost' GROUP BY ALL"
        ).fetchall()
    }
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in result.rows:
        key = (row.site, row.process, int(row.label[-2:])) if by_area else (row.site,)
        found.setdefault(key, {})[row.quantity] = row
    return [
        [*key, *(found[key][WANTED[0]].value, found[key][WANTED[0]].estimated), found[key][WANTED[1]].value, found[key][WANTED[2]].value, cost[key]]
        for key in sorted(found)
    ]  # fmt: skip

"""Spark against the embedded engine on the same cores, and over one worker and two: a region's year from wide monthly files.

Wall times of a warm session, because that is what a cluster is used for; starting it and the first answer are told beside
them. On a cluster the work is spread over processes, so its CPU is the sum over the driver and all workers.
"""

from __future__ import annotations

import math
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import Watch, run

BOOK = "cn_gbt_32150_2015"
CONTENDERS = {"embedded": None, "spark-local": "spark-local", "one worker": 1, "two workers": 2}
COLUMNS = (
    ("energy_consumed", "raw_coal", "combustion", "t", "coal"),
    ("energy_consumed", "diesel", "combustion", "t", "diesel"),
    ("energy_consumed", "natural_gas", "combustion", "m3", "gas"),
    ("energy_purchased", "electricity", "", "kWh", "electricity"),
)


def compare(folder: Path, firms: int, runs: int) -> dict[str, Any]:
    """Each contender in a process of its own; the same answer from all, or it stops. A word instead, where Spark is missing."""
    from celadon.core.findings import FindingError
    from celadon.engine.spark import _needs

    try:
        _needs()
    except FindingError as error:
        return {"left_out": str(error)}
    place = folder / "spark"
    place.mkdir(parents=True, exist_ok=True)
    write(place, firms)
    given = {"folder": str(place), "runs": runs}
    found = {name: run("spark:account", on=on, **given).answer for name, on in CONTENDERS.items()}
    expected = found["embedded"].pop("answer")
    for name, one in list(found.items())[1:]:
        agree(expected, one.pop("answer"), name)
    return {"rows": firms * 12, "cores": os.cpu_count(), "contenders": found}


def write(place: Path, firms: int) -> None:
    """A registry and twelve files of facts, by formula."""
    import duckdb

    con = duckdb.connect()
    con.execute(
        f"COPY (SELECT range AS enterprise, 'CN-' || ['SD', 'HB', 'GD', 'JS'][1 + range % 4] AS region, (range % 41)::VARCHAR AS industry "
        f"FROM range({firms})) TO '{place}/registry.parquet'"
    )
    for month in range(1, 13):
        seeds = {name: f"(hash(range, {month}, {seed}) % 9973)" for seed, (*_, name) in enumerate(COLUMNS)}
        values = ", ".join(f"{seed} / 8e0 AS {name}" for name, seed in seeds.items())
        con.execute(
            f"COPY (SELECT range AS enterprise, DATE '2024-{month:02d}-01' AS month, {values} FROM range({firms})) "
            f"TO '{place}/facts-{month:02d}.parquet'"
        )


def account(watch: Watch, folder: str, runs: int, on: str | int | None) -> dict[str, Any]:
    """Seconds to start, for the first answer, for later ones (median), CPU of one of these; and the answer."""
    if on is None or isinstance(on, str):
        begun = time.perf_counter()
        backend = _spark(on, Path(folder)) if on else None
        return _timed(watch, Path(folder), runs, backend, time.perf_counter() - begun)
    from tests.engine.clusters import cluster

    with cluster(on) as made:
        begun = time.perf_counter()
        backend = _spark(made.address, Path(folder))
        found = _timed(watch, Path(folder), runs, backend, time.perf_counter() - begun)
        backend.close()
        return found


def _spark(address: str, folder: Path) -> Any:
    from celadon.engine.spark import Spark

    return Spark(address, folder)


def _timed(watch: Watch, folder: Path, runs: int, backend: Any, start: float) -> dict[str, Any]:
    import duckdb

    from celadon.core.periods import Grain, parse_period
    from celadon.core.quantities import Space
    from celadon.engine.region import account_region
    from celadon.engine.region_model import FactColumn, Region
    from celadon.engine.request import Request
    from celadon.rules.rulebook import load_rulebook

    con = duckdb.connect()
    con.execute(f"SET threads = {os.cpu_count()}")
    con.execute(
        f"CREATE TEMP VIEW registry AS SELECT enterprise, region, industry FROM read_parquet(['{folder}/registry.parquet'])"
    )
    files = ", ".join(f"'{folder}/facts-{month:02d}.parquet'" for month in range(1, 13))
    names = ", ".join(["enterprise", "month", *(name for *_, name in COLUMNS)])
    con.execute(f"CREATE TEMP VIEW facts AS SELECT {names} FROM read_parquet([{files}])")
    region = Region("registry", "facts", tuple(FactColumn(*column) for column in COLUMNS))
    book = load_rulebook(BOOK)
    request = Request(parse_period("2024", "Asia/Shanghai"), Space.SITE, Grain.MONTH, ("total_emission",), {})
    walls, cpus, rows = [], [], []
    for _ in range(runs + 1):
        before, begun = _cpu(), time.perf_counter()
        with watch.running():
            rows = account_region(con, book, region, request, ("region", "industry"), on=backend).rows
        walls.append(time.perf_counter() - begun)
        cpus.append(_cpu() - before)
    answer = sorted([*map(str, row.group), row.label, row.value] for row in rows)
    return {
        "start": start, "first": walls[0], "wall": statistics.median(walls[1:]), "cpu": statistics.median(cpus[1:]), "answer": answer,
    }  # fmt: skip


def agree(expected: list[list[Any]], found: list[list[Any]], name: str) -> None:
    """SystemExit where a contender answers otherwise."""
    same = len(expected) == len(found) and all(
        one[:3] == other[:3] and math.isclose(one[3], other[3], rel_tol=1e-9)
        for one, other in zip(expected, found, strict=True)
    )
    if not same:
        raise SystemExit(f"{name} answers otherwise than the embedded engine")


def _cpu() -> float:
    """CPU seconds so far of this process and all below it: driver, master, workers (Linux; elsewhere 0)."""
    if sys.platform != "linux":
        return 0.0
    parents: dict[int, list[int]] = {}
    used: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        number = int(stat.parent.name)
        parents.setdefault(int(fields[1]), []).append(number)
        used[number] = int(fields[11]) + int(fields[12])
    waiting, total = [os.getpid()], 0
    while waiting:
        number = waiting.pop()
        total += used.get(number, 0)
        waiting += parents.get(number, [])
    return total / os.sysconf("SC_CLK_TCK")

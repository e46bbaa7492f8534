"""Readings × hourly factor → hourly energy and emission → site, month: interval meters of every site, the grid's intensity by hour.

Against hand-written DuckDB SQL (the limit), Polars, and pandas, which a user would pick instead, and a loop over the values alone (how
far there is to go). Contenders read the same segments. Those by hand know that every quarter-hour is there once, the loop also in what
order; Celadon finds out, and would say what is not.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import Used, Watch, in_turns, run

BOOK = Path(__file__).resolve().parent / "hourly_book"
WANTED = ("electricity", "emission")
_ZONE_HOURS = 8


def compare(
    folder: Path, sites: int, meters: int, months: int, runs: int, pandas: str | None
) -> dict[str, Any]:
    """Make the readings, time all contenders in turns, and see that they agree; `pandas`: a Python that has it."""
    place = folder / "hourly"
    shutil.rmtree(place, ignore_errors=True)
    given = {"folder": str(place), "sites": sites, "meters": meters, "months": months}
    readings = int(run("hourly:make", **given).answer)
    contenders: dict[str, Callable[[], Used]] = {
        name: (lambda function=function: run(f"hourly:{function}", **given))  # type: ignore[misc]
        for name, function in (
            ("Celadon", "celadon"),
            ("SQL by hand", "sql"),
            ("Polars by hand", "polars"),
            ("loop by hand", "loop"),
        )
    }
    if pandas is not None:
        contenders["pandas"] = lambda: run("hourly_pandas:account", python=pandas, **given)
    found = in_turns(runs, contenders)
    base = found["SQL by hand"]
    for name, used in found.items():
        check(name, used.answer, base.answer)
    rows = {
        name: {
            "work_cpu_s": round(used.work_cpu, 2), "work_wall_s": round(used.work_wall, 2), "peak_mb": round(used.peak_mb),
            "cpu_ratio": round(used.work_cpu / base.work_cpu, 2),
            "readings_per_cpu_s": round(readings / used.work_cpu),
        }
        for name, used in found.items()
    }  # fmt: skip
    plant = f"{sites} sites of {meters} meters, {months} months of quarter-hours"
    return {"plant": plant, "readings": readings, "contenders": rows}


def check(name: str, found: list[list[Any]], expected: list[list[Any]]) -> None:
    """SystemExit where a contender's rows (site, month, energy, emission) are not the others'."""
    same = len(found) == len(expected) and all(
        one[:2] == other[:2]
        and all(abs(a - b) <= 1e-9 * abs(b) for a, b in zip(one[2:], other[2:], strict=True))
        for one, other in zip(found, expected, strict=True)
    )
    if not same:
        raise SystemExit(f"hourly: {name} answers otherwise than the SQL by hand")


def plant_yaml(sites: int, meters: int) -> str:
    """The plant: every site's meters at its purchase, and a point that carries its grid's intensity."""
    lines = [
        "celadon: 1",
        "enterprise: {id: hourly, name: Hourly}",
        "zone: Asia/Shanghai",
        "grid: 1h",
        "sites:",
    ]
    lines += [f"  - {{id: s{site:03}, name: s{site:03}, region: CN-SD}}" for site in range(sites)]
    lines.append("meters:")
    for site in range(sites):
        own = f"site: s{site:03}, kind: interval, stamp: end"
        lines += [
            f"  - {{id: M{site:03}-{meter:03}, {own}, carrier: electricity, flow: purchased, unit: kWh, interval: 15min}}"
            for meter in range(meters)
        ]
        lines.append(
            f"  - {{id: G{site:03}, {own}, quantity: grid_intensity, unit: kgCO2/MWh, interval: 1h}}"
        )
    lines += [
        "sources:", "  - {id: meters, role: readings, files: [readings/*.csv], time: {column: time, zone: UTC},",
        "     long: {meter: meter, value: value}}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def make(_watch: Watch, folder: str, sites: int, meters: int, months: int) -> int:
    """The plant file and its store, without a ledger; how many readings. Month by month, so that memory stays small."""
    from celadon.adapters.plant_file import plant_to_json
    from celadon.plant.opened import open_file
    from celadon.store import Store
    from celadon.store.scratch import connect

    place = Path(folder)
    place.mkdir(parents=True)
    (place / "plant.yaml").write_text(plant_yaml(sites, meters), encoding="utf-8")
    opened = open_file(place)
    opened.sound()
    count = 0
    with Store.create(opened.store_path) as store, connect() as con:
        store.ensure_points(meter.id for meter in opened.model.meters)
        for month in range(1, months + 1):
            with store.begin("load", f"month {month}") as pending:
                pending.set_plant(plant_to_json(opened.model))
                pending.add_file(f"readings/{month}.csv", f"{month:064x}", 1, "meters", "-")
                con.execute(f"CREATE OR REPLACE TEMP TABLE readings AS {_readings(sites, meters, month)}")
                count += pending.add_readings(con, "readings", reach=1)
                pending.commit()
    return count


def _readings(sites: int, meters: int, month: int) -> str:
    """A local month: ends of quarter-hours of meters (point % (meters + 1) != 0), ends of hours of the intensity."""
    each = meters + 1
    edges = [
        f"(TIMESTAMP '2023-{month:02}-01' {add} - INTERVAL {_ZONE_HOURS} HOUR)"
        for add in ("", "+ INTERVAL 1 MONTH")
    ]
    value = (
        f"CASE WHEN point % {each} = 0 THEN 300 + (hash(point, q // 4) % 5000) / 10e0 "
        "ELSE (2000 + hash(point, q) % 9000) / 100e0 END"
    )
    return (
        f"SELECT point, make_timestamp(q * 900000000) AS t, (CASE WHEN point % {each} = 0 THEN 3600 ELSE 900 END)::INTEGER AS span, "
        f"({value})::DOUBLE AS value, {month}::INTEGER AS file, (row_number() OVER ())::INTEGER AS line FROM "
        f"(SELECT (p + 1)::INTEGER AS point FROM range({sites * each}) AS r(p)), "
        f"(SELECT epoch({edges[0]})::BIGINT // 900 + i + 1 AS q FROM range((epoch({edges[1]}) - epoch({edges[0]}))::BIGINT // 900) AS s(i)) "
        f"WHERE point % {each} <> 0 OR q % 4 = 0"
    )


def segments(folder: str) -> list[str]:
    """The segments of readings that every contender reads."""
    return sorted(str(path) for path in Path(folder).glob("celadon-store/segments/readings/*/*.parquet"))


def celadon(watch: Watch, folder: str, months: int, **_given: int) -> list[list[Any]]:
    """View of the store → ledger → hourly facts of the sites → the rulebook's query."""
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
            period = parse_period(f"2023-01..2023-{months:02}", "Asia/Shanghai")
            request = Request(period, Space.SITE, Grain.MONTH, WANTED).checked(book)
            facts = work.pooled_for(seen, book, request)
            result = run_engine(work.con, book, seen.model, request, facts=facts.name)
        work.close()
    found: dict[tuple[str, int], dict[str, float]] = {}
    for row in result.rows:
        assert row.value is not None
        assert row.coverage == 1.0
        found.setdefault((row.site, int(row.label[-2:])), {})[row.quantity] = row.value
    return [[*key, *(found[key][name] for name in WANTED)] for key in sorted(found)]


def sql(watch: Watch, folder: str, meters: int, **_given: int) -> list[list[Any]]:
    """One statement: quarter-hours to hours of a site, times its intensity, to months."""
    import duckdb

    each = meters + 1
    with duckdb.connect() as con, watch.running():
        con.execute("SET preserve_insertion_order = false")
        rows = con.execute(
            f"""WITH hour AS (
                SELECT (point - 1) // {each} AS site, (epoch(t)::BIGINT - 1) // 3600 AS h,
                    sum(value) FILTER (point % {each} <> 0) / 1000 AS mwh, sum(value) FILTER (point % {each} = 0) AS intensity
                FROM read_parquet($files) GROUP BY ALL)
            SELECT site, month(make_timestamp((h + {_ZONE_HOURS}) * 3600000000)) AS m, sum(mwh), sum(mwh * intensity)
            FROM hour GROUP BY ALL ORDER BY ALL""",
            {"files": segments(folder)},
        ).fetchall()
    return [[f"s{site:03}", month, energy, emission] for site, month, energy, emission in rows]


def polars(watch: Watch, folder: str, meters: int, **_given: int) -> list[list[Any]]:
    """The same in Polars, streamed."""
    import polars as pl

    each = meters + 1
    point, is_meter = pl.col("point"), pl.col("point") % each != 0
    with watch.running():
        hours = (
            pl.scan_parquet(segments(folder))
            .select(
                ((point - 1) // each).alias("site"), ((pl.col("t").dt.epoch("s") - 1) // 3600).alias("h"),
                pl.when(is_meter).then(pl.col("value")).alias("kwh"), pl.when(~is_meter).then(pl.col("value")).alias("intensity"),
            )
            .group_by("site", "h")
            .agg(pl.col("kwh").sum() / 1000, pl.col("intensity").sum())
        )  # fmt: skip
        month = pl.from_epoch((pl.col("h") + _ZONE_HOURS) * 3600).dt.month().alias("m")
        found = (
            hours.group_by("site", month)
            .agg(pl.col("kwh").sum(), (pl.col("kwh") * pl.col("intensity")).sum().alias("emission"))
            .sort("site", "m")
            .collect(engine="streaming")
        )
    return [[f"s{site:03}", int(month), energy, emission] for site, month, energy, emission in found.rows()]


def loop(watch: Watch, folder: str, sites: int, meters: int, months: int) -> list[list[Any]]:
    """Array sums over the values alone: which is which meter's and hour's follows from the place in the file."""
    import duckdb
    import nanoarrow
    import numpy as np

    rows = []
    with duckdb.connect() as con, watch.running():
        for month in range(1, months + 1):
            parts = []  # a batch's segments: a month of UTC ends within a local one
            for path in (one for one in segments(folder) if f"/b{month:08}-" in one):
                arrays = [
                    array.child(0)
                    for array in nanoarrow.c_array_stream(con.sql(f"SELECT value FROM '{path}'"))
                ]
                values = np.concatenate(
                    [np.frombuffer(one.view().buffer(1))[one.offset :][: len(one)] for one in arrays]
                )
                each = len(values) // sites
                quarters = round(4 * each / (4 * meters + 1))  # a segment may end within an hour
                block = values.reshape(sites, each)
                parts.append(
                    (
                        block[:, : meters * quarters].reshape(sites, meters, quarters),
                        block[:, meters * quarters :],
                    )
                )
            energy = np.concatenate([quarters.sum(axis=1) for quarters, _ in parts], axis=1)
            mwh = energy.reshape(sites, -1, 4).sum(axis=2) / 1000
            emission = (mwh * np.concatenate([hours for _, hours in parts], axis=1)).sum(axis=1)
            rows += [[f"s{site:03}", month, mwh[site].sum(), emission[site]] for site in range(sites)]
    return sorted([*row[:2], *map(float, row[2:])] for row in rows)

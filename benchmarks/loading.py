"""CSV, Parquet and XLSX to durable store: readings per second, bytes per stored reading, memory; next to a bare copy."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measure import Watch, in_turns, run
from benchmarks.works import Works

SHAPES = {"long": "csv", "wide": "csv", "parquet": "parquet", "xlsx": "xlsx"}


def compare(folder: Path, works: Works, runs: int) -> dict[str, Any]:
    """Load the same readings from one file of each shape, each into an empty store."""
    place = folder / "loading"
    shutil.rmtree(place, ignore_errors=True)
    found: dict[str, Any] = {"plant": works.name}
    for shape, ending in SHAPES.items():
        # a workbook is slow for everybody, and its sheet ends at a million rows: a month of it
        readings = write(place / shape, replace(works, months=1) if shape == "xlsx" else works, shape)
        source = place / shape / "readings" / f"all.{ending}"
        used = in_turns(
            runs,
            {
                "celadon": lambda shape=shape: run("loading:celadon", folder=str(place / shape)),
                "bare": lambda source=source, shape=shape: run(
                    "loading:bare", source=str(source), shape=shape
                ),
            },
        )
        ours, bare, answer = used["celadon"], used["bare"], used["celadon"].answer
        found[shape] = {
            "readings": readings, "file_mb": round(source.stat().st_size / 1e6),
            "work_cpu_s": round(ours.work_cpu, 2), "work_wall_s": round(ours.work_wall, 2), "peak_mb": round(ours.peak_mb),
            "readings_per_s": round(readings / ours.work_wall), "readings_per_cpu_s": round(readings / ours.work_cpu),
            "bare_copy_cpu_s": round(bare.work_cpu, 2), "bare_copy_peak_mb": round(bare.peak_mb),
            "cpu_ratio": round(ours.work_cpu / bare.work_cpu, 2), **answer,
        }  # fmt: skip
        assert answer["stored"] == readings, answer
    return found


def write(folder: Path, works: Works, shape: str) -> int:
    """The plant file and its one file of readings; how many it holds."""
    (folder / "readings").mkdir(parents=True)
    text = works.yaml(f"readings/*.{SHAPES[shape]}")
    names = [name for name, _, _ in works.meters()]
    if shape in ("wide", "xlsx"):
        columns = ", ".join(f"{name}: {name}" for name in names)
        text = text.replace("long: {meter: meter, value: value}", f"wide: {{{columns}}}")
    (folder / "plant.yaml").write_text(text, encoding="utf-8")
    with duckdb.connect() as con:
        con.execute("CREATE TABLE meter (point INTEGER, name VARCHAR)")
        con.executemany("INSERT INTO meter VALUES (?, ?)", list(enumerate(names, start=1)))
        con.execute(f"CREATE TABLE reading AS {works.readings_sql()}")
        if shape == "parquet":
            con.execute(
                "COPY (SELECT t AS time, name AS meter, value FROM reading JOIN meter USING (point) ORDER BY t, point) "
                f"TO '{folder / 'readings' / 'all.parquet'}' (FORMAT PARQUET)"
            )
            return _count(con)
        if shape == "xlsx":
            _workbook(con, folder / "readings" / "all.xlsx")
            return _count(con)
        rows = "SELECT strftime(t, '%Y-%m-%d %H:%M') AS time, name AS meter, printf('%.2f', value) AS value FROM reading JOIN meter USING (point) ORDER BY t, point"
        if shape == "wide":
            rows = f"SELECT * FROM (PIVOT ({rows}) ON meter USING first(value) GROUP BY time) ORDER BY time"
        con.execute(f"COPY ({rows}) TO '{folder / 'readings' / 'all.csv'}' (HEADER)")
        return _count(con)


def _count(con: duckdb.DuckDBPyConnection) -> int:
    [(count,)] = con.execute("SELECT count(*) FROM reading").fetchall()
    return int(count)


def _workbook(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """A sheet with a column a meter."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("readings")
    found = con.execute(
        "SELECT * FROM (PIVOT (SELECT t AS time, name AS meter, value FROM reading JOIN meter USING (point)) ON meter "
        "USING first(value) GROUP BY time) ORDER BY time"
    )
    sheet.append([column[0] for column in found.description or ()])
    for row in found.fetchall():
        sheet.append(row)
    book.save(path)


def celadon(watch: Watch, folder: str) -> dict[str, Any]:
    """`load` into an empty store: read, judge, store durably, derive and store the ledger."""
    from celadon.plant.facade import open_plant
    from celadon.plant.loading import load
    from celadon.store import Store

    shutil.rmtree(Path(folder) / "celadon-store", ignore_errors=True)
    stages: list[tuple[float, float]] = []
    with open_plant(folder) as plant:
        with watch.running():
            done = load(plant.opened, lambda share, _what: stages.append((share, _now())))
        store = plant.opened.store_path
    begun = stages[0][1]
    durable = next((at for share, at in stages if share > 0.8999), stages[-1][1]) - begun
    size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    readings = sum(path.stat().st_size for path in store.glob("segments/readings/*/*.parquet"))
    with Store.open(store) as opened:
        parts = len(opened.batches())
    return {
        "stored": done.readings, "bytes_per_reading": round(readings / done.readings, 2),
        "bytes_per_reading_all_in": round(size / done.readings, 2), "readings_durable_after_s": round(durable, 2), "batches": parts,
    }  # fmt: skip


def _cells(source: str) -> int:
    """Read every cell of a workbook, and do nothing with it."""
    from openpyxl import load_workbook

    sheet = load_workbook(source, read_only=True).worksheets[0]
    return sum(value is not None for row in sheet.iter_rows(values_only=True) for value in row)


def _now() -> float:
    from time import perf_counter

    return perf_counter()


def bare(watch: Watch, source: str, shape: str) -> int:
    """The floor: DuckDB (of a workbook: openpyxl) reads the file and writes Parquet; nothing judged, nothing forced to disk, no file and line."""
    target = Path(source).with_suffix(".copy")
    with duckdb.connect() as con, watch.running():
        if shape == "xlsx":
            return _cells(source)
        query = f"SELECT * FROM '{source}'" if shape == "parquet" else f"SELECT * FROM read_csv('{source}')"
        if shape == "wide":
            query = f"UNPIVOT ({query}) ON COLUMNS(* EXCLUDE time) INTO NAME meter VALUE value"
        con.execute(
            f"COPY (SELECT * FROM ({query}) ORDER BY meter, time) TO '{target}' (FORMAT PARQUET, COMPRESSION ZSTD)"
        )
    size = target.stat().st_size
    target.unlink()
    return size

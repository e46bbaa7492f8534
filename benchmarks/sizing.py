"""A plant that grows year by year, by the documented commands: what loading, disk and answers cost as history grows.

`python -m benchmarks.sizing [YEARS [METERS [FOLDER]]]` (six years of 510 meters: 105 million readings, some tens of minutes)
prints a line per year, keeps results/sizing.json and writes the tables of docs/sizing.md. CPU seconds and peak memory are of
the whole process of each command.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measure import Used, Watch, command, run
from benchmarks.works import MEAN, STEP, Works
from celadon.store.scratch import connect

RESULT = Path(__file__).resolve().parent / "results" / "sizing.json"
PAGE = RESULT.parent.parent.parent / "docs" / "sizing.md"
MARKS = ("<!-- measured: written by python -m benchmarks.sizing -->", "<!-- end of measured -->")
UPKEEP = ("verify", "doctor", "compact", "backup", "backup again", "restore")
BOOK = "cn_gbt_2589_2020"
FIRST = 2024


def main() -> None:
    given = sys.argv[1:]
    years, meters = int(given[0]) if given else 6, int(given[1]) if len(given) > 1 else 510
    with tempfile.TemporaryDirectory(prefix="celadon-bench-") as scratch:
        folder = Path(given[2] if len(given) > 2 else scratch)
        works = Works(sites=10, leaves=meters // 10 - 1, months=12 * years)
        found: dict[str, Any] = {"meters": works.points, "years": [], "step_seconds": STEP}
        plant = folder / "plant"
        for name in ("readings", "late"):
            (plant / name).mkdir(parents=True)
        (plant / "plant.yaml").write_text(_yaml(works), encoding="utf-8")
        _late(plant, works, 14)
        for year in range(FIRST - years, FIRST):
            found["years"].append(_year(plant, works, year))
            print(json.dumps(found["years"][-1]), flush=True)
        found["upkeep"] = _upkeep(plant, folder / "backup", folder / "restored")
        print(json.dumps(found["upkeep"]), flush=True)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    show(found)


def show(found: dict[str, Any]) -> None:
    """Put the tables into the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    PAGE.write_text(before + "\n".join([MARKS[0], *_tables(found), MARKS[1]]) + after, encoding="utf-8")


def _tables(found: dict[str, Any]) -> Iterator[str]:
    yield f"{found['meters']} meters, a reading each {found['step_seconds'] // 60} minutes, one wide CSV a month, hourly ledger."
    yield ""
    yield "| after loading | readings stored | load of the year, CPU s | readings / CPU s | store, MB | bytes / reading: readings, ledger, catalogue |"
    yield "|---|---|---|---|---|---|"
    stored = 0
    for one in found["years"]:
        stored += one["readings"]
        parts = [one[name] for name in ("readings_mb", "ledger_mb", "catalogue_mb")]
        each = ", ".join(f"{part * 1e6 / stored:.2f}" for part in parts)
        yield (
            f"| {one['year']} | {stored:,} | {one['load_cpu_s']:.0f} | {one['readings_per_cpu_s']:,} | {sum(parts):,.0f} | {each} |"
        )
    yield ""
    asked = {
        "account_month": "account, newest year's June", "account_first_month": "account, oldest January",
        "account_year": "account, newest year", "balance_month": "conservation proof of a month", "load_late": "loading one late reading",
    }  # fmt: skip
    measured = {number: one for number, one in enumerate(found["years"], 1) if "account_month_cpu_s" in one}
    heads = [f"{number} year{'s' * (number > 1)} of history" for number in measured]
    yield f"| CPU s (peak MB) | {' | '.join(heads)} |"
    yield "|---|" + "---|" * len(heads)
    for name, words in asked.items():
        cells = [f"{one[name + '_cpu_s']:.1f} ({one[name + '_peak_mb']})" for one in measured.values()]
        yield f"| {words} | {' | '.join(cells)} |"
    yield ""
    yield f"| upkeep of the {stored / 1e6:.0f} million readings | CPU s |"
    yield "|---|---|"
    for name in UPKEEP:
        yield f"| `{name}` | {found['upkeep'][name + '_cpu_s']:.1f} |"


def _yaml(works: Works) -> str:
    columns = ", ".join(f"{name}: {name}" for name, _, _ in works.meters())
    late = """  - id: late
    role: readings
    files: [late/*.csv]
    time: {column: time, zone: UTC}
    long: {meter: meter, value: value}
"""
    return works.yaml().replace("long: {meter: meter, value: value}", f"wide: {{{columns}}}") + late


def _year(plant: Path, works: Works, year: int) -> dict[str, Any]:
    # written by another process: what a command uses at most is counted from what its parent holds
    given = {"sites": works.sites, "leaves": works.leaves, "months": works.months}
    readings, size = run("sizing:write", folder=str(plant / "readings"), year=year, **given).answer
    loaded = _celadon("load", plant)
    store = plant / "celadon-store"
    before = {
        "year": year, "readings": readings, "csv_mb": round(size / 1e6), **_used("load", loaded),
        "readings_per_cpu_s": round(readings / loaded.cpu), **_sizes(store),
    }  # fmt: skip
    for name, period in (("month", f"{year}-06"), ("year", str(year))):
        before |= _used(f"account_{name}", _celadon("account", plant, "-r", BOOK, "-p", period))
    before |= _used(
        "account_first_month", _celadon("account", plant, "-r", BOOK, "-p", f"{_first(works)}-01")
    )
    before |= _used("balance_month", _celadon("balance", plant, "-p", f"{year}-06"))
    _late(plant, works, year % 10 + 1)
    return before | _used("load_late", _celadon("load", plant))


def _late(plant: Path, works: Works, minute: int) -> None:
    """A file with one reading of January of the first year, that minute after a quarter: what the meter counted then."""
    step, point = 14 * 86400 // STEP, 8  # the fifteenth day, local time
    # the closed form of `Works.readings_sql` for a leaf meter
    count = (
        point * 7368787
        + (step + 2) * (MEAN - 400 + (point * 37) % 800)
        + (step**2 * 7919 + step * point * 104729) % 997
    )
    row = f"{_first(works)}-01-14 16:{minute:02d},{works.meters()[point - 1][0]},{count % 10**8 / 100 + minute / 100:.2f}"
    (plant / "late" / f"{minute}.csv").write_text(f"time,meter,value\n{row}\n")


def _upkeep(plant: Path, backup: Path, restored: Path) -> dict[str, Any]:
    words = [
        ("verify", plant), ("doctor", plant), ("compact", plant), ("backup", plant, backup), ("backup", plant, backup),
        ("restore", backup, restored),
    ]  # fmt: skip
    found: dict[str, Any] = {}
    for name, given in zip(UPKEEP, words, strict=True):
        found |= _used(name, _celadon(*given))
    return found | {"sizes": _sizes(plant / "celadon-store")}


def _celadon(*words: object) -> Used:
    return command([sys.executable, "-m", "celadon", *map(str, words), "--quiet"])


def _used(name: str, used: Used) -> dict[str, float]:
    return {f"{name}_cpu_s": round(used.cpu, 2), f"{name}_peak_mb": round(used.peak_mb)}


def _sizes(store: Path) -> dict[str, float]:
    def size(pattern: str) -> float:
        return round(sum(file.stat().st_size for file in store.glob(pattern)) / 1e6, 1)

    return {
        "readings_mb": size("segments/readings/*/*"), "ledger_mb": size("segments/ledger/*/*"), "catalogue_mb": size("catalogue.sqlite"),
    }  # fmt: skip


def write(watch: Watch, folder: str, year: int, **given: int) -> tuple[int, int]:
    """One wide CSV a month; readings and bytes of the year."""
    works, target = Works(**given), Path(folder)
    readings = size = 0
    with watch.running(), connect() as con:
        con.execute("CREATE TABLE meter (point INTEGER, name VARCHAR)")
        names = [name for name, _, _ in works.meters()]
        con.executemany("INSERT INTO meter VALUES (?, ?)", list(enumerate(names, start=1)))
        for label, first, last in _months(works, year):
            con.execute(f"CREATE OR REPLACE TABLE reading AS {works.readings_sql(first=first, last=last)}")
            rows = (
                "SELECT strftime(t, '%Y-%m-%d %H:%M') AS time, name AS meter, printf('%.2f', value) AS value "
                "FROM reading JOIN meter USING (point)"
            )
            rows = f"SELECT * FROM (PIVOT ({rows}) ON meter USING first(value) GROUP BY time) ORDER BY time"
            con.execute(f"COPY ({rows}) TO '{target / label}.csv' (HEADER)")
            readings += con.execute("SELECT count(*) FROM reading").fetchall()[0][0]
            size += (target / f"{label}.csv").stat().st_size
    return readings, size


def _months(works: Works, year: int) -> Iterator[tuple[str, int, int]]:
    """(label, first step, step after the last) of each month of local time."""
    start = datetime(_first(works), 1, 1, tzinfo=UTC)
    for month in range(year * 12, year * 12 + 12):
        edges = [datetime(at // 12, at % 12 + 1, 1, tzinfo=UTC) for at in (month, month + 1)]
        first, last = (int((edge - start).total_seconds()) // STEP for edge in edges)
        yield f"{year}-{month % 12 + 1:02d}", first, last


def _first(works: Works) -> int:
    """The local year that begins where the plant does."""
    return works.start.year + 1


if __name__ == "__main__":
    main()

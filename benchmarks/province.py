"""A province with meters, by the documented commands: parks of metered firms, one plant file each, loaded and made monthly facts;
the region of all of them loaded, accounted, graded and screened."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measure import Used, Watch, command, run

MONTH, HOURS = "2024-01", 31 * 24
BOOKS = ("cn_gbt_32150_2015", "cn_gbt_2589_2020", "cn_carbon_efficiency_grade")
_INDUSTRIES = ("3011", "3120", "2614", "1713", "3392")
_PLANT = """\
celadon: 1
enterprise: {{id: park{park}, name: Park {park}}}
zone: Asia/Shanghai
sites:
{sites}
meters:
{meters}
sources:
  - {{id: meters, role: readings, files: readings.parquet, time: {{column: time}}, long: {{meter: meter, value: value}}}}
  - id: books
    role: records
    files: books.csv
    fields: {{date: date, quantity: what, value: value, unit: unit, site: firm}}
"""
_REGION = """\
celadon-region: 1
region: {{id: province}}
registry: {{files: [registry.csv], columns: {{enterprise: id, name: name, industry: code, region: place}}}}
sources:
  - id: metered
    files: [facts-*.parquet]
    enterprise: enterprise
    month: month
    long: {{quantity: quantity, item: item, purpose: purpose, value: value, unit: unit}}
    values: {values}
"""


def compare(folder: Path, parks: int, firms: int) -> dict[str, Any]:
    """CPU, wall and peak memory of each command, those of the parks added up; `firms`: in each park."""
    place = folder / "province"
    shutil.rmtree(place, ignore_errors=True)
    made = run("province:make", folder=str(place), parks=parks, firms=firms)
    loads, facts = [], []
    for park in range(parks):
        plant = place / f"park{park}"
        loads.append(_celadon("load", plant))
        books = [word for book in BOOKS for word in ("-r", book)]
        file = place / f"facts-{park}.parquet"
        facts.append(_celadon("facts", plant, *books, "-p", MONTH, "--each", "site", "--output", file))
    run("province:describe", folder=str(place))
    asked: dict[str, tuple[object, ...]] = {
        "load, region": ("load", place),
        "account by industry": ("account", place, "-r", BOOKS[0], "-p", MONTH, "--by", "industry"),
        "grade every firm": ("grade", place, "-p", MONTH, "--output", place / "grades.parquet"),
        "screen": ("screen", place, "-p", MONTH),
    }
    found = {"load, every meter": _shown(loads), "facts, every firm": _shown(facts)}
    found |= {name: _shown([_celadon(*words)]) for name, words in asked.items()}
    shutil.rmtree(place)
    return {"enterprises": parks * firms, "readings": made.answer, "commands": found, "made": _shown([made])}


def _celadon(*words: object) -> Used:
    return command([sys.executable, "-m", "benchmarks.region", *map(str, words), "--quiet"])


def _shown(runs: list[Any]) -> dict[str, float]:
    return {
        "cpu_s": round(sum(one.cpu for one in runs), 2), "wall_s": round(sum(one.wall for one in runs), 2),
        "peak_mb": round(max(one.peak_mb for one in runs)),
    }  # fmt: skip


def make(_watch: Watch, folder: str, parks: int, firms: int) -> int:
    """The parks' plant files, a month of hourly registers, and books; how many readings."""
    place, lines = Path(folder), ["id,name,code,place"]
    for park in range(parks):
        names = [f"F{park:02d}{number:05d}" for number in range(firms)]
        lines += [f"{name},Firm {name},{_INDUSTRIES[n % 5]},37010{2 + n % 3}" for n, name in enumerate(names)]
        _park(place / f"park{park}", park, names)
    (place / "registry.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return parks * firms * (HOURS + 1)


def _park(folder: Path, park: int, names: list[str]) -> None:
    folder.mkdir(parents=True)
    sites = "\n".join(f"  - {{id: {name}, name: Firm {name}, region: CN-SD}}" for name in names)
    how = "carrier: electricity, flow: purchased, unit: kWh, digits: 8, decimals: 2"
    meters = "\n".join(f"  - {{id: M{name}, {how}, site: {name}}}" for name in names)
    (folder / "plant.yaml").write_text(_PLANT.format(park=park, sites=sites, meters=meters), encoding="utf-8")
    books = ["date,what,value,unit,firm"]
    for number, name in enumerate(names):
        value = 40 + number % 900
        books += [
            f"2024-01-31,{what},{value * share},万元,{name}"
            for what, share in (("industrial_added_value", 1), ("output_value", 4))
        ]
    (folder / "books.csv").write_text("\n".join(books) + "\n", encoding="utf-8")
    with duckdb.connect() as con:
        con.execute(
            f"""COPY (SELECT 'MF{park:02d}' || printf('%05d', firm) AS meter, TIMESTAMP '2024-01-01' + INTERVAL (hour) HOUR AS time,
                round(1000 + hour * (20 + firm % 977) * 0.25 + (hour * 7919 % 13) * 0.01, 2) AS value
            FROM range({len(names)}) AS firms(firm), range({HOURS + 1}) AS hours(hour) ORDER BY hour, firm)
            TO '{folder / "readings.parquet"}' (FORMAT PARQUET, COMPRESSION ZSTD)"""
        )


def describe(_watch: Watch, folder: str) -> int:
    """The region file over the parks' facts; how many kinds of facts there are."""
    place = Path(folder)
    with duckdb.connect() as con:
        kinds = con.execute(
            "SELECT DISTINCT quantity, item, purpose, unit FROM read_parquet(?) ORDER BY ALL",
            [str(place / "facts-*.parquet")],
        ).fetchall()
    names = ("quantity", "item", "purpose", "unit")
    values = [{name: word for name, word in zip(names, kind, strict=True) if word} for kind in kinds]
    (place / "region.yaml").write_text(_REGION.format(values=json.dumps(values)), encoding="utf-8")
    return len(values)

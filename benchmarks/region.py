"""A country by the documented commands: loaded, accounted, graded, benchmarked and screened, each a process of its own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import Watch, command, run

YEAR = 2024


def compare(folder: Path, firms: int) -> dict[str, Any]:
    """CPU, wall and peak memory of each command over one year of reports of so many enterprises."""
    place = folder / "region"
    shutil.rmtree(place, ignore_errors=True)
    made = run("region:make", folder=str(place), firms=firms)
    asked = {
        "load": ("load", place),
        "account by industry and province": (
            "account", place, "-r", "cn_gbt_2589_2020", "-p", YEAR, "--by", "industry,province", "--output", place / "a.parquet",
        ),
        "grade every enterprise": ("grade", place, "-p", YEAR, "--output", place / "g.parquet"),
        "peers by industry": ("peers", place, "-p", YEAR),
        "screen": ("screen", place, "-p", YEAR),
    }  # fmt: skip
    found = {}
    for name, words in asked.items():
        used = command([sys.executable, "-m", "benchmarks.region", *map(str, words), "--quiet"])
        found[name] = {
            "cpu_s": round(used.cpu, 2),
            "wall_s": round(used.wall, 2),
            "peak_mb": round(used.peak_mb),
        }
    shutil.rmtree(place)
    return {
        "enterprises": firms,
        "rows": int(made.answer),
        "commands": found,
        "made": {"cpu_s": round(made.cpu, 2), "wall_s": round(made.wall, 2), "peak_mb": round(made.peak_mb)},
    }


def make(_watch: Watch, folder: str, firms: int) -> int:
    """The country's files; how many reports."""
    from celadon.examples.country import generate

    return generate(folder, firms, YEAR, 1).rows


def screen(watch: Watch, folder: str) -> int:
    """The screening of a country that is loaded; how many alarms."""
    from celadon.region.facade import open_region

    with open_region(folder) as region, watch.running():
        return sum(region.screen(str(YEAR)).counts.values())


def load(watch: Watch, folder: str) -> int:
    """Load a country's files."""
    from celadon.region.facade import open_region

    with open_region(folder) as region, watch.running():
        return region.load().rows


def main() -> int:
    """The command; findings about the data (alarms, gaps) are no failure of the benchmark."""
    from celadon.cli import main as celadon

    return 0 if celadon(sys.argv[1:]) in (0, 1) else 1


if __name__ == "__main__":
    sys.exit(main())

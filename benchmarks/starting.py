"""Start-up: importing, the commands' own overhead, opening a plant file, loading each rulebook."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import Used, Watch, command, in_turns, run
from benchmarks.works import Works

EMPTY = """celadon: 1
enterprise: {id: tiny, name: Tiny}
zone: Asia/Shanghai
sites: [{id: shop, name: Shop, region: CN-SD}]
"""
TINY = f"""{EMPTY}meters:
  - {{id: E0, carrier: electricity, unit: kWh, digits: 6, flow: purchased}}
sources:
  - {{id: meters, role: readings, files: [readings.csv], time: {{column: time}}, wide: {{E0: E0}}}}
"""


def compare(folder: Path, runs: int) -> dict[str, Any]:
    """CPU and wall of whole processes, medians."""
    from celadon.rules.rulebook import shipped_ids

    place = folder / "starting"
    place.mkdir(parents=True, exist_ok=True)
    (place / "plant.yaml").write_text(TINY, encoding="utf-8")
    rows = [
        f"2024-01-{day:02d} {hour:02d}:00,{(day * 24 + hour) * 3}"
        for day in range(1, 4)
        for hour in range(24)
    ]
    (place / "readings.csv").write_text("\n".join(["time,E0", *rows, ""]), encoding="utf-8")
    (place / "empty.yaml").write_text(EMPTY, encoding="utf-8")
    works = Works(5, 50)
    (place / "large").mkdir(exist_ok=True)
    (place / "large" / "plant.yaml").write_text(works.yaml(), encoding="utf-8")
    python = [sys.executable, "-c"]
    cli = [sys.executable, "-m", "celadon"]
    contenders = {
        "python -c pass": [*python, "pass"],
        "import celadon": [*python, "import celadon"],
        "import celadon; celadon.open_plant": [*python, "import celadon; celadon.open_plant"],
        "celadon --version": [*cli, "--version"],
        "celadon rulebooks": [*cli, "rulebooks"],
        "celadon check (no meter)": [*cli, "check", str(place / "empty.yaml")],
        "celadon check (one meter, three days)": [*cli, "check", str(place)],
    }
    used = in_turns(
        runs, {name: (lambda words=words: command(words, place)) for name, words in contenders.items()}
    )
    found = {name: _figures(one) for name, one in used.items()}
    inside = {
        f"rulebook {name}": (lambda name=name: run("starting:rulebook", name=name)) for name in shipped_ids()
    }
    inside[f"plant file of {works.points} meters"] = lambda: run(
        "starting:plant_file", folder=str(place / "large")
    )
    for name, one in in_turns(runs, inside).items():
        found[name] = {"cpu_s": round(one.work_cpu, 3), "wall_s": round(one.work_wall, 3)}
    return found


def _figures(used: Used) -> dict[str, Any]:
    return {"cpu_s": round(used.cpu, 3), "wall_s": round(used.wall, 3), "peak_mb": round(used.peak_mb)}


def rulebook(watch: Watch, name: str) -> int:
    """Load one shipped rulebook in a fresh process."""
    from celadon.rules.rulebook import load_rulebook

    with watch.running():
        return len(load_rulebook(name).rules)


def plant_file(watch: Watch, folder: str) -> int:
    """Read and check a plant file."""
    from celadon.plant.opened import open_file

    with watch.running():
        return len(open_file(folder).model.meters)

"""`make bench` (or `python -m benchmarks`): measure, print the targets beside what was found, keep the result.

FULL=1 measures four times the readings and longer histories; QUICK=1 only shows that everything runs.
`python -m benchmarks pipeline starting` measures those parts only. Results of a default run of all parts are kept in
benchmarks/results/ and shown in docs/performance.md; other runs are printed only.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import (
    console,
    country,
    growth,
    hourly,
    loading,
    peers,
    pipeline,
    province,
    region,
    report,
    restating,
    rulebooks,
    spark,
    starting,
)  # fmt: skip
from benchmarks.works import Works

RESULTS = Path(__file__).resolve().parent / "results"
PAGE = RESULTS.parent.parent / "docs" / "performance.md"
MARKS = ("<!-- measured: written by make bench -->", "<!-- end of measured -->")

FULL_MARKS = ("<!-- full: written by FULL=1 make bench -->", "<!-- end of full -->")
CONSOLE_MARKS = ("<!-- console: written by python -m benchmarks console -->", "<!-- end of console -->")


def parts(folder: Path, size: str) -> dict[str, Callable[[], dict[str, Any]]]:
    """What there is to measure at a size: quick, usual or full."""
    works = {"quick": Works(2, 10, 2), "usual": Works(5, 50), "full": Works(8, 180)}[size]
    file = {"quick": Works(1, 10, 1), "usual": Works(2, 25), "full": Works(4, 50)}[size]
    histories = {"quick": (1, 2), "usual": (1, 4, 16), "full": (1, 4, 16, 48)}[size]
    enterprises = {"quick": 2_000, "usual": 100_000, "full": 1_600_000}[size]
    sites, leaves = (2, 9) if size == "quick" else (10, 49)
    firms = {"quick": 2_000, "usual": 200_000, "full": 1_600_000}[size]
    sectors = {"quick": 3, "usual": 200, "full": 1_000}[size]
    runs = {"quick": 1, "usual": 3, "full": 3}[size]
    served, crowd, seconds = {"quick": (200, 5, 3), "usual": (40_000, 50, 20), "full": (40_000, 50, 120)}[
        size
    ]
    # sites, meters, months: 43 000, 4.3 and 105 million readings
    hours = {"quick": (1, 14, 1), "usual": (10, 24, 6), "full": (60, 50, 12)}[size]
    reporting = {"quick": 400, "usual": 20_000, "full": 1_600_000}[size]
    # parks and metered firms in each: a month of hours is 745 readings a firm
    metered = {"quick": (2, 20), "usual": (1, 1_000), "full": (10, 4_000)}[size]
    scale = {"quick": 1, "usual": 1, "full": 10}[size]

    def others() -> str | None:
        return peers.environment(folder / "peers")

    return {
        "pipeline": lambda: pipeline.compare(folder, works, runs, others()),
        "loading": lambda: loading.compare(folder, file, runs),
        "restating": lambda: restating.compare(folder, histories, sites, leaves),
        "hourly": lambda: hourly.compare(folder, *hours, runs, others()),
        "country": lambda: country.compare(folder, enterprises, runs, others()),
        "region": lambda: region.compare(folder, reporting),
        "province": lambda: province.compare(folder, *metered),
        "growth": lambda: growth.compare(folder, scale),
        "spark": lambda: spark.compare(folder, firms, runs),
        "rulebooks": lambda: rulebooks.compare(folder / "rulebooks", sectors, runs),
        "console": lambda: console.compare(folder, served, crowd, seconds, 5 * runs),
        "starting": lambda: starting.compare(folder, 2 * runs + 1),
    }


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    names = ("duckdb", "polars", "sqlglot")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {
        "cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version(),
        "packages": {name: version(name) for name in names}, "load_before": round(load, 1),
    }  # fmt: skip


def main() -> None:
    size = "full" if os.environ.get("FULL") else "quick" if os.environ.get("QUICK") else "usual"
    found: dict[str, Any] = {"size": size, "machine": machine()}
    with tempfile.TemporaryDirectory(prefix="celadon-bench-") as folder:
        every = parts(Path(folder), size)
        chosen = sys.argv[1:] or list(every)
        for name in chosen:
            print(f"{name} …", file=sys.stderr, flush=True)
            found[name] = every[name]()
    print(report.table(found))
    if "pipeline" in found:
        print("\n" + report.contenders(found["pipeline"]))
    if "hourly" in found:
        print("\n" + report.contenders(found["hourly"]))
    if "region" in found:
        print("\n" + report.commands(found["region"]))
    if "province" in found:
        print("\n" + report.commands(found["province"]))
    if "spark" in found:
        print("\n" + report.engines(found["spark"]))
    if size == "usual" and set(every) <= set(found):
        keep(found)
    if size == "usual" and "console" in found:
        keep_console(found)
    if size == "full":
        keep_full(found)


def keep(found: dict[str, Any]) -> None:
    """Write the result of all parts at the usual size, the pictures and the figures in the documentation."""
    _write("usual", found)
    (RESULTS / "pipeline.svg").write_text(report.picture(found), encoding="utf-8")
    (RESULTS / "growth.svg").write_text(growth.picture(found["growth"]), encoding="utf-8")
    _show(MARKS, body(found))


def keep_full(found: dict[str, Any]) -> None:
    """Write the parts that were run at full size, beside those of earlier such runs, and their figures."""
    path = RESULTS / "full.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"size": "full", "parts": {}}
    run = {name: part for name, part in found.items() if name not in ("size", "machine")}
    known["parts"] |= {name: {"machine": found["machine"], "found": part} for name, part in run.items()}
    _write("full", known)
    _show(FULL_MARKS, full_body(known["parts"]))


def _write(name: str, found: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(found, indent=1, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _show(marks: tuple[str, str], text: str) -> None:
    """Put a text between its marks in the documentation; all else stays."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(marks[0])
    after = rest.partition(marks[1])[2]
    PAGE.write_text(f"{before}{marks[0]}\n\n{text}\n\n{marks[1]}{after}", encoding="utf-8")


def keep_console(found: dict[str, Any]) -> None:
    """Write the result of the console alone, and its figures in the documentation."""
    _write("console", {name: found[name] for name in ("size", "machine", "console")})
    table = report.table({"console": found["console"]})
    _show(CONSOLE_MARKS, f"{machine_line(found['machine'])}\n\n{table}\n\n{report.pages(found['console'])}")


def full_body(parts: dict[str, Any]) -> str:
    """What is shown of the parts at full size: each with what it was taken on."""
    shown = ["### At full size"]
    for name, part in parts.items():
        shown += [f"`FULL=1 python -m benchmarks {name}`. {machine_line(part['machine'])}"]
        found = {name: part["found"]}
        shown += [report.table(found)] if any(report.lines(found)) else []
        shown += [report.commands(part["found"])] if name in ("region", "province") else []
    return "\n\n".join(shown)


def machine_line(on: dict[str, Any]) -> str:
    """What the figures were taken on, in a sentence."""
    packages = ", ".join(f"{name} {number}" for name, number in on["packages"].items())
    return f"Measured on {on['cores']} cores ({on['machine']}), Python {on['python']}, {packages}; load of the machine before: {on['load_before']}."


def body(found: dict[str, Any]) -> str:
    """The measured part of the page."""
    part = found["pipeline"]
    return "\n\n".join(
        [
            machine_line(found["machine"]),
            report.table(found),
            f"The pipeline over {part['readings']:,} readings ({part['plant']}; {part['bytes_per_reading']} bytes each at rest):".replace(
                ",", " ", 2
            ),
            report.contenders(part),
            "Not part of this run, and measured once, on such a machine in November 2026: MyEMS, 8 to 31 thousand readings per second.",
            f"Hourly energy × the grid's intensity of each hour, {found['hourly']['readings']:,} readings ({found['hourly']['plant']}):",
            report.contenders(found["hourly"]),
            f"The commands over a country of {found['region']['enterprises']:,} enterprises:",
            report.commands(found["region"]),
            f"A province of {found['province']['enterprises']:,} firms with hourly registers, a month:",
            report.commands(found["province"]),
            "![CPU and memory against the amount of data](../benchmarks/results/growth.svg)",
            "A region's year by region, industry and month, on Spark and on the embedded engine (a worker has one core):",
            report.engines(found["spark"]),
        ]
    )


if __name__ == "__main__":
    main()

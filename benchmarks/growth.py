"""1, 10 and 100 times the data through each path: CPU and peak memory; nothing may grow faster than the data."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import loading
from benchmarks.measure import Used, run
from benchmarks.works import Works, make_store

TIMES = (1, 10, 100)
Measured = tuple[int, dict[str, Used]]
"""Rows of data, and what each path used for them."""


def compare(folder: Path, scale: int) -> dict[str, Any]:
    """Each path at three sizes, the largest `scale` × the usual one; `slope`: of the logarithms, between the larger two."""
    found: dict[str, Any] = {}
    for measure in (_registers, _hourly, _restating, _country, _screening, _loading):
        for times in TIMES:
            place = folder / "growth"
            shutil.rmtree(place, ignore_errors=True)
            size, paths = measure(place, times * scale)
            for name, used in paths.items():
                point = {"size": size, "work_cpu_s": round(used.work_cpu, 3), "peak_mb": round(used.peak_mb)}
                found.setdefault(name, {"points": []})["points"].append(point)
            shutil.rmtree(place, ignore_errors=True)
    for one in found.values():
        one["slope"] = round(_slope(one["points"][1], one["points"][2]), 2)
    return found


def _slope(one: dict[str, Any], other: dict[str, Any]) -> float:
    more = math.log(max(other["work_cpu_s"], 1e-3) / max(one["work_cpu_s"], 1e-3))
    return more / math.log(other["size"] / one["size"])


def _registers(place: Path, times: int) -> Measured:
    works = _works(times)
    shape = {"folder": str(place), "sites": works.sites, "leaves": works.leaves, "months": works.months}
    make_store(place, works)
    return works.points * works.steps, {"registers to account": run("pipeline:celadon", **shape)}


def _restating(place: Path, times: int) -> Measured:
    """What touches one meter of a plant: the more others it has, the less each may matter."""
    works = _works(times)
    make_store(place, works)
    used = run(
        "restating:celadon", folder=str(place), sites=works.sites, leaves=works.leaves, months=works.months
    )
    taken = {
        "one late reading": used.answer["late_reading"]["cpu_ms"],
        "an area explained": used.answer["explain"]["area"]["cpu_ms"],
    }
    return works.points * works.steps, {name: replace(used, work_cpu=ms / 1000) for name, ms in taken.items()}


def _works(times: int) -> Works:
    """Registers of quarter-hours: 30 000 readings times so many."""
    if times < 10:
        return Works(1, 9, 1)
    return Works(times // 20, 99, 2) if times >= 20 else Works(1, 49, 2)


def _hourly(place: Path, times: int) -> Measured:
    given = {
        "folder": str(place),
        "sites": max(1, times // 10),
        "meters": 20 if times >= 10 else 2,
        "months": 1,
    }
    size = int(run("hourly:make", **given).answer)
    return size, {"hourly energy and emission": run("hourly:celadon", **given)}


def _country(place: Path, times: int) -> Measured:
    run("country:prepare", folder=str(place), enterprises=1000 * times)
    return 12_000 * times, {"52 formulas": run("country:celadon", folder=str(place))}


def _screening(place: Path, times: int) -> Measured:
    size = int(run("region:make", folder=str(place), firms=400 * times).answer)
    run("region:load", folder=str(place))
    return size, {"screening": run("region:screen", folder=str(place))}


def _loading(place: Path, times: int) -> Measured:
    works = Works(1, 6 * times // 10 if times >= 10 else 1, 1 if times < 10 else 2)
    size = loading.write(place, works, "long")
    return size, {"loading a CSV": run("loading:celadon", folder=str(place))}


def picture(found: dict[str, Any]) -> str:
    """CPU and peak memory against size, both logarithmic, with the slope of what would be linear. SVG."""
    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="800" height="330" viewBox="0 0 800 330" role="img" font-family="sans-serif">',
        "<title>CPU seconds and peak memory against the amount of data</title>",
        '<rect width="800" height="330" rx="8" fill="#ffffff"/>',
    ]
    for left, title, figure, low, high in (
        (60, "CPU seconds", "work_cpu_s", -2.0, 3.0), (330, "peak memory, MB", "peak_mb", 1.0, 4.0),
    ):  # fmt: skip
        out += _axes(left, title, low, high)
        for number, one in enumerate(found.values()):
            spots = [
                (
                    left + 220 * (math.log10(point["size"]) - 3) / 6,
                    _y(max(float(point[figure]), 1e-2), low, high),
                )
                for point in one["points"]
            ]
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
            out.append(
                f'<polyline points="{line}" fill="none" stroke="{_COLOURS[number]}" stroke-width="2"/>'
            )
            out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_COLOURS[number]}"/>' for x, y in spots]
    x0, y0, x1 = 60, _y(0.01, -2.0, 3.0), 60 + 220 * 5 / 6
    out.append(
        f'<line x1="{x0}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{_y(1e3, -2.0, 3.0):.1f}" stroke="#9aa1ab" stroke-dasharray="4 4"/>'
    )
    for number, (name, one) in enumerate(found.items()):
        y = 60 + 34 * number
        out.append(f'<rect x="580" y="{y - 9}" width="12" height="12" fill="{_COLOURS[number]}"/>')
        out.append(f'<text x="598" y="{y + 2}" font-size="12" fill="#1f2430">{name}</text>')
        out.append(
            f'<text x="598" y="{y + 16}" font-size="11" fill="#5b6270">slope {one["slope"]:.2f}</text>'
        )
    out.append('<text x="580" y="306" font-size="11" fill="#5b6270">dashed: linear</text>')
    return "\n".join([*out, "</svg>", ""])


_COLOURS = ("#2a7f76", "#b4632d", "#4a5fa5", "#8a8f98", "#8f4a86", "#6b8f2a", "#1f2430")


def _y(value: float, low: float, high: float) -> float:
    return 280 - 230 * (math.log10(value) - low) / (high - low)


def _axes(left: int, title: str, low: float, high: float) -> list[str]:
    out = [f'<text x="{left}" y="34" font-size="14" fill="#1f2430">{title}</text>']
    for step in range(int(low), int(high) + 1):
        y = _y(10.0**step, low, high)
        out.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + 220}" y2="{y:.1f}" stroke="#e4e6ea"/>')
        out.append(
            f'<text x="{left - 6}" y="{y + 4:.1f}" font-size="10" text-anchor="end" fill="#5b6270">{10.0**step:g}</text>'
        )
    for step in range(3, 10, 2):
        x = left + 220 * (step - 3) / 6
        out.append(
            f'<text x="{x:.1f}" y="298" font-size="10" text-anchor="middle" fill="#5b6270">10^{step}</text>'
        )
    return [
        *out,
        f'<text x="{left + 110}" y="316" font-size="11" text-anchor="middle" fill="#5b6270">rows of data</text>',
    ]

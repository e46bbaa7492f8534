"""The kept result as text for people, and as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Line = tuple[str, str, str, bool]
"""What, target, measured, met."""


def lines(found: dict[str, Any]) -> Iterator[Line]:
    """The targets of the plan beside what was measured; parts that were not run are left out."""
    if "pipeline" in found:
        yield from _pipeline(found["pipeline"])
    if "loading" in found:
        yield from _loading(found["loading"])
    if "restating" in found:
        yield from _restating(found["restating"])
    if "hourly" in found:
        yield from _hourly(found["hourly"])
    if "growth" in found:
        yield from _growth(found["growth"])
    if "country" in found:
        yield from _country(found["country"])
    if "rulebooks" in found:
        yield from _rulebooks(found["rulebooks"])
    if "console" in found:
        yield from _console(found["console"])
    if "starting" in found:
        yield from _starting(found["starting"])


def _pipeline(part: dict[str, Any]) -> Iterator[Line]:
    ours = part["contenders"]["Celadon"]
    speed, ratio = ours["readings_per_s"], ours["cpu_ratio"]
    yield "registers to account, readings/s (wall)", "≥ 2 000 000", _count(speed), speed >= 2e6
    per_cpu = ours["readings_per_cpu_s"]
    yield "… per CPU second (two cores: twice that)", "≥ 1 000 000", _count(per_cpu), per_cpu >= 1e6
    yield "… CPU against SQL by hand", "≤ 1.30 ×", f"{ratio:.2f} ×", ratio <= 1.3
    for name in ("Polars by hand", "pandas"):
        if name in part["contenders"]:
            times = part["contenders"][name]["work_cpu_s"] / ours["work_cpu_s"]
            yield f"… {name}, CPU against ours", "—", f"{times:.2f} ×", True


def _loading(part: dict[str, Any]) -> Iterator[Line]:
    for shape, name in (("long", "a long CSV"), ("wide", "a wide CSV"), ("parquet", "Parquet")):
        one = part[shape]
        speed, size = one["readings_per_s"], one["bytes_per_reading_all_in"]
        yield f"load {name}, readings/s (wall)", "≥ 300 000", _count(speed), speed >= 3e5
        yield (
            "… bytes per reading, all in; peak memory, MB",
            "≤ 10",
            f"{size:.1f}; {one['peak_mb']}",
            size <= 10,
        )
    one = part["xlsx"]
    yield "load XLSX, readings/s (wall)", "—", _count(one["readings_per_s"]), True
    yield (
        "… CPU against openpyxl reading every cell",
        "≤ 2 ×",
        f"{one['cpu_ratio']:.2f} ×",
        one["cpu_ratio"] <= 2,
    )


_LARGE = 100_000_000
"""Readings of which hourly accounts have a target."""


def _hourly(part: dict[str, Any]) -> Iterator[Line]:
    ours = part["contenders"]["Celadon"]
    ratio, memory = ours["cpu_ratio"], ours["peak_mb"]
    large = part["readings"] >= _LARGE
    of = "" if large else f" (at {_count(part['readings'])}; the target is of {_count(_LARGE)})"
    name = f"readings × hourly factor, CPU against SQL by hand{of}"
    yield name, "≤ 1.20 ×" if large else "—", f"{ratio:.2f} ×", ratio <= 1.2
    yield "… peak memory, MB", "< 1 000", str(memory), memory < 1000
    loop = ours["work_cpu_s"] / part["contenders"]["loop by hand"]["work_cpu_s"]
    yield "… CPU against a loop over the values alone", "—", f"{loop:.2f} ×", True
    for name in ("Polars by hand", "pandas"):
        if name in part["contenders"]:
            times = part["contenders"][name]["work_cpu_s"] / ours["work_cpu_s"]
            yield f"… {name}, CPU against ours", "—", f"{times:.2f} ×", True


def _growth(part: dict[str, Any]) -> Iterator[Line]:
    for name, one in part.items():
        slope = one["slope"]
        yield f"growth of {name} (1 = linear)", "≤ 1.1", f"{slope:.2f}", slope <= 1.1


def _restating(part: dict[str, Any]) -> Iterator[Line]:
    histories = list(part.values())

    def line(name: str, target: float, values: Iterable[float]) -> Line:
        known = list(values)
        return name, f"< {target:.0f} ms", " / ".join(f"{value:.0f}" for value in known), max(known) < target

    names = " / ".join(name.split()[0] for name in part)
    yield line(
        f"changed factor, CPU ms, history of {names} months",
        100,
        (one["changed_factor"]["cpu_ms"] for one in histories),
    )
    yield line(
        "a meter in another area, end to end, CPU ms", 100, (one["boundary"]["cpu_ms"] for one in histories)
    )
    anew = [one["all_anew"]["cpu_ms"] for one in histories]
    for name, what in (
        ("changed_factor", "a factor"),
        ("boundary", "a boundary"),
        ("late_reading", "a reading"),
    ):
        shares = [one[name]["cpu_ms"] / all_of for one, all_of in zip(histories, anew, strict=True)]
        told = " / ".join(f"{share:.1%}" for share in shares)
        yield (
            f"{what} changed: CPU as a share of deriving everything anew",
            "falling",
            told,
            shares[-1] < shares[0],
        )
    yield line("late reading end to end, CPU ms", 100, (one["late_reading"]["cpu_ms"] for one in histories))
    for kind in ("site", "area", "meter"):
        yield line(
            f"explain a cell of a {kind}, CPU ms", 50, (one["explain"][kind]["cpu_ms"] for one in histories)
        )


def _country(part: dict[str, Any]) -> Iterator[Line]:
    rows, contenders = part["rows"], part["contenders"]
    ours, other = contenders["Celadon"], contenders.get("openfisca-core")
    what = f"{part['formulas']} formulas over {_count(rows)} enterprise-months, CPU against one fused SQL statement"
    yield what, "≤ 1.15 ×", f"{ours['cpu_ratio']:.2f} ×", ours["cpu_ratio"] <= 1.15
    yield "… peak memory, MB", "< 1 000", str(ours["peak_mb"]), ours["peak_mb"] < 1000
    if other is None:
        yield "… against openfisca-core", "≥ 2 × faster", part["without"], False
    else:
        times = other["cpu_s_per_million"] / ours["cpu_s_per_million"]
        yield "… openfisca-core, CPU per row against ours", "≥ 2 ×", f"{times:.2f} ×", times >= 2
        walls = other["wall_s_per_million"] / ours["wall_s_per_million"]
        yield (
            "… openfisca-core, wall per row against ours (it uses one core)",
            "≥ 2 ×",
            f"{walls:.2f} ×",
            walls >= 2,
        )


def _rulebooks(part: dict[str, Any]) -> Iterator[Line]:
    books = part["books"]
    worst = max(books, key=lambda name: books[name])
    yield f"load a rulebook, CPU s (slowest: {worst})", "< 0.05", f"{books[worst]:.3f}", books[worst] < 0.05
    value = part["listed_cpu_s"]
    yield f"load all {len(books)} rulebooks with their counts, CPU s", "< 0.5", f"{value:.2f}", value < 0.5
    for name in ("first", "again"):
        value = part["plant"][name]
        what = f"a year of one plant under {part['applied']} rulebooks, asked {name}, CPU s"
        yield what, "< 1", f"{value:.2f}", value < 1
    what = f"GB/T 32150 over {part['facts']:,} facts, CPU against one statement by hand"
    yield what, "none", f"{part['cpu_ratio']:.2f} ×", True


def _console(part: dict[str, Any]) -> Iterator[Line]:
    groups = [
        ("the mill's pages", "plant", 100),
        (f"pages of a region of {_count(part['firms'])} firms", "region", 300),
    ]
    for what, kind, bound in groups:
        known = {
            name: one["median_ms"]
            for name, one in part["alone"].items()
            if one["kind"] == kind and not one["errors"]
        }
        if known:
            worst = max(known, key=lambda name: known[name])
            met = sum(value < bound for value in known.values())
            shown = f"{known[worst]:.0f} ({worst}); {met} of {len(known)} met"
            yield f"{what}, median ms, warm, the slowest", f"< {bound}", shown, met == len(known)
    crowd = part["crowd"]["all"]
    yield (
        f"{part['users']} people at once, answers with an error",
        "0",
        f"{crowd['errors']} of {crowd['count']}",
        crowd["errors"] == 0,
    )
    yield (
        "… median and 95th percentile, ms",
        "told",
        f"{crowd['median_ms']:.0f} / {crowd['p95_ms']:.0f}",
        True,
    )
    memory = part["memory_mb"]
    growth = memory["after_twice"] / max(memory["after"], 1) - 1
    yield (
        "… server's memory, MB: before, after, after as much again",
        "+ < 10 %",
        f"{memory['before']} / {memory['after']} / {memory['after_twice']}",
        growth < 0.1,
    )
    drawn = part["drawing_ms"]
    if "left_out" in drawn:
        yield "a chart of 35 040 points in Chromium", "< 600 ms", drawn["left_out"], False
    else:
        yield (
            f"a chart of {_count(drawn['points'])} points in Chromium, ms to drawn",
            "< 600",
            f"{drawn['median_ms']:.0f}",
            drawn["median_ms"] < 600,
        )


def _starting(part: dict[str, Any]) -> Iterator[Line]:
    bounds = {
        "import celadon": 0.3,
        "celadon --version": 0.5,
        "celadon rulebooks": 0.5,
        "celadon check (one meter, three days)": 0.5,
    }
    for name, bound in bounds.items():
        value = part[name]["cpu_s"]
        yield f"{name}, CPU s", f"< {bound}", f"{value:.2f}", value < bound
    slow = {name: one["cpu_s"] for name, one in part.items() if name.startswith("rulebook ")}
    worst = max(slow, key=lambda name: slow[name])
    met = sum(value < 0.05 for value in slow.values())
    yield (
        f"load a rulebook, CPU s (slowest of {len(slow)}: {worst.split()[1]})",
        "< 0.05",
        f"{slow[worst]:.3f}; {met} of {len(slow)} met",
        slow[worst] < 0.05,
    )


def _count(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ")


def table(found: dict[str, Any]) -> str:
    """Markdown."""
    rows = [
        f"| {what} | {target} | {measured} | {'' if target == '—' else 'met' if met else '**missed**'} |"
        for what, target, measured, met in lines(found)
    ]
    return "\n".join(["| what | target | measured | |", "|---|---|---|---|", *rows])


def contenders(part: dict[str, Any]) -> str:
    """The pipeline's contenders, as Markdown."""
    rows = [
        f"| {name} | {one['work_cpu_s']:.2f} | {one['cpu_ratio']:.2f} × | {one['work_wall_s']:.2f} | {_count(one['readings_per_cpu_s'])} | {one['peak_mb']} |"
        for name, one in part["contenders"].items()
    ]
    head = "| | CPU s | CPU ratio | wall s | readings per CPU s | peak MB |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


def commands(part: dict[str, Any]) -> str:
    """A country's commands, as Markdown."""
    rows = [
        f"| `celadon {name}` | {one['cpu_s']:.1f} | {one['wall_s']:.1f} | {one['peak_mb']} |"
        for name, one in part["commands"].items()
    ]
    made = part["made"]
    rows.append(f"| the files before | {made['cpu_s']:.1f} | {made['wall_s']:.1f} | {made['peak_mb']} |")
    what = "reports" if "rows" in part else "readings"
    head = f"| {_count(part['enterprises'])} enterprises, {_count(part.get('rows', part.get('readings')))} {what} | CPU s | wall s | peak MB |"
    return "\n".join([head, "|---|---|---|---|", *rows])


def pages(part: dict[str, Any]) -> str:
    """The console's pages, as Markdown: alone, and among many."""
    among = part["crowd"]["pages"]
    rows = [
        f"| {name} | {one['first_ms']:.0f} | {one['first_cpu_ms']:.0f} | {one['median_ms']:.0f} | {one['cpu_ms']:.0f} "
        f"| {among[name]['median_ms']:.0f} / {among[name]['p95_ms']:.0f} |"
        for name, one in part["alone"].items()
        if one["kind"] != "console" and among.get(name, {}).get("count")
    ]
    head = f"| page | first, ms | its CPU | warm, median ms | its CPU | {part['users']} people at once, median / 95 %, ms |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


def engines(part: dict[str, Any]) -> str:
    """Spark beside the embedded engine, as Markdown."""
    if "left_out" in part:
        return f"Spark was left out: {part['left_out']}"
    own = part["contenders"]["embedded"]
    rows = [
        f"| {name} | {one['start']:.1f} | {one['first']:.2f} | {one['wall']:.2f} | {one['wall'] / own['wall']:.1f} × | {one['cpu']:.2f} | {one['cpu'] / max(own['cpu'], 0.01):.1f} × |"
        for name, one in part["contenders"].items()
    ]
    head = f"| {part['rows']:,} rows of facts, {part['cores']} cores | start s | first answer s | later s | ratio | CPU s | ratio |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows])


_COLOURS = ("#2a7f76", "#8a8f98", "#b0b5bd", "#d3d6db", "#e4c9a8")


def picture(found: dict[str, Any]) -> str:
    """The pipeline's contenders as bars: CPU seconds and peak memory. SVG, readable on light and dark."""
    part = found["pipeline"]
    names = list(part["contenders"])
    bars = [("CPU seconds", "work_cpu_s", "s"), ("peak memory", "peak_mb", "MB")]
    each = 36 + 25 * len(names)
    height = 58 + 2 * each
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{height}" viewBox="0 0 720 {height}" role="img" font-family="sans-serif">',
        f"<title>{_count(part['readings'])} readings: registers to account</title>",
        f'<rect width="720" height="{height}" rx="8" fill="#ffffff"/>',
        f'<text x="24" y="34" font-size="16" fill="#1f2430">{_count(part["readings"])} register readings → hour → area → site: energy, carbon, cost</text>',
    ]
    y = 62
    for title, figure, unit in bars:
        out.append(f'<text x="24" y="{y}" font-size="13" fill="#5b6270">{title}</text>')
        most = max(part["contenders"][name][figure] for name in names)
        for number, name in enumerate(names):
            value, top = part["contenders"][name][figure], y + 10 + number * 25
            width = 400 * value / most
            out.append(f'<text x="24" y="{top + 14}" font-size="13" fill="#1f2430">{name}</text>')
            out.append(
                f'<rect x="180" y="{top}" width="{width:.1f}" height="18" rx="3" fill="{_COLOURS[number]}"/>'
            )
            shown = f"{value:.2f}" if unit == "s" else f"{value:.0f}"
            out.append(
                f'<text x="{188 + width:.1f}" y="{top + 14}" font-size="13" fill="#1f2430">{shown} {unit}</text>'
            )
        y += each
    return "\n".join([*out, "</svg>", ""])

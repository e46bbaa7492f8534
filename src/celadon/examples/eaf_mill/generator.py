"""Make the whole plant: plant file, data files, late files and the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from importlib.resources import files as resources
from pathlib import Path
from random import Random
from typing import Any
from zipfile import ZipFile

from celadon.examples.eaf_mill import faults as damages
from celadon.examples.eaf_mill import meters, readings, records, tariff
from celadon.examples.eaf_mill.calendar import Calendar, calendar
from celadon.examples.eaf_mill.process import simulate
from celadon.examples.eaf_mill.readings import Measured
from celadon.examples.eaf_mill.truth import ExampleTruth, Fault, Reported

SEED = 20240101
PLANT_FILE = "plant.yaml"
FILES_OF_READINGS = 31

Progress = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and what was made."""


def generate(
    directory: Path | str,
    year: int = 2024,
    seed: int = SEED,
    faults: bool = True,
    progress: Progress | None = None,
) -> ExampleTruth:
    """Write the example plant into `directory` and return its truth (also written, as `truth.json`).

    The same year, seed and `faults` give the same bytes everywhere (workbooks: the same contents). Without `faults`
    only what is declared, or is no fault, remains: a roll-over, an exchanged meter, a changed transformer, and the
    files' forms. ValueError for a year whose public holidays are not known.
    """
    target = Path(directory)
    cal = calendar(year)
    steps = _Steps(progress, FILES_OF_READINGS + 4)
    simulated = simulate(cal, Random(seed))
    steps.done("process")
    measured = readings.measure(simulated, Random(seed + 1), faults)
    worth = dict(measured.worth)
    means = _means(measured)
    steps.done("meters")
    damage = damages.Damage(measured)
    damages.declared_events(damage)
    if faults:
        damages.damage_cells(damage)
    for name, encoding, lines in readings.files(measured):
        if faults:
            damages.damage_lines(damage, name, lines)
        _save(target / name, lines, encoding)
        steps.done(name)
    if faults:
        _save(target / f"late/gateway-{year}-late-{damages.LATE[0]}.csv", damage.late, "utf-8")
        damages.overread(damage)
    gas = {month: value // 1000 for month, value in readings.monthly(cal, worth)["N01"].items()}
    written = records.write(target, simulated, gas, Random(seed + 2), faults, len(damage.faults) + 1)
    steps.done("records")
    _texts(target, measured)
    found = (*damage.faults, *written.faults)
    truth = _truth(target, seed, measured, worth, means, damage, found, written.truth)
    truth.write()
    steps.done("truth.json")
    return truth


class _Steps:
    """Counts steps for the progress callback."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._count = progress, total, 0

    def done(self, what: str) -> None:
        self._count += 1
        if self._progress:
            self._progress(self._count, self._total, what)


def _save(path: Path, lines: Iterable[str], encoding: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))


def _texts(target: Path, measured: Measured) -> None:
    """The plant file and the files' README, with the year's dates and the removed register filled in."""
    cal = measured.calendar
    values = {
        "«YEAR»": str(cal.year),
        "«HOLIDAYS»": ", ".join(map(str, cal.holidays)),
        "«WORKDAYS»": ", ".join(map(str, cal.workdays)),
        "«REMOVED»": measured.removed_register,
        "«TAGS»": _tags(),
        "«H90»": measured.first_registers["H90"],
        "«W90»": measured.first_registers["W90"],
    }
    for name in (PLANT_FILE, "README.md"):
        text = resources(__package__).joinpath("texts", name).read_text(encoding="utf-8")
        for mark, value in values.items():
            text = text.replace(mark, value)
        (target / name).write_bytes(text.encode())


def _tags() -> str:
    """The SCADA's tags and their meters, eight to a line."""
    pairs = [f"{readings.scada_tag(meter)}: {meter}" for meter in meters.SCADA]
    return ",\n      ".join(", ".join(pairs[n : n + 8]) for n in range(0, len(pairs), 8))


def _truth(
    target: Path,
    seed: int,
    measured: Measured,
    worth: dict[str, list[int]],
    means: dict[str, dict[str, float]],
    damage: damages.Damage,
    found: Sequence[Fault],
    recorded: dict[str, Any],
) -> ExampleTruth:
    cal = measured.calendar
    months = readings.monthly(cal, worth)
    written = sum(1 for texts in measured.texts.values() for text in texts if text)
    states = sum(1 for _ in readings.state_changes(measured.year))
    reported: dict[str, dict[str, Reported]] = damage.reported
    # The office's file has no line for the year's first instant: those registers begin with the plant file.
    unwritten = sum(1 for meter in meters.OFFICE if meter not in meters.INTERVAL)
    return ExampleTruth(
        directory=target,
        year=cal.year,
        seed=seed,
        units={meter: meters.unit_of(meter) for meter in months},
        meters={meter: {name: value / 1000 for name, value in by.items()} for meter, by in months.items()},
        means=means,
        reported=reported,
        faults=tuple(found),
        records=recorded,
        demand=_demand(cal, worth),
        tariff=_tariff(cal, worth),
        readings=written + states - unwritten + damage.repeated - damage.unreadable,
        late=tuple(f"late/{path.name}" for path in sorted((target / "late").glob("*.csv"))),
    )


def _means(measured: Measured) -> dict[str, dict[str, float]]:
    """Monthly means of the values read at the full hours that begin in the month."""
    cal, edges = measured.calendar, measured.calendar.month_edges()
    out: dict[str, dict[str, float]] = {}
    for name in ("T01", "L01"):
        values = [float(text) for text in measured.texts[name][::4]]
        spans = [(edges[n] // 4, edges[n + 1] // 4) for n in range(12)]
        out[name] = {f"{cal.year}-{n + 1:02d}": sum(values[a:b]) / (b - a) for n, (a, b) in enumerate(spans)}
    return out


def _demand(cal: Calendar, worth: dict[str, list[int]]) -> dict[str, dict[str, Any]]:
    """The month's highest mean of a quarter-hour over both incomers, kW, and when that quarter-hour began."""
    power = [(a + b) * 4 for a, b in zip(worth["E01"], worth["E02"], strict=True)]
    edges, out = cal.month_edges(), {}
    for n in range(12):
        at = max(range(edges[n], edges[n + 1]), key=power.__getitem__)
        out[f"{cal.year}-{n + 1:02d}"] = {
            "kW": power[at] / 1000,
            "start": f"{cal.instant(at):%Y-%m-%dT%H:%M}",
        }
    return out


def _tariff(cal: Calendar, worth: dict[str, list[int]]) -> dict[str, dict[str, float]]:
    """Purchased electricity of the mill by month and tariff period, kWh."""
    period = tariff.periods(cal)
    bought = [a + b for a, b in zip(worth["E01"], worth["E02"], strict=True)]
    edges, out = cal.month_edges(), {}
    for n in range(12):
        sums = dict.fromkeys(tariff.PERIODS, 0)
        for q in range(edges[n], edges[n + 1]):
            sums[period[q]] += bought[q]
        out[f"{cal.year}-{n + 1:02d}"] = {name: value / 1000 for name, value in sums.items() if value}
    return out


def digest(directory: Path | str) -> str:
    """SHA-256 over names and contents of the plant's files, but not of a store beside them.

    A workbook counts by its parts, because compressed bytes differ between versions of zlib."""
    root, total = Path(directory), sha256()
    wanted = [root / PLANT_FILE, root / "README.md", root / "truth.json"]
    for path in [*wanted, *sorted((root / "data").rglob("*.*")), *sorted((root / "late").rglob("*.*"))]:
        total.update(path.relative_to(root).as_posix().encode() + b"\0")
        if path.suffix == ".xlsx":
            with ZipFile(path) as book:
                for name in book.namelist():
                    total.update(name.encode() + b"\0" + book.read(name))
        else:
            total.update(path.read_bytes())
    return total.hexdigest()

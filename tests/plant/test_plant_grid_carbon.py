"""A year of two real grids hour by hour: mix, intensity and a steel mill's load against the independently computed answers."""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import celadon
from tests.rules.books import ABOUT
from tests.shared_data import shared

pytestmark = pytest.mark.shared_data
GRIDS = ("CISO", "PJM")
SOURCES = ("WND", "SUN", "WAT", "OIL", "NG", "COL", "NUC", "OTH")
CHAPTER = '''"""Chapter 1."""

from celadon.rules import constant, document, total

standard = document("S-1")
eq1 = standard.clause("1", "amounts times intensity, hour by hour")
mwh = constant("1", unit="MWh/carrier_unit")


@eq1.rule(unit="kgCO2", per="site, hour", label={"zh": "用电排放", "en": "Emission of the load"})
def load_emission(energy_purchased, grid_intensity):
    """Load × the hour's intensity."""
    return total(energy_purchased, over="carrier") * mwh * grid_intensity


@eq1.rule(unit="MWh", per="site, hour", label={"zh": "发电量", "en": "Generation"})
def generation(product_output):
    """All sources."""
    return total(product_output, over="product") * constant("1", unit="MWh/product_unit")


@eq1.rule(unit="kgCO2", per="site, hour", label={"zh": "发电排放", "en": "Emission of the mix"})
def mix_emission(generation, grid_intensity):
    """Generation × the hour's intensity."""
    return generation * grid_intensity


@eq1.rule(unit="kgCO2/MWh", per="site, hour", label={"zh": "加权强度", "en": "Weighted intensity"}, adds=False)
def weighted_intensity(mix_emission, generation):
    """Of the period asked for."""
    return mix_emission / generation
'''
QUANTITIES = """facts:
  energy_purchased: {label: {zh: 购入, en: Bought}, unit: carrier_unit, grain: "site, hour, carrier", clause: S-1 1}
  product_output: {label: {zh: 发电, en: Generated}, unit: product_unit, grain: "site, hour, product", clause: S-1 1}
  grid_intensity: {label: {zh: 强度, en: Intensity}, unit: kgCO2/MWh, grain: "site, hour", clause: S-1 1}
"""


def points(grid: str) -> list[str]:
    """Meters of one site: the load, the sources as products, the intensity."""
    of = f"site: {grid}, kind: interval, interval: 1h, stamp: end"
    return [
        f"  - {{id: {grid}_load, {of}, carrier: electricity, flow: purchased, unit: kWh}}",
        *(f"  - {{id: {grid}_{one}, {of}, quantity: product_output, product: {one}, unit: MWh}}" for one in SOURCES),
        f"  - {{id: {grid}_CI, {of}, quantity: grid_intensity, unit: kgCO2/MWh}}",
    ]  # fmt: skip


def hourly_load() -> list[float]:
    """kWh of every hour of the mill's year; four quarter-hours make one."""
    with gzip.open(
        shared("data/steel_energy/steel_industry_2018.csv.gz"), "rt", encoding="utf-8-sig"
    ) as file:
        quarters = [float(row["Usage_kWh"]) for row in csv.DictReader(file)]
    return [math.fsum(quarters[at : at + 4]) for at in range(0, len(quarters), 4)]


def write(folder: Path) -> None:
    """The plant: each grid a site with the mill's load of 2018 laid hour by hour over its year 2022."""
    load, names = hourly_load(), ["load", *SOURCES, "CI"]
    (folder / "data").mkdir()
    for grid in GRIDS:
        path = shared(f"data/grid_carbon/{grid}_2022_hourly_mix.csv.gz")
        with (
            gzip.open(path, "rt") as read,
            (folder / "data" / f"{grid}.csv").open("w", newline="") as written,
        ):
            table = csv.writer(written)
            table.writerow(["time", *names])
            for used, row in zip(load, csv.DictReader(read), strict=True):
                ends = datetime.fromisoformat(row["timestamp"][:19]) + timedelta(hours=1)
                cells = (row[one] for one in (*SOURCES, "avg_CI"))
                table.writerow([f"{ends:%Y-%m-%d %H:%M}", repr(used), *cells])
    sources = [
        f"  - {{id: {grid}, role: readings, files: [data/{grid}.csv], time: {{column: time}}, "
        f"wide: {{{', '.join(f'{name}: {grid}_{name}' for name in names)}}}}}"
        for grid in GRIDS
    ]
    lines = [
        "celadon: 1", "enterprise: {id: grids, name: Grids, industry: '4412'}", "zone: UTC", "grid: 1h", "sites:",
        *(f"  - {{id: {grid}, name: {grid}, region: US}}" for grid in GRIDS), "products:",
        *(f"  - {{id: {one}, name: {one}, unit: MWh}}" for one in SOURCES), "meters:",
        *(line for grid in GRIDS for line in points(grid)), "sources:", *sources,
    ]  # fmt: skip
    (folder / "plant.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    book = folder / "hourly"
    (book / "tables").mkdir(parents=True)
    about = ABOUT.replace("emission", "load_emission")
    for name, text in (("about.yaml", about), ("quantities.yaml", QUANTITIES), ("s1_hours.py", CHAPTER)):
        (book / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[celadon.Plant, Path]]:
    folder = tmp_path_factory.mktemp("grids")
    write(folder)
    with celadon.open_plant(folder) as opened:
        assert not [item for item in opened.load().findings if item.kind.severity == "error"]
        yield opened, folder / "hourly"


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared("data/grid_carbon/expected.json").read_text(encoding="utf-8"))
    return found


def test_the_year(plant: tuple[celadon.Plant, Path], expected: dict[str, Any]) -> None:
    opened, book = plant
    wanted = [
        "load_emission",
        "weighted_intensity",
        "product_output",
        "grid_intensity",
        "energy_purchased",
        "generation",
    ]
    rows = opened.account(book, "2022", by="site", quantities=wanted).rows
    for grid in GRIDS:
        want = expected[grid]
        found = {(row.quantity, row.item): row for row in rows if row.site == grid}
        blank = want["nulls"]["avg_CI"]
        year = want["rows"]
        for one, amount in want["generation_MWh"].items():
            assert math.isclose(found["product_output", one].value or 0, amount, rel_tol=1e-12)
            assert math.isclose(found["product_output", one].coverage, 1 - want["nulls"][one] / year)
        emission = found["load_emission", ""]
        left_out = want["steel_2018_hourly_load_x_CI_t_row_by_row_hours_with_blank_CI_left_out"]
        assert math.isclose(emission.value or 0, left_out * 1000, rel_tol=1e-9)
        assert math.isclose(emission.coverage, 1 - blank / year)  # absent is not zero, and is told
        weighted = want["generation_weighted_CI"]
        assert math.isclose(found["weighted_intensity", ""].value or 0, weighted, rel_tol=1e-9)
        mean = (found["grid_intensity", ""].value or 0) / (year - blank)
        assert math.isclose(mean, want["avg_CI_mean"], rel_tol=1e-6)  # kept to the millionth
        load = found["energy_purchased", "electricity"].value or 0
        assert math.isclose(load * mean / 1000, want["total_load_x_year_mean_CI_t"], rel_tol=1e-6)


def test_its_hours(plant: tuple[celadon.Plant, Path], expected: dict[str, Any]) -> None:
    opened, book = plant
    wanted = ["grid_intensity", "load_emission", "energy_purchased", "generation"]
    rows = opened.account(book, "2022", by="site", per="hour", quantities=wanted).rows
    for grid in GRIDS:
        want = expected[grid]
        hours: dict[str, dict[datetime, float | None]] = {name: {} for name in wanted}
        for row in rows:
            if row.site == grid:
                hours[row.quantity][row.start] = row.value
        intensity = {start: value for start, value in hours["grid_intensity"].items() if value is not None}
        assert len(intensity) == want["rows"] - want["nulls"]["avg_CI"]
        assert math.isclose(min(intensity.values()), want["avg_CI_min"], abs_tol=1e-6)
        assert math.isclose(max(intensity.values()), want["avg_CI_max"], abs_tol=1e-6)
        lowest = sorted(intensity, key=intensity.__getitem__)[:3]
        assert [f"{start:%Y-%m-%d %H:%M:%S+00:00}" for start in lowest] == [
            one["timestamp"] for one in want["lowest_CI_hours"]
        ]
        assert [hours["generation"][start] for start in lowest] == [
            one["tot"] for one in want["lowest_CI_hours"]
        ]
        blank = [start for start, value in hours["load_emission"].items() if value is None]
        unknown = math.fsum(hours["energy_purchased"][start] or 0 for start in blank)
        assert math.isclose(unknown * 1000, want["kwh_in_blank_hours"], rel_tol=1e-9)

"""The example's plant file reads without a finding and says the same as the generator."""

import itertools
from datetime import date
from fractions import Fraction

import pytest

from celadon.adapters.plant_file import read_plant
from celadon.core.model import Flow, PointKind
from celadon.examples.eaf_mill import meters as table
from celadon.examples.eaf_mill import readings, tariff
from celadon.examples.eaf_mill.calendar import calendar


@pytest.fixture(scope="module")
def plant(mill):
    plant, findings = read_plant(mill.directory)
    assert [str(finding) for finding in findings] == []
    return plant


def test_displays_are_those_of_the_generator(mill, plant):
    assert {meter.id for meter in plant.meters} == {*mill.meters, *readings.POINTS, "S01"}
    for meter in plant.meters:
        if meter.kind is PointKind.REGISTER:
            display = table.display_of(meter.id)
            assert (meter.digits, meter.decimals, meter.multiplier) == (
                display.digits, display.decimals, display.multiplier,
            ), meter.id  # fmt: skip
        if meter.id in mill.units:
            assert meter.unit == mill.units[meter.id]
        assert (meter.kind is PointKind.INTERVAL) == (meter.id in table.INTERVAL)


def test_the_tree_is_that_of_the_generator(plant):
    parents = {meter.id: meter.parent for meter in plant.meters if meter.parent}
    tree = {child: parent for parent, (children, _, _) in table.PARENTS.items() for child in children}
    tops = {"E10": "BUS", "E20": "BUS", "E30": "BUS", "H11": "HBUS", "H12": "HBUS", "H13": "HBUS"}
    assert parents == {**tree, **tops}
    bus = next(meter for meter in plant.virtual_meters if meter.id == "BUS")
    one = Fraction(1)
    assert dict(bus.terms) == {"E01": one, "E02": one, "G01": one, "G02": one, "E03": -one}
    purchased = {meter.id for meter in plant.meters if meter.flow is Flow.PURCHASED}
    assert purchased == {"E01", "E02", "N01", "H01", "A01", "W01", "E90", "H90", "W90"}


def test_nothing_true_exceeds_the_plausible_rate(clean_mill, plant):
    """In the quarter-hourly files without faults, no difference is above `max_rate`."""
    limits = {meter.id: meter for meter in plant.meters if meter.max_rate}
    for month in range(1, 13):
        path = clean_mill.directory / f"data/scada/scada-2024-{month:02d}.csv"
        heading, *lines = path.read_text(encoding="utf-8-sig").splitlines()
        columns = list(zip(*(line.split(",") for line in lines), strict=True))
        for tag, values in zip(heading.split(",")[1:], columns[1:], strict=True):
            meter = limits[tag.split("_")[0]]
            shown = [float(value) for value in values]
            steps = [b - a for a, b in itertools.pairwise(shown)]
            highest = max(step for step in steps) * float(meter.multiplier) * 4
            assert highest <= meter.max_rate + 1e-6, (tag, month)


def test_tariff_periods_are_those_of_the_truth(plant):
    grid = next(item for item in plant.tariffs if item.id == "grid")
    cal = calendar(2024)
    periods = tariff.periods(cal)
    assert grid.holidays == cal.holidays
    assert date(2024, 2, 10) in grid.holidays
    assert grid.workdays == cal.workdays
    for number in range(cal.days):
        day = cal.day(number)
        kind = "holiday" if day in cal.holidays else "workday" if cal.works(number) else "weekend"
        bands = [band for band in grid.bands if day.month in band.months and kind in band.day_types]
        for hour in range(24):
            of_hour = {
                band.period
                for band in bands
                if band.start.hour <= hour and (band.end.hour > hour or not band.end.hour)
            }
            assert of_hour == {periods[number * 96 + hour * 4]}, (day, hour)


def test_every_source_has_files(mill, plant):
    for source in plant.sources:
        for pattern in source.files:
            assert list(mill.directory.glob(pattern)), source.id

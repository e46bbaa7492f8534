"""A rule of an hour asked for a day, a month or the whole: computed hour by hour, then added up."""

import math
from pathlib import Path

import pytest

from tests.plant.small import PLANT, loaded
from tests.rules.books import ABOUT

BOOK = '''"""Chapter 1."""

from celadon.rules import constant, document, total

standard = document("S-1")
eq1 = standard.clause("1", "amount times intensity, hour by hour")
mwh = constant("1", unit="MWh/carrier_unit")


@eq1.rule(unit="kgCO2", per="site, hour", label={"zh": "排放", "en": "Emission"})
def weighted(energy_purchased, grid_intensity):
    """Amount times intensity."""
    return total(energy_purchased, over="carrier") * mwh * grid_intensity
'''
FACTS = """facts:
  energy_purchased: {label: {zh: 购入, en: Bought}, unit: carrier_unit, grain: "site, hour, carrier", clause: S-1 1}
  grid_intensity: {label: {zh: 强度, en: Intensity}, unit: kgCO2/MWh, grain: "site, hour", clause: S-1 1}
"""
POINT = "  - {id: G1, quantity: grid_intensity, kind: interval, interval: 1h, stamp: end, unit: kgCO2/MWh}\n"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    folder = tmp_path / "hourly"
    (folder / "tables").mkdir(parents=True)
    (folder / "about.yaml").write_text(ABOUT.replace("emission", "weighted"), encoding="utf-8")
    (folder / "quantities.yaml").write_text(FACTS, encoding="utf-8")
    (folder / "s1_small.py").write_text(BOOK, encoding="utf-8")
    return folder


def test_hours_are_multiplied_and_then_added_up(tmp_path: Path, book: Path) -> None:
    """Energy 10 and 30 kWh at 500 and 100 kg/MWh, then 20 kWh at 400 the next day: 5 + 3 kg, and 8 kg.

    The products of the totals would be 40 kWh at any mean: not 8."""
    readings = (
        "time,E1,E2,G1\n2024-01-01 00:00,0,0,\n2024-01-01 01:00,10,0,500\n2024-01-01 02:00,40,0,100\n"
        "2024-01-02 00:00,40,0,1\n2024-01-03 00:00,60,0,1\n2024-01-02 01:00,60,0,400\n"
    )
    hours = "\n".join(
        f"2024-01-{day:02} {hour:02}:00,{40 if day == 1 else 60},0,1"
        for day in (1, 2)
        for hour in range(3 if day == 1 else 2, 24)
    )
    plant = PLANT.replace("sources:\n", POINT + "sources:\n").replace(
        "wide: {E1: E1, E2: E2}", "wide: {E1: E1, E2: E2, G1: G1}"
    )
    with loaded(tmp_path / "plant", plant=plant, readings=readings + hours + "\n", fuel=None) as opened:
        asked = {
            per: [
                (row.label, row.value)
                for row in opened.account(book, "2024-01-01..2024-01-02", by="site", per=per).rows
                if row.value is not None
            ]
            for per in ("hour", "day", "month", None)
        }
    first = [value for label, value in asked["hour"] if value]
    assert [round(value, 9) for value in first] == [5.0, 3.0, 8.0]
    assert [(label, round(value, 9)) for label, value in asked["day"]] == [
        ("2024-01-01", 8.0),
        ("2024-01-02", 8.0),
    ]
    for per in ("month", None):
        [(_, whole)] = asked[per]
        assert math.isclose(whole, 16.0)

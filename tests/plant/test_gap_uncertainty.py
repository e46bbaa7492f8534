"""What a gap in the readings leaves open at the edge of a month enters the uncertainty: bounds, rectangular, against a Monte Carlo."""

from __future__ import annotations

import math
import random
from pathlib import Path
from statistics import fmean, pstdev

import pytest

import celadon
from celadon.engine.uncertainty import Uncertainty
from tests.plant.small import PLANT, loaded, rows

BOOK = "cn_gbt_32150_2015"
FEBRUARY_ENDS = (31 + 29) * 24
FACTORS = """factors:
  - {factor: grid_emission_factor, value: 0.5, unit: kgCO2/kWh, since: 2024-01-01, until: 2024-01-31, source: supplier, uncertainty: 4%}
  - {factor: grid_emission_factor, value: 0.8, unit: kgCO2/kWh, since: 2024-02-01, until: 2024-12-31, source: supplier, uncertainty: 3%}
"""
STATED = PLANT[: PLANT.index("factors:")] + FACTORS
ROOT_3 = math.sqrt(3)


def gapped(
    folder: Path, first: int, last: int, rate: str = "500 kW", meter: str = "uncertainty: 1%"
) -> celadon.Plant:
    """The small plant over January and February, without readings between two of its hours."""
    plant = STATED.replace("max_rate: 500 kW", f"max_rate: {rate}, {meter}" if rate else meter)
    return loaded(folder, plant=plant, readings=rows(0, first) + rows(last, FEBRUARY_ENDS, header=False))


def width(
    plant: celadon.Plant,
    period: str,
    quantity: str = "purchased_electricity_emission",
    by: str = "site",
    **where: str,
) -> Uncertainty:
    found = plant.account(BOOK, period, quantities=[quantity], uncertainty=True, by=by)
    assert found.uncertainties is not None
    unstated = {item.where.subject for item in found.findings if item.code == "uncertainty.not-stated"}
    assert unstated <= {"records:fuel:diesel"}
    named = zip(found.rows, found.uncertainties, strict=True)
    [one] = [one for row, one in named if all(getattr(row, key) == word for key, word in where.items())]
    assert one is not None
    return one


def part(found: Uncertainty, kind: str = "estimate") -> list[tuple[str, float]]:
    return [(one.origin.id, one.half_width) for one in found.sources if one.origin.kind == kind]


def test_a_gap_inside_the_month_leaves_nothing_open(tmp_path: Path) -> None:
    found = width(gapped(tmp_path, 100, 130), "2024-01")
    assert [one.origin.kind for one in found.sources] == ["own_factor", "meter"]
    assert math.isclose(found.relative or 0, math.hypot(0.04, 0.01), rel_tol=1e-12)


@pytest.fixture(scope="module")
def over_the_edge(tmp_path_factory: pytest.TempPathFactory) -> celadon.Plant:
    """12 h before and 12 h after 1 February at 10 kWh an hour."""
    return gapped(tmp_path_factory.mktemp("edge"), 732, 756)


def test_a_gap_over_the_edge_of_a_month(over_the_edge: celadon.Plant) -> None:
    """Before the edge 0 to 240 kWh, evenly."""
    plant = over_the_edge
    january, february = width(plant, "2024-01"), width(plant, "2024-02")
    [(name, half)] = part(january)
    assert name == "gap:E1:2024-01-31T16:00Z"  # midnight in Shanghai
    assert math.isclose(half, 0.240 * 0.5 / ROOT_3, rel_tol=1e-12)
    assert math.isclose(
        january.half_width,
        math.hypot(3.72 * 0.04, 3.72 * 0.01, 0.12 / ROOT_3),
        rel_tol=1e-12,
    )
    [(same, other)] = part(february)
    assert same == name
    assert math.isclose(other, 0.240 * 0.8 / ROOT_3, rel_tol=1e-12)
    # What January has more February has less: of both only the difference of their factors is left.
    [(_, both)] = part(width(plant, "2024-01..2024-02"))
    assert math.isclose(both, 0.240 * (0.8 - 0.5) / ROOT_3, rel_tol=1e-9)
    bought = width(plant, "2024-01..2024-02", "energy_consumed", item="electricity")
    assert math.isclose(bought.relative or 0, 0.01, rel_tol=1e-9)


def test_a_declared_rate_narrows_the_bounds_against_a_monte_carlo(tmp_path: Path) -> None:
    """At 15 kW at most, 12 h take 180 kWh and the display's last digit, so that 59.9 to 180.1 kWh are January's."""
    plant = gapped(tmp_path, 732, 756, rate="15 kW")
    [(_, half)] = part(width(plant, "2024-01"))
    assert math.isclose(half, 0.1202 * 0.5 / ROOT_3, rel_tol=1e-9)
    rng = random.Random(20240201)
    january, february = 7.32, 29 * 0.24 - 0.12  # MWh read before the gap, and after it
    drawn: dict[str, list[float]] = {"2024-01": [], "2024-01..2024-02": []}
    for _ in range(40_000):
        before = rng.uniform(0.0599, 0.1801)
        meter = 1 + rng.gauss(0, 0.005)
        first, second = 0.5 * (1 + rng.gauss(0, 0.02)), 0.8 * (1 + rng.gauss(0, 0.015))
        one = meter * first * (january + before)
        drawn["2024-01"].append(one)
        drawn["2024-01..2024-02"].append(one + meter * second * (february + 0.24 - before))
    for period, values in drawn.items():
        found = width(plant, period)
        assert math.isclose(fmean(values), found.value, rel_tol=0.002), period
        assert math.isclose(2 * pstdev(values), found.half_width, rel_tol=0.02), period


def test_a_remainder_has_the_gaps_of_its_meters(over_the_edge: celadon.Plant) -> None:
    """E1 leaves 240 kWh open and E2 96: each by itself, and in the remainder both."""
    found = width(over_the_edge, "2024-01", "energy_consumed", by="meter", meter="E1~rest")
    assert {name: round(half, 12) for name, half in part(found)} == {
        "gap:E1:2024-01-31T16:00Z": round(0.240 / ROOT_3, 12),
        "gap:E2:2024-01-31T16:00Z": round(0.096 / ROOT_3, 12),
    }
    assert math.isclose(
        found.half_width,
        math.hypot(7.44 * 0.01, 2.976 * 0.01, 0.240 / ROOT_3, 0.096 / ROOT_3),
        rel_tol=1e-9,
    )


def test_a_gap_longer_than_a_month_has_two_edges(tmp_path: Path) -> None:
    """No reading from 25 January to the end of February but the last: each edge cuts the same gap."""
    plant = gapped(tmp_path, 24 * 24, FEBRUARY_ENDS)
    amount = (FEBRUARY_ENDS - 24 * 24) * 0.01  # MWh
    [(name, half)] = part(width(plant, "2024-01"))
    assert math.isclose(half, amount * 0.5 / ROOT_3, rel_tol=1e-9)
    assert [one for one, _ in part(width(plant, "2024-02"))] == [name]


def test_a_gap_wider_than_its_month_is_told(tmp_path: Path) -> None:
    plant = gapped(tmp_path, 24, FEBRUARY_ENDS)
    found = plant.account(
        BOOK, "2024-01", quantities=["purchased_electricity_emission"], uncertainty=True, by="site"
    )
    [large] = [item for item in found.findings if item.code == "uncertainty.large"]
    # 59 days' use may lie in January, of which 31 days' use are counted: 14.16 MWh / √3 of 7.44 MWh
    assert large.where.subject == "gap:E1:2024-01-31T16:00Z"
    assert large.values["size"] == f"±{14.16 / ROOT_3 / 7.44:.0%}"


def test_a_rate_that_was_held_and_a_multiplier_without_its_register(tmp_path: Path) -> None:
    rates = STATED.replace(
        "digits: 6, decimals: 1, max_rate: 500 kW}\n  - {id: E2",
        "kind: rate, unit: kW, uncertainty: 1%}\n  - {id: E2",
        1,
    ).replace("flow: purchased, unit: kWh,", "flow: purchased,")
    hours = [f"{line.split(',')[0]},{10 if number < 200 else 30}," for number, line in enumerate(rows(0, 743).splitlines()[1:])]  # fmt: skip
    text = "\n".join(["time,E1,E2", *hours[:200], *hours[204:]]) + "\n"
    found = width(loaded(tmp_path / "rate", plant=rates, readings=text), "2024-01")
    # 10 kW are held for two hours (max_gap), where between 10 and 30 kW may have been: 40 kWh apart
    [(name, half)] = part(found)
    assert name == "gap:E1:2024-01-08T23:00Z"
    assert math.isclose(half, 0.040 * 0.5 / ROOT_3, rel_tol=1e-6)
    changed = STATED.replace(
        "max_rate: 500 kW}\n  - {id: E2",
        "max_rate: 500 kW, uncertainty: 1%, changes: [{at: 2024-01-10T10:30, kind: multiplier, multiplier: 3}]}\n  - {id: E2",
        1,
    )
    found = width(loaded(tmp_path / "change", plant=changed), "2024-01")
    [(name, half)] = part(found)
    # 10 counts of one or of three kWh each, by when the multiplier changed: 20 kWh apart
    assert name == "gap:E1:2024-01-10T02:00Z"
    assert math.isclose(half, 0.020 * 0.5 / ROOT_3, rel_tol=1e-9)

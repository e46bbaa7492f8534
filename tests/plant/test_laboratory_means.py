"""A fuel recorded for several months at once, analysed by batch: its calorific value is the batches' mean by mass over that span."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import celadon

PLANT = """\
celadon: 1
enterprise: {id: boiler}
zone: Asia/Shanghai
sites: [{id: works, region: CN-SD}]
sources:
  - id: fuel
    role: records
    files: fuel.csv
    fields: {start: from, end: to, quantity: =energy_consumed, item: =bituminous, value: amount, unit: =t}
  - id: laboratory
    role: records
    files: lab.csv
    fields: {date: day, quantity: =net_calorific_value, item: =bituminous, value: value, unit: =GJ/t, weight: mass, weight_unit: =t}
"""
BOOK = "cn_gbt_2589_2020"
COAL = Fraction("29.3076")  # GJ/tce
BATCHES = {month: (Fraction(20 + month), Fraction(10 * month)) for month in range(1, 13)}
"""Month -> (GJ/t, t): both grow, so that January's value, the plain mean and the mean by mass all differ."""


def mean(months: range) -> Fraction:
    weights = sum(BATCHES[month][1] for month in months)
    return sum((BATCHES[month][0] * BATCHES[month][1] for month in months), Fraction(0)) / weights


def account(
    folder: Path, fuel: str, period: str = "2024", unweighed: int = 0
) -> tuple[list[float], list[str]]:
    """Comprehensive energy by month asked, and the warnings about months that differ."""
    (folder / "plant.yaml").write_text(PLANT, encoding="utf-8")
    (folder / "fuel.csv").write_text("from,to,amount\n" + fuel, encoding="utf-8")
    batches = [
        f"2024-{month:02}-10,{value},{'' if month == unweighed else mass}\n"
        for month, (value, mass) in BATCHES.items()
    ]
    (folder / "lab.csv").write_text("day,value,mass\n" + "".join(batches), encoding="utf-8")
    with celadon.open_plant(folder) as plant:
        assert not [item.code for item in plant.load().findings]
        found = plant.account(BOOK, period, per="month", quantities=["comprehensive_energy"])
    told = [item.code for item in found.findings if item.code == "fact.months-differ"]
    return [row.value or 0 for row in found.rows], told


def test_a_years_coal_takes_the_years_mean_by_mass(tmp_path: Path) -> None:
    """1200 t at (21·10 + 22·20 + … + 32·120) / 780 = 28 1/3 GJ/t; January's 21 GJ/t would give a quarter less."""
    assert mean(range(1, 13)) == Fraction(85, 3)
    values, told = account(tmp_path, "2024-01-01,2024-12-31,1200\n")
    assert values == [pytest.approx(float(1200 * Fraction(85, 3) / COAL), rel=1e-12)]
    assert told == []


def test_quarters_take_their_own_means(tmp_path: Path) -> None:
    fuel = "2024-01-01,2024-03-31,100\n2024-04-01,2024-06-30,200\n2024-07-01,2024-09-30,300\n2024-10-01,2024-12-31,400\n"
    values, told = account(tmp_path, fuel)
    means = [mean(range(first, first + 3)) for first in (1, 4, 7, 10)]
    expected = [float(100 * (number + 1) * one / COAL) for number, one in enumerate(means)]
    assert values == [pytest.approx(one, rel=1e-12) for one in expected]
    assert told == []


def test_half_of_a_years_coal_takes_the_half_years_mean(tmp_path: Path) -> None:
    """182 of 366 days; the batches of January to June."""
    values, _ = account(tmp_path, "2024-01-01,2024-12-31,1200\n", "2024-01..2024-06")
    assert values == [pytest.approx(float(1200 * Fraction(182, 366) * mean(range(1, 7)) / COAL), rel=1e-12)]


def test_months_take_their_own_values(tmp_path: Path) -> None:
    values, told = account(tmp_path, "2024-02-01,2024-02-29,10\n2024-03-01,2024-03-31,10\n")
    assert values == [pytest.approx(float(10 * Fraction(value) / COAL), rel=1e-12) for value in (22, 23)]
    assert told == []


@pytest.mark.parametrize(
    ("fuel", "unweighed"),
    [
        ("2024-01-01,2024-12-31,1200\n", 8),  # a batch nobody weighed
        ("2024-01-01,2024-12-31,1200\n2024-05-01,2024-05-31,0\n", 0),  # another amount inside
    ],
)
def test_what_cannot_be_weighed_is_told(tmp_path: Path, fuel: str, unweighed: int) -> None:
    values, told = account(tmp_path, fuel, unweighed=unweighed)
    assert values[0] == pytest.approx(float(1200 * Fraction(21) / COAL), rel=1e-12)
    assert told == ["fact.months-differ"]

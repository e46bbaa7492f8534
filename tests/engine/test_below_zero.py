"""A balance that comes out below zero is told with its clause, place and value; one that comes to nothing is not."""

from __future__ import annotations

from typing import Any

import pytest

from celadon.engine.run import Result
from celadon.rules.rulebook import SHIPPED
from tests.engine.test_engine_findings import ask

COKING = SHIPPED / "cn_gbt_32151_13_2023_coking"
COAL = {"quantity": "energy_consumed", "carrier": "cleaned_coal", "purpose": "feedstock", "unit": "t"}
COKE = {"quantity": "energy_product_output", "carrier": "coke", "unit": "t"}
CARBON = [
    {
        "quantity": "carbon_content_by_mass",
        "carrier": carrier,
        "value": 0.75,
        "unit": "tC/t",
        "period": "2024",
    }
    for carrier in ("cleaned_coal", "coke")
]


def told(facts: list[dict[str, Any]], **more: Any) -> tuple[Result, list[tuple[Any, ...]]]:
    body = {"period": "2024", "expect": [{"quantity": "coking_emission"}], **more}
    result = ask(COKING, [*facts, *CARBON], **body)
    found = [item for item in result.findings if item.code == "result.below-zero"]
    return result, [(item.where.subject, item.where.period, item.values["value"]) for item in found]


def month(fact: dict[str, Any], number: int, value: float) -> dict[str, Any]:
    return {**fact, "value": value, "period": f"2024-{number:02}"}


def test_coal_that_was_forgotten() -> None:
    """Charged 100 t, coke 120 t, both 0.75 tC/t: (75 − 90) × 44/12 = −55 tCO2."""
    result, found = told([month(COAL, 1, 100), month(COKE, 1, 120)])
    assert result.value("coking_emission") == pytest.approx(-55, abs=1e-9)
    assert found == [("coking_emission", "2024", "-55")]
    [said] = [item for item in result.findings if item.code == "result.below-zero"]
    assert said.clause is not None
    assert said.clause.en == "GB/T 32151.13-2023 carbon balance of coking"
    assert "comes out at -55 tCO2 for 2024" in said.says("en")
    assert "在 2024 为 -55 tCO2" in said.says("zh")


def test_a_year_adds_its_months_up_first() -> None:
    """January −55, February +110: the year is +55 and right; asked by month, January is told."""
    facts = [month(COAL, 1, 100), month(COKE, 1, 120), month(COAL, 2, 100), month(COKE, 2, 60)]
    result, found = told(facts)
    assert (result.value("coking_emission"), found) == (pytest.approx(55, abs=1e-9), [])
    _, found = told(facts, per="month")
    assert found == [("coking_emission", "2024-01", "-55")]


def test_it_is_told_of_what_the_answer_rests_on() -> None:
    """Only the total is asked; below it the balance is negative, at one of two sites."""
    there = [{**month(COAL, 1, 100), "site": "B"}, {**month(COKE, 1, 120), "site": "B"}]
    carbon = [{**fact, "site": "B"} for fact in CARBON]
    sites = [{"id": "A", "region": "CN-SX"}, {"id": "B", "region": "CN-SX"}]
    asked = {"expect": [{"quantity": "total_emission"}], "sites": sites, "by": "enterprise"}
    result, found = told([*there, *carbon, {**month(COAL, 1, 1000), "site": "A"}], **asked)
    assert (result.rows[0].value or 0) > 0
    assert [(subject, value) for subject, _, value in found] == [("coking_emission", "-55")]
    [said] = [item for item in result.findings if item.code == "result.below-zero"]
    assert said.values["site"] == "B"


def test_what_rounding_leaves_of_nothing_is_not_told() -> None:
    """0.1 + 0.2 t of coal and 0.3 t of coke: nothing, but for the last bit."""
    assert told([month(COAL, 1, 0.3), month(COKE, 1, 0.1), month(COKE, 2, 0.2)])[1] == []


def test_a_fuel_whose_stock_grew_by_more_than_was_bought() -> None:
    """The row's own keys are named: −10 t of diesel burnt."""
    fuel = {
        "quantity": "energy_consumed",
        "carrier": "diesel",
        "value": -10,
        "unit": "t",
        "period": "2024-03",
    }
    _, found = told([fuel], expect=[{"quantity": "fuel_combustion_emission"}], per="month")
    # −10 t × 43.33 GJ/t × 20.2 tC/TJ × 98 % × 44/12
    assert found == [("fuel_combustion_emission:diesel:combustion", "2024-03", "-31.4512")]

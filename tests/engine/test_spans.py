"""Amounts and what describes them over spans of their own: a year's analysis, a year's output, months that differ."""

from __future__ import annotations

import math
from typing import Any

import pytest

from celadon.engine.run import Result
from celadon.rules.rulebook import SHIPPED
from tests.engine.test_engine_findings import ask

CEMENT = SHIPPED / "cn_ndrc_2013_cement"
MONTHS = [f"2023-{month:02}" for month in range(1, 13)]


def clinker(period: str, value: float) -> dict[str, Any]:
    return {"quantity": "product_output", "product": "clinker", "value": value, "unit": "t", "period": period}


def content(period: str, cao: float) -> list[dict[str, Any]]:
    return [
        {"quantity": "clinker_cao_content", "value": cao, "unit": "1", "period": period},
        {"quantity": "clinker_mgo_content", "value": 0, "unit": "1", "period": period},
    ]


def calcined(facts: list[dict[str, Any]], period: str = "2023", **more: Any) -> Result:
    site = {"id": "S", "region": "CN-SD"}
    expect = [{"quantity": "calcination_emission"}]
    products = [{"id": "clinker", "unit": "t"}]
    return ask(CEMENT, facts, period=period, site=site, products=products, expect=expect, **more)


def told(result: Result) -> list[tuple[str, ...]]:
    return sorted(
        (
            item.where.subject or "",
            str(item.values["first"]),
            str(item.values["last"]),
            item.values["other"].en,
        )
        for item in result.findings
        if item.code == "fact.months-differ"
    )


def test_the_analysis_of_a_year_holds_in_every_month_of_it() -> None:
    facts = [*content("2023", 0.65), *(clinker(month, 100 + number) for number, month in enumerate(MONTHS))]
    result = calcined(facts)
    [row] = result.rows
    amount = sum(100 + number for number in range(12))  # 1266 t × 0.65 × 44/56
    assert math.isclose(row.value or 0, amount * 0.65 * 44 / 56, rel_tol=1e-12)
    assert (row.coverage, told(result)) == (1.0, [])
    months = {one.label: one.value for one in calcined(facts, per="month").rows}
    assert math.isclose(months["2023-07"] or 0, 106 * 0.65 * 44 / 56, rel_tol=1e-12)


def test_the_analysis_of_a_half_year_holds_in_no_other_month() -> None:
    facts = [*content("2023-01..2023-06", 0.65), *(clinker(month, 100) for month in MONTHS)]
    months = {one.label: one.value for one in calcined(facts, per="month").rows}
    assert math.isclose(months["2023-06"] or 0, 65 * 44 / 56, rel_tol=1e-12)
    assert months["2023-07"] is None


def test_a_years_output_at_contents_that_change_is_told() -> None:
    facts = [
        clinker("2023", 1200),
        *(one for month in MONTHS for one in content(month, 0.60 if month == MONTHS[0] else 0.66)),
    ]
    result = calcined(facts)
    assert math.isclose(result.rows[0].value or 0, 1200 * 0.60 * 44 / 56, rel_tol=1e-12)
    assert told(result) == [("product_output:clinker", "2023-01-01", "2023-12-31", "CaO content of clinker")]
    [said] = [item for item in result.findings if item.code == "fact.months-differ"]
    assert said.clause is not None
    assert "weighted by the months' amounts" in said.fix("en")
    assert "that of the first month is used for the whole" in said.says("en")
    assert "整段均按首月取值" in said.says("zh")


def test_a_years_output_with_one_analysis_for_the_year_is_not() -> None:
    result = calcined([clinker("2023", 1200), *content("2023", 0.65)])
    assert math.isclose(result.rows[0].value or 0, 1200 * 0.65 * 44 / 56, rel_tol=1e-12)
    assert told(result) == []
    same = [clinker("2023", 1200), *(one for month in MONTHS for one in content(month, 0.65))]
    assert told(calcined(same)) == []


def test_a_years_output_with_the_analysis_of_its_first_month_alone_is_told() -> None:
    assert told(calcined([clinker("2023", 1200), *content("2023-01", 0.65)])) == [
        ("product_output:clinker", "2023-01-01", "2023-12-31", "CaO content of clinker"),
        ("product_output:clinker", "2023-01-01", "2023-12-31", "MgO content of clinker"),
    ]


@pytest.mark.parametrize(
    ("period", "expected"), [("2022-01..2022-12", []), ("2021-07..2022-06", ["2021-07-01"])]
)
def test_a_bill_over_two_years_meets_two_grid_factors(period: str, expected: list[str]) -> None:
    """0.5568 in 2021 and 0.5366 in 2022: the bill that reaches over New Year takes that of its first month, and says so."""
    bill = {
        "quantity": "energy_purchased",
        "carrier": "electricity",
        "value": 1000,
        "unit": "MWh",
        "period": period,
    }
    result = ask(
        CEMENT,
        [bill],
        period="2021..2022",
        site={"id": "S", "region": "CN-SD"},
        expect=[{"quantity": "purchased_electricity_emission"}],
    )
    factor = 0.5568 if expected else 0.5366
    assert math.isclose(result.rows[0].value or 0, 1000 * factor, rel_tol=1e-12)
    assert [first for _, first, _, other in told(result) if other == "National grid factor"] == expected

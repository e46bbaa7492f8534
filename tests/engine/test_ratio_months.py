"""A ratio whose two sides were not recorded in the same months is told: eleven months of energy over twelve of output."""

from __future__ import annotations

import math
from typing import Any

from celadon.engine.run import Result
from celadon.rules.rulebook import SHIPPED
from tests.engine.test_engine_findings import ask

QUOTA = SHIPPED / "cn_product_energy_quota"
MONTHS = [f"2024-{month:02}" for month in range(1, 13)]


def energy(period: str, product: str = "clinker", value: float | None = 100) -> dict[str, Any]:
    fact = {"quantity": "product_energy", "product": product, "purpose": "comprehensive_energy"}
    return {**fact, "value": value, "unit": "tce", "period": period}


def output(period: str, product: str = "clinker") -> dict[str, Any]:
    return {
        "quantity": "product_output",
        "product": product,
        "value": 1000,
        "unit": "t",
        "period": period,
    }


def told(facts: list[dict[str, Any]], **more: Any) -> tuple[Result, list[tuple[Any, Any, str]]]:
    body = {"period": "2024", "site": {"id": "S", "region": "CN-SD"}, **more}
    body["products"] = [{"id": name, "unit": "t"} for name in ("clinker", "coke")]
    result = ask(QUOTA, facts, expect=[{"quantity": "coal_equivalent_intensity"}], **body)
    found = [item for item in result.findings if item.code == "fact.months-unequal"]
    return result, [(item.where.subject, item.values["months"], item.values["lacking"].en) for item in found]


def test_eleven_months_of_energy_over_twelve_of_output() -> None:
    """1100 tce over 12 000 t look like 91.7 kgce/t, better than level 1; they are 100."""
    facts = [output(month) for month in MONTHS] + [energy(month) for month in MONTHS if month != "2024-07"]
    result, found = told(facts)
    assert math.isclose(result.rows[0].value or 0, 1100 * 1000 / 12000, rel_tol=1e-12)
    assert [(subject, months) for subject, months, _ in found] == [
        ("coal_equivalent_intensity:clinker", "2024-07")
    ]
    [said] = [item for item in result.findings if item.code == "fact.months-unequal"]
    assert "which are not there in the same months" in said.says("en")
    assert "两者月份不一致" in said.says("zh")


def test_an_absent_month_counts_as_missing_and_many_are_counted() -> None:
    facts = [output(month) for month in MONTHS]
    facts += [energy(month, value=None if number > 5 else 100) for number, month in enumerate(MONTHS)]
    _, found = told(facts)
    assert [months for _, months, _ in found] == ["2024-07, 2024-08, 2024-09 … +3"]


def test_of_two_products_the_one_that_lacks_a_month() -> None:
    facts = [one(month, name) for month in MONTHS for name in ("clinker", "coke") for one in (output, energy)]
    facts.remove(energy("2024-02", "coke"))
    _, found = told(facts)
    assert [(subject, months) for subject, months, _ in found] == [
        ("coal_equivalent_intensity:coke", "2024-02")
    ]


def test_the_same_months_a_years_record_and_a_sum_in_one_month_are_not_told() -> None:
    every = [output(month) for month in MONTHS]
    assert told([*every, *(energy(month) for month in MONTHS)])[1] == []
    assert told([*every, energy("2024")])[1] == []
    assert told([*every, energy("2024-12", value=1200)])[1] == []
    half = [one(month) for month in MONTHS[:6] for one in (output, energy)]
    assert told(half)[1] == []

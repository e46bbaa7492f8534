"""ISO 14067: whatever is emitted and bought leaves with the products, under every allocation, on any plant."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from celadon.engine.run import Result, run
from celadon.rules.rulebook import load_rulebook
from celadon.testing import Case, case_facts, case_plant, case_request

BOOK = load_rulebook("iso_14067_2018")
PRODUCTS = ("iron", "billet", "bar", "coil")
PROPERTIES = {"product_mass": "t/t", "product_property": "GJ/t", "product_price": "CNY/t"}
amounts = st.integers(1, 10**5).map(lambda n: n / 10)


def answer(
    facts: list[dict[str, Any]], factors: list[dict[str, Any]], allocation: str, *wanted: str
) -> Result:
    body = {
        "period": "2023",
        "options": {"allocation": allocation},
        "products": [{"id": name, "unit": "t"} for name in (*PRODUCTS, "scrap")],
        "facts": facts,
        "factors": factors,
        "expect": [{"quantity": name} for name in wanted],
    }
    case = Case("made here", "", {}, body)
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        return run(con, BOOK, plant, request)


@st.composite
def works(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Processes with products, one without, months apart; own products used in later ones; bought scrap."""
    processes = draw(
        st.lists(st.sampled_from(("p1", "p2", "p3")), min_size=len(PRODUCTS), max_size=len(PRODUCTS))
    )
    months = st.sampled_from(("2023-01", "2023-06"))
    facts: list[dict[str, Any]] = []
    for product, process in zip(PRODUCTS, processes, strict=True):
        facts.append(
            {"quantity": "product_output", "product": product, "process": process, "value": draw(amounts), "unit": "t", "period": draw(months)}
        )  # fmt: skip
    for process in ("p1", "p2", "p3", "utilities"):
        source = {
            "quantity": "direct_process_emission",
            "source": "stack",
            "process": process,
            "unit": "tCO2e",
        }
        facts.append({**source, "value": draw(amounts), "period": draw(months)})
    for n, product in enumerate(PRODUCTS[1:], 1):
        if draw(st.booleans()):
            used = {
                "quantity": "product_used",
                "product": draw(st.sampled_from(PRODUCTS[:n])),
                "purpose": product,
            }
            facts.append({**used, "value": draw(amounts), "unit": "t", "period": draw(months)})
        bought = {"product": "scrap", "purpose": product, "value": draw(amounts), "period": draw(months)}
        facts.append({"quantity": "material_used", "unit": "t", **bought})
        facts.append({"quantity": "material_biogenic_emission", "unit": "tCO2e", **bought})
    factors = [{"factor": "supplier_factor", "product": "scrap", "value": 0.5, "unit": "tCO2e/t"}]
    for product in PRODUCTS:
        for name, unit in PROPERTIES.items():
            factors.append({"factor": name, "product": product, "value": draw(amounts), "unit": unit})
    return facts, factors


@pytest.mark.parametrize("allocation", ["mass", "physical", "economic"])
@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
@given(plant=works())
def test_what_leaves_is_what_was_emitted_and_bought(
    allocation: str, plant: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    result = answer(*plant, allocation, "carried_out_emission", "system_emission")
    carried = [row.value or 0.0 for row in result.rows_of("carried_out_emission")]
    whole = result.value("system_emission")
    assert whole is not None
    assert sum(carried) == pytest.approx(whole, rel=1e-9, abs=1e-7 * max(map(abs, carried)))
    assert [item.code for item in result.findings if item.severity == "error"] == []


def test_a_footprint_does_not_depend_on_the_order_of_records_or_on_how_a_month_is_cut() -> None:
    facts = [
        {"quantity": "product_output", "product": "bar", "process": "p", "value": 10, "unit": "t"},
        {"quantity": "direct_process_emission", "source": "a", "process": "p", "value": 30, "unit": "tCO2e"},
    ]
    split = [{**fact, "value": fact["value"] / 2} for fact in facts for _ in range(2)]
    factors = [{"factor": "product_mass", "product": "bar", "value": 1, "unit": "t/t"}]
    for form in (facts, facts[::-1], split):
        assert answer(form, factors, "mass", "product_footprint").value("product_footprint") == 3.0

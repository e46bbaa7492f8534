"""ISO 14067: whatever is emitted and bought leaves with the products, under every allocation, on any plant."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from celadon.engine.run import Result, run
from celadon.rules.rulebook import load_rulebook
from celadon.testing import Case, case_facts, case_plant, case_request
from tests.shared_data import shared

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


# --- footprints that suppliers publish (PACT) ---------------------------------------------------------------------

PARTS = {  # the parts of a footprint: fossil, biogenic but for uptake, land use; version 2, version 3
    "fossil": ("fossilGhgEmissions",),
    "biogenic": ("otherBiogenicGhgEmissions", "biogenicNonCO2Emissions"),
    "land_use": ("dLucGhgEmissions", "landUseChangeGhgEmissions"),
}


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name",
    ["footprints_0", "footprints_1", "footprints_3", "footprints_4", "footprintsV3_0", "footprintsV3_1"],
)
def test_a_published_footprint_is_carried_into_the_product_that_is_made_of_it(name: str) -> None:
    """6.4.2: 3 000 L bought and 1 500 L made of them carry twice what the supplier states per litre.

    The examples are invented and their parts do not add up to their totals, so the parts are what is taken over.
    """
    pcf = json.loads(shared(f"data/pact/footprints/{name}.json").read_text("utf-8"))["pcf"]
    assert pcf.get("declaredUnit", pcf.get("declaredUnitOfMeasurement")) == "liter"
    assert Fraction(pcf.get("unitaryProductAmount", pcf.get("declaredUnitAmount"))) == 1
    per_litre = {
        part: sum(Fraction(pcf[word]) for word in words if word in pcf) for part, words in PARTS.items()
    }
    assert all(value > 0 for value in per_litre.values())
    total = Fraction(pcf.get("pCfExcludingBiogenic", pcf.get("pcfExcludingBiogenicUptake")))
    assert sum(per_litre.values()) != total
    bought = {"product": "base", "purpose": "blend"}
    facts = [
        {"quantity": "product_output", "product": "blend", "value": 1500, "unit": "L"},
        {"quantity": "material_used", **bought, "value": 3000, "unit": "L"},
        *(
            {"quantity": f"material_{part}_emission", **bought, "value": float(3000 * per_litre[part]), "unit": "kgCO2e"}
            for part in ("biogenic", "land_use")
        ),
    ]  # fmt: skip
    mass = float(
        pcf.get("productMassPerDeclaredUnit", "0.85")
    )  # allocation asks for it, though one product takes all
    factors = [
        {
            "factor": "supplier_factor",
            "product": "base",
            "value": float(per_litre["fossil"]),
            "unit": "kgCO2e/L",
        },
        {"factor": "product_mass", "product": "blend", "value": mass, "unit": "kg/L"},
    ]
    body = {
        "period": "2023-07", "products": [{"id": "base", "unit": "L"}, {"id": "blend", "unit": "L"}],
        "facts": facts, "factors": [{**item, "source": "PACT"} for item in factors],
        "expect": [{"quantity": f"{part}_footprint"} for part in (*PARTS, "product")],
    }  # fmt: skip
    case = Case("made here", "", {}, body)
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        result = run(con, BOOK, plant, request)
    for part, value in per_litre.items():
        assert result.value(f"{part}_footprint", item="blend") == pytest.approx(float(2 * value) / 1000)
    carried = float(2 * sum(per_litre.values())) / 1000
    assert result.value("product_footprint", item="blend") == pytest.approx(carried)

"""Uncertainty in closed form: sums, products, what is shared, what cancels, and what is told."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from celadon.core.findings import Finding, Severity
from celadon.core.text import Text, same
from celadon.engine.chain_rows import ChainRows
from celadon.engine.leaves import FactLeaf
from celadon.engine.run import run
from celadon.engine.uncertainty import (
    Origin,
    Origins,
    Propagation,
    Uncertainty,
    each_fact,
    estimated_part,
    of_result,
)
from celadon.rules.check import check_rulebook
from celadon.rules.rulebook import Rulebook, load_rulebook
from celadon.testing import Case, case_facts, case_plant, case_request
from tests.engine import test_chains
from tests.rules.books import ABOUT, write_book

QUANTITIES = """
facts:
  fuel: {label: {zh: 燃料, en: Fuel}, unit: carrier_unit, grain: "site, month, carrier"}
  export: {label: {zh: 外送, en: Export}, unit: carrier_unit, grain: "site, month, carrier", on_missing: not_applicable, clause: S-1 3}
  heat: {label: {zh: 热值, en: Heat}, unit: GJ/carrier_unit, grain: "site, month, carrier", adds: false}
factors:
  factor: {label: {zh: 因子, en: Factor}, unit: tCO2/carrier_unit, table: factors, column: value, keys: {carrier: carrier}, clause: S-1 A}
"""
CHAPTER = '''"""Chapter 1."""

from celadon.rules import choose, constant, document, first_given, ln, maximum, minimum, power, rounded, sum_of, total

standard = document("S-1")
eq1 = standard.clause("1 eq.(1)", "amount times factor")
tonne = constant("1", unit="carrier_unit")


@eq1.rule(unit="tCO2", per="site, month, carrier", label={"zh": "分品种", "en": "By carrier"})
def carrier_emission(fuel, export, factor):
    """Net amount times factor."""
    return (fuel - export) * factor


@eq1.rule(unit="tCO2", per="site, month", label={"zh": "合计", "en": "Total"})
def emission(carrier_emission):
    """Sum over carriers."""
    return total(carrier_emission, over="carrier")


@eq1.rule(unit="tCO2/carrier_unit", per="site, month, carrier", adds=False, label={"zh": "强度", "en": "Intensity"})
def intensity(carrier_emission, fuel):
    """Emission over the fuel it comes from."""
    return carrier_emission / fuel


@eq1.rule(unit="GJ", per="site, month, carrier", label={"zh": "热量", "en": "Energy"})
def energy(fuel, heat):
    """Amount times its heat."""
    return fuel * heat


@eq1.rule(unit="1", per="site, month, carrier", adds=False, label={"zh": "等级", "en": "Grade"})
def grade(fuel, export):
    """1 where more is used than passed on."""
    return choose((fuel > export, constant("1", unit="1")), otherwise=constant("2", unit="1"))


@eq1.rule(unit="carrier_unit", per="site, month, carrier", adds=False, label={"zh": "限", "en": "Capped"})
def capped(fuel, export):
    """The lesser."""
    return minimum(fuel, export)


@eq1.rule(unit="carrier_unit", per="site, month, carrier", adds=False, label={"zh": "修约", "en": "Rounded"})
def given(fuel, export):
    """Export where it is given, rounded."""
    return rounded(first_given(export, fuel), 0)


@eq1.rule(unit="1", per="site, month, carrier", adds=False, label={"zh": "幂", "en": "Raised"})
def raised(fuel):
    """A power and a logarithm of the amount."""
    return power(fuel / tonne, "1/2") + ln(fuel / tonne)
'''
TABLE = """carrier,value,unit,uncertainty,valid_from,valid_to,published,source,clause,confidence,note
diesel,3,kgCO2/kg,4%,2020-01-01,,2020-06-01,Notice 1,A.1,verified2,
gasoline,2,kgCO2/kg,0%,2020-01-01,,2020-06-01,Notice 1,A.1,verified1,
fuel_oil,2,kgCO2/kg,,2020-01-01,,2020-06-01,Notice 1,A.1,verified1,
kerosene,2,kgCO2/kg,60 %,2020-01-01,,2020-06-01,Notice 1,A.1,verified1,
"""
SITES = [{"id": "A"}, {"id": "B"}]
MONTH = "2021-03"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    folder = tmp_path_factory.mktemp("uncertainty") / "b"
    made = load_rulebook(write_book(folder, about=ABOUT, quantities=QUANTITIES, chapter=CHAPTER, table=TABLE))
    assert [item for item in check_rulebook(made) if item.severity is not Severity.NOTICE] == []
    return made


def stated(widths: Mapping[str, float], same: Mapping[str, str] = {}) -> Origins:
    """Origins by `quantity:carrier`, with widths; `same` gives some of them another's name."""

    def find(leaves: Sequence[FactLeaf]) -> list[list[tuple[Origin, float]]]:
        found = []
        for leaf in leaves:
            name = f"{leaf.quantity}:{leaf.item}"
            name = same.get(name, name)
            found.append([(Origin("meter", name, Text(name, name), widths.get(name)), leaf.value or 0.0)])
            if leaf.estimated:
                found[-1].append((estimated_part(leaf), leaf.estimated))
        return found

    return find


def fact(carrier: str, value: float, quantity: str = "fuel", site: str = "A", **more: Any) -> dict[str, Any]:
    unit = "GJ/t" if quantity == "heat" else "t"
    return {"quantity": quantity, "carrier": carrier, "value": value, "unit": unit, "site": site, **more}


def ask(
    book: Rulebook, wanted: str, facts: list[dict[str, Any]], origins: Origins, **body: Any
) -> tuple[list[Uncertainty | None], list[Finding]]:
    whole = {
        "period": MONTH,
        "sites": SITES,
        "expect": [{"quantity": wanted}],
        "vouched": {"by": "constructed"},
    }
    case = Case("x", "", {}, {**whole, "facts": facts, **body})
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        result = run(con, book, plant, request)
        rows = ChainRows(con, result.query, plant)
        chain = Propagation(rows, book, result.request.options, origins)
        return of_result(chain, result), chain.findings()


def one(book: Rulebook, wanted: str, facts: list[dict[str, Any]], origins: Origins) -> Uncertainty:
    [found] = ask(book, wanted, facts, origins)[0]
    assert found is not None
    return found


def close(found: float | None, expected: float) -> bool:
    return found is not None and math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-15)


def test_a_product_adds_relative_widths_in_square(book: Rulebook) -> None:
    found = one(book, "emission", [fact("diesel", 10)], stated({"fuel:diesel": 0.03}))
    # 10 t × 3; √(3² + 4²) = 5 % of 30
    assert close(found.value, 30)
    assert close(found.half_width, 1.5)
    assert close(found.standard, 0.75)
    assert close(found.relative, 0.05)
    assert [(part.origin.kind, round(part.share, 12)) for part in found.sources] == [
        ("factor", 0.64),
        ("meter", 0.36),
    ]
    assert found.sources[0].origin.id == "factor:b/tables/factors.csv:2:value"
    assert [(close(part.sensitivity, 1.0)) for part in found.sources] == [True, True]


def test_a_sum_of_independent_terms_adds_widths_in_square(book: Rulebook) -> None:
    facts = [fact("gasoline", 20), fact("diesel", 10)]
    found = one(book, "emission", facts, stated({"fuel:gasoline": 0.02, "fuel:diesel": 0.03}))
    # 40 ± 2 % = 0.8 and 30 ± 5 % = 1.5: ± 1.7 of 70; the gasoline factor is exact by statement
    assert close(found.half_width, 1.7)
    assert close(math.fsum(part.share for part in found.sources), 1.0)
    assert {part.origin.id: part.half_width for part in found.sources}[
        "factor:b/tables/factors.csv:3:value"
    ] == 0
    assert found.exact == ()


def test_one_factor_used_twice_adds_straight(book: Rulebook) -> None:
    """Two sites, two meters, one factor row: 30 + 60 with 4 % of all of it, the meters in square."""
    facts = [fact("diesel", 10), fact("diesel", 20, site="B")]
    found, _ = ask(book, "emission", facts, stated({}), by="enterprise")
    [whole] = found
    assert whole is not None
    assert close(whole.half_width, 0.04 * 90)  # in square it would be √(1.2² + 2.4²) = 2.68
    later = [fact("diesel", 10), fact("diesel", 20, period="2021-04")]
    found, _ = ask(book, "emission", later, stated({"fuel:diesel": 0.03}), period="2021-03..2021-04")
    assert found[0] is not None
    assert close(found[0].relative, 0.05)  # one meter in both months errs as one as well


def test_what_is_shared_cancels_in_a_difference(book: Rulebook) -> None:
    facts = [fact("gasoline", 10), fact("gasoline", 8, "export")]
    apart = one(book, "emission", facts, stated({"fuel:gasoline": 0.01, "export:gasoline": 0.01}))
    assert close(apart.half_width, 2 * math.hypot(0.1, 0.08))
    together = one(
        book, "emission", facts, stated({"fuel:gasoline": 0.01}, {"export:gasoline": "fuel:gasoline"})
    )
    assert close(together.half_width, 2 * 0.02)


def test_what_is_shared_cancels_in_a_ratio(book: Rulebook) -> None:
    found = one(book, "intensity", [fact("diesel", 10)], stated({"fuel:diesel": 0.2}))
    assert close(found.relative, 0.04)  # the fuel is above and below: the factor's is left
    assert {part.origin.id: part.half_width for part in found.sources}["fuel:diesel"] == pytest.approx(
        0, abs=1e-12
    )


def test_a_mean_weighs_its_results(book: Rulebook) -> None:
    facts = [fact("diesel", 2), fact("diesel", 40, "heat", weight=3), fact("diesel", 44, "heat", weight=1)]
    found = one(book, "energy", facts, stated({"fuel:diesel": 0.03, "heat:diesel": 0.04}))
    assert close(found.value, 2 * 41)
    assert close(found.relative, 0.05)


def test_functions_have_their_slopes(book: Rulebook) -> None:
    found = one(book, "raised", [fact("diesel", 16)], stated({"fuel:diesel": 0.01}))
    # √16 + ln 16, slope for one part more: ½·√16 + 1
    assert close(found.value, 4 + math.log(16))
    assert close(found.half_width, 0.01 * 3)
    rounded = one(book, "given", [fact("diesel", 3.4)], stated({"fuel:diesel": 0.01}))
    assert (rounded.value, round(rounded.half_width, 12)) == (3.0, 0.034)


def test_a_minimum_takes_the_lesser_and_says_when_it_is_near(book: Rulebook) -> None:
    widths = stated({"fuel:diesel": 0.01, "export:diesel": 0.01})
    far, said = ask(book, "capped", [fact("diesel", 10), fact("diesel", 9, "export")], widths)
    assert far[0] is not None
    assert close(far[0].half_width, 0.09)
    assert said == []
    _, said = ask(book, "capped", [fact("diesel", 10), fact("diesel", 9.9, "export")], widths)
    assert [(item.code, item.values["rule"], item.values["count"]) for item in said] == [
        ("uncertainty.near-limit", "capped", 1)
    ]


def test_a_grade_is_exact_but_not_which_one(book: Rulebook) -> None:
    widths = stated({"fuel:diesel": 0.01, "export:diesel": 0.01})
    # 10 − 9.9 = 0.1 is within √(0.1² + 0.099²) = 0.14
    found, said = ask(book, "grade", [fact("diesel", 10), fact("diesel", 9.9, "export")], widths)
    assert found[0] is not None
    assert (found[0].value, found[0].half_width) == (1.0, 0.0)
    assert [item.code for item in said] == ["uncertainty.near-limit"]
    assert said[0].where.line is not None
    assert "1 rows" in said[0].says("en")
    # Of one origin they err together and the difference is sure: 0.1 ± 0.001
    same = stated({"fuel:diesel": 0.01}, {"export:diesel": "fuel:diesel"})
    assert ask(book, "grade", [fact("diesel", 10), fact("diesel", 9.9, "export")], same)[1] == []


def test_what_nobody_states_is_never_nothing_in_silence(book: Rulebook) -> None:
    found, said = ask(book, "emission", [fact("fuel_oil", 10), fact("diesel", 20)], each_fact)
    assert found[0] is not None
    assert {part.origin.id: part.sensitivity for part in found[0].exact} == {
        "fact:fuel diesel A": 0.75,
        "factor:b/tables/factors.csv:4:value": 0.25,
        "fact:fuel fuel_oil A": 0.25,
    }
    told = [item for item in said if item.code == "uncertainty.not-stated"]
    assert [(item.where.subject, item.values["share"]) for item in told] == [
        ("fact:fuel diesel A", "75.0%"),
        ("fact:fuel fuel_oil A", "25.0%"),
        ("factor:b/tables/factors.csv:4:value", "25.0%"),
    ]
    assert "Factor (fuel_oil)" in told[2].says("en")
    assert "因子（fuel_oil）" in told[2].says("zh")
    assert told[0].clause == same("JCGM 100:2008 5.1.2")


def test_above_thirty_per_cent_a_straight_line_is_a_guide(book: Rulebook) -> None:
    _, said = ask(book, "emission", [fact("kerosene", 10)], stated({"fuel:kerosene": 0.3}))
    assert [(item.code, item.values["size"]) for item in said] == [("uncertainty.large", "±60%")]
    assert said[0].where.subject == "factor:b/tables/factors.csv:5:value"


def test_estimated_hours_are_an_origin_of_their_own(book: Rulebook) -> None:
    facts = [fact("gasoline", 10), fact("gasoline", 30, status="estimated", period="2021-04")]
    found, said = ask(book, "emission", facts, stated({"fuel:gasoline": 0.01}), period="2021-03..2021-04")
    assert found[0] is not None
    assert [(part.origin.kind, part.sensitivity) for part in found[0].exact] == [("estimate", 0.75)]
    assert close(found[0].relative, 0.01)
    assert [item.values["share"] for item in said] == ["75.0%"]


def test_absent_has_no_width_and_zero_no_relative_one(book: Rulebook) -> None:
    found, _ = ask(book, "emission", [{**fact("diesel", 0), "value": None}], stated({}))
    assert found == [None]
    zero = [fact("gasoline", 10), fact("gasoline", 10, "export")]
    none = one(book, "emission", zero, stated({"fuel:gasoline": 0.03, "export:gasoline": 0.04}))
    assert (none.value, none.relative, round(none.half_width, 12)) == (0.0, None, 1.0)
    assert none.to_json()["relative"] is None


def test_down_a_chain_of_goods(tmp_path: Path) -> None:
    """Ore of 0.5 t/t makes 8 × 0.5 of the 14 t in 4 t of iron, and 1 t of that goes into 2 t of bar: 10 % of 0.5 t/t."""
    made = load_rulebook(
        write_book(
            tmp_path / "b",
            about=test_chains.ABOUT,
            quantities=test_chains.QUANTITIES,
            chapter=test_chains.CHAPTER,
            table=None,
        )
    )
    goods = [("ore", 10, 5), ("iron", 4, 10), ("bar", 2, 1)]
    facts = test_chains.facts_of(goods, [("iron", "ore", 8), ("bar", "iron", 1)])
    found, _ = ask(made, "specific", facts, stated({"own:ore": 0.10}), sites=[{"id": "A"}])
    bar = next(one for one in found if one is not None and close(one.value, 2.25))
    assert {part.origin.id: round(part.half_width, 12) for part in bar.sources} == {"own:ore": 0.05}


def test_a_table_says_its_uncertainty_as_a_percentage(tmp_path: Path) -> None:
    bad = write_book(
        tmp_path / "b", quantities=QUANTITIES, chapter=CHAPTER, table=TABLE.replace("4%", "four")
    )
    [said] = [item for item in check_rulebook(load_rulebook(bad)) if item.code == "factor-table.value"]
    assert (said.where.line, said.values["column"], said.values["value"]) == (2, "uncertainty", "four")

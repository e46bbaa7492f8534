"""The same facts under two rulebooks: the lines sum to the difference, and each says why."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import pytest

from celadon.core.findings import FindingError
from celadon.engine.reconcile import Reconciliation, Side, lines_by_kind, reconcile
from celadon.rules.rulebook import load_rulebook
from celadon.testing import Case, case_facts, case_plant, case_request

FACTS: list[dict[str, Any]] = [
    {"quantity": "energy_consumed", "carrier": "diesel", "value": 100, "unit": "t"},
    {"quantity": "energy_consumed", "carrier": "natural_gas", "value": 50_000, "unit": "m3"},
    {"quantity": "energy_purchased", "carrier": "electricity", "value": 2_000, "unit": "MWh"},
    {"quantity": "energy_consumed", "carrier": "electricity", "value": 2_000, "unit": "MWh"},
    {"quantity": "refrigerant_leaked", "gas": "R-410A", "value": 10, "unit": "kg"},
]


def between(first: tuple[str, str], second: tuple[str, str]) -> Reconciliation:
    body = {
        "period": "2022",
        "site": {"id": "S", "region": "CN-SD"},
        "facts": FACTS,
        "expect": [{"quantity": first[1]}],
    }
    case = Case("x", "", {}, body)
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        sides = [Side(load_rulebook(book), request, quantity) for book, quantity in (first, second)]
        return reconcile(con, plant, *sides)


def test_lines_sum_to_the_difference_and_name_the_reasons() -> None:
    found = between(("cn_gbt_32150_2015", "total_emission"), ("ghg_protocol_corporate", "scope_1"))
    assert math.isclose(sum(line.difference for line in found.lines), found.difference, rel_tol=1e-12)
    kinds = {(line.kind, line.item) for line in found.lines}
    assert ("boundary", "electricity") in kinds
    assert ("boundary", "R-410A") in kinds
    assert ("factor", "diesel") in kinds
    refrigerant = next(line for line in found.lines if line.item == "R-410A")
    assert math.isclose(refrigerant.after, 22.555)  # 10 kg × (0.5 × 771 + 0.5 × 3740) under AR6
    assert refrigerant.before == 0.0
    diesel = next(line for line in found.lines if line.item == "diesel")
    assert any("NDRC" in text or "MEE" in text for text in diesel.before_factors)
    assert any("IPCC" in text for text in diesel.after_factors)
    assert math.isclose(sum(lines_by_kind(found).values()), found.difference, rel_tol=1e-12)


def test_a_rulebook_against_itself_has_nothing_to_say() -> None:
    same = ("cn_gbt_32150_2015", "total_emission")
    found = between(same, same)
    assert found.lines == ()
    assert found.difference == 0.0


def test_totals_that_measure_different_things() -> None:
    with pytest.raises(FindingError) as caught:
        between(("cn_gbt_2589_2020", "comprehensive_energy"), ("ghg_protocol_corporate", "scope_1"))
    assert caught.value.findings[0].code == "reconcile.units"

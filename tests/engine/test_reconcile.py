"""The same facts under two rulebooks: the lines sum to the difference, and each says why."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import duckdb
import pytest

from celadon.core.findings import FindingError
from celadon.engine import reconcile as engine_reconcile
from celadon.engine.reconcile import Reconciliation, Side, lines_by_kind, reconcile
from celadon.engine.run import run
from celadon.rules.rulebook import load_rulebook
from celadon.testing import Case, case_facts, case_plant, case_request

FACTS: list[dict[str, Any]] = [
    {"quantity": "energy_consumed", "carrier": "diesel", "value": 100, "unit": "t"},
    {"quantity": "energy_consumed", "carrier": "natural_gas", "value": 50_000, "unit": "m3"},
    {"quantity": "energy_purchased", "carrier": "electricity", "value": 2_000, "unit": "MWh"},
    {"quantity": "energy_consumed", "carrier": "electricity", "value": 2_000, "unit": "MWh"},
    {"quantity": "refrigerant_leaked", "gas": "R-410A", "value": 10, "unit": "kg"},
]


def case_of(quantity: str, facts: list[dict[str, Any]]) -> Case:
    body = {
        "period": "2022",
        "site": {"id": "S", "region": "CN-SD"},
        "facts": facts,
        "expect": [{"quantity": quantity}],
    }
    return Case("x", "", {}, body)


def between(
    first: tuple[str, str], second: tuple[str, str], facts: list[dict[str, Any]] = FACTS
) -> Reconciliation:
    case = case_of(first[1], facts)
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


@pytest.mark.parametrize("rows_at_once", [1_000_000, 1])
def test_a_contribution_is_what_the_total_loses_without_the_fact(
    rows_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All contributions of a side are found in one run (or a few); here each fact is left out in a run of its own."""
    monkeypatch.setattr(engine_reconcile, "_ROWS_AT_ONCE", rows_at_once)
    sides = [("cn_gbt_32150_2015", "total_emission"), ("ghg_protocol_corporate", "total_location_based")]
    # a calorific value of this diesel is joined to it and no contribution of its own
    own = {"quantity": "net_calorific_value", "carrier": "diesel", "value": 40.0, "unit": "GJ/t"}
    facts = [
        *FACTS,
        {"quantity": "energy_exported", "carrier": "electricity", "value": 500, "unit": "MWh"},
        own,
    ]
    found = between(sides[0], sides[1], facts)
    totals = [found.before_total, found.after_total]
    told = 0
    for left_out in facts[:-1]:
        rest = [fact for fact in facts if fact is not left_out]
        lost = [total - alone(side, rest) for side, total in zip(sides, totals, strict=True)]
        item = left_out.get("carrier", left_out.get("gas"))
        lines = [one for one in found.lines if (one.fact, one.item) == (left_out["quantity"], item)]
        if math.isclose(lost[0], lost[1], rel_tol=1e-12, abs_tol=1e-6):
            assert lines == []
            continue
        [line] = lines
        assert (line.before, line.after) == (
            pytest.approx(lost[0], abs=1e-9),
            pytest.approx(lost[1], abs=1e-9),
        )
        told += 1
    assert told == len(found.lines) >= 4


def alone(side: tuple[str, str], facts: list[dict[str, Any]]) -> float:
    """A rulebook's total of some facts."""
    case = case_of(side[1], facts)
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        result = run(con, load_rulebook(side[0]), plant, replace(request, wanted=(side[1],)))
    return sum(row.value for row in result.rows if row.value is not None)


def test_totals_that_measure_different_things() -> None:
    with pytest.raises(FindingError) as caught:
        between(("cn_gbt_2589_2020", "comprehensive_energy"), ("ghg_protocol_corporate", "scope_1"))
    assert caught.value.findings[0].code == "reconcile.units"

"""What a result rests on: shares of data and of factors, apart, and together 1."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celadon.engine import run as running
from celadon.engine.quality import DATA, FACTORS, NO_QUALITY, quality_of
from celadon.engine.run import Result, Row, run
from celadon.engine.steps import Summary, fixed_shares
from celadon.rules.rulebook import Rulebook, load_rulebook
from celadon.testing import Case, case_facts, case_plant, case_request
from tests.rules.books import CHAPTER, QUANTITIES, write_book

TABLE = """carrier,value,unit,valid_from,valid_to,published,source,clause,confidence,note
diesel,2,kgCO2/kg,2020-01-01,,2020-06-01,Notice 1,A.1,verified2,
gasoline,2,kgCO2/kg,2020-01-01,,2020-06-01,Notice 1,A.1,verified1,
fuel_oil,2,kgCO2/kg,2020-01-01,,2020-06-01,Notice 1,A.1,recalled,
kerosene,2,kgCO2/kg,2020-01-01,,2020-06-01,Notice 1,A.1,official,
"""
CARRIERS = ("diesel", "gasoline", "fuel_oil", "kerosene")
STATUSES = ("measured", "calculated", "declared", "estimated", "default")
OWN = {"factor": "factor", "value": 4, "unit": "kgCO2/kg", "keys": {"carrier": "fuel_oil"}, "source": "lab"}


def fuel(carrier: str, value: float | None, status: str | None, quantity: str = "fuel") -> dict[str, Any]:
    found = {"quantity": quantity, "carrier": carrier, "value": value, "unit": "t"}
    return found | ({"status": status} if status else {})


def ask(book: Rulebook, facts: list[dict[str, Any]], wanted: str = "emission", **body: Any) -> Result:
    whole = {"period": "2021-03", "expect": [{"quantity": wanted}], "vouched": {"by": "constructed"}}
    case = Case("x", "", {}, {**whole, "facts": facts, **body})
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        return run(con, book, plant, request)


def shares(row: Row) -> dict[str, float]:
    """The shares that are not nothing, to 12 digits."""
    return {name: round(share, 12) for name, share in row.quality.shares().items() if share > 1e-12}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    return load_rulebook(write_book(tmp_path_factory.mktemp("quality") / "b", table=TABLE))


def test_each_kind_of_data_and_factor_has_its_share(book: Rulebook) -> None:
    # 2 t/t each: 10 measured, 20 declared, 30 estimated, 40 default, of 100 t
    facts = [fuel(*row) for row in zip(CARRIERS, (10, 20, 30, 40), STATUSES[:1] + STATUSES[2:], strict=True)]
    row = ask(book, facts).rows_of("emission")[0]
    assert row.value == 200.0
    assert shares(row) == {
        "measured": 0.1, "declared": 0.2, "estimated": 0.3, "defaulted": 0.4,
        "verified2": 0.5, "verified1": 0.2, "recalled": 0.3,
    }  # fmt: skip
    assert (row.estimated, row.defaulted, row.recalled) == (
        row.quality.estimated,
        row.quality.defaulted,
        row.quality.recalled,
    )


def test_calculated_data_and_a_fact_as_it_is(book: Rulebook) -> None:
    row = ask(book, [fuel("diesel", 3, "calculated")], "fuel").rows_of("fuel")[0]
    assert shares(row) == {"calculated": 1.0, "factorless": 1.0}


def test_the_plants_own_factor_is_its_word(book: Rulebook) -> None:
    facts = [fuel("diesel", 10, "measured"), fuel("fuel_oil", 5, "measured")]
    row = ask(book, facts, factors=[OWN]).rows_of("emission")[0]
    assert shares(row) == {"measured": 1.0, "verified2": 0.5, "own": 0.5}  # 10 × 2 and 5 × 4


def test_what_is_absent_has_no_shares_and_takes_none(book: Rulebook) -> None:
    row = ask(book, [fuel("diesel", None, None)]).rows_of("emission")[0]
    assert (row.value, row.quality) == (None, NO_QUALITY)
    half = ask(book, [fuel("diesel", None, None), fuel("gasoline", 1, "declared")]).rows_of("emission")[0]
    assert shares(half) == {"declared": 1.0, "verified1": 1.0}
    assert half.coverage == 0.5


def test_zeros_weigh_alike(book: Rulebook) -> None:
    facts = [fuel("diesel", 0, "measured"), fuel("gasoline", 0, "declared")]
    assert shares(ask(book, facts).rows_of("emission")[0]) == {
        "measured": 0.5, "declared": 0.5, "verified2": 0.5, "verified1": 0.5,
    }  # fmt: skip
    one = [*facts, fuel("kerosene", 1e-9, "estimated")]  # beside any number a zero weighs nothing
    assert shares(ask(book, one).rows_of("emission")[0]) == {"estimated": 1.0, "verified2": 1.0}


def test_a_product_is_as_good_as_its_weaker_operand(tmp_path: Path) -> None:
    quantities = QUANTITIES.replace(
        "factors:",
        '  heat: {label: {zh: 热值, en: Heat}, unit: GJ/carrier_unit, grain: "site, month, carrier", adds: false}\nfactors:',
    )
    chapter = CHAPTER.replace(
        "carrier_emission(fuel, factor)", "carrier_emission(fuel, factor, heat)"
    ).replace(
        "return fuel * factor", 'return fuel * factor * heat / constant("1", unit="GJ/carrier_unit")'
    ).replace("import document,", "import constant, document,")  # fmt: skip
    made = load_rulebook(write_book(tmp_path / "b", quantities=quantities, chapter=chapter, table=TABLE))
    heat = {"quantity": "heat", "carrier": "diesel", "value": 3, "unit": "GJ/t"}
    for of_fuel, of_heat, worse in (
        ("measured", "default", "defaulted"),
        ("declared", "measured", "declared"),
        ("estimated", "default", "defaulted"),
    ):
        row = ask(made, [fuel("diesel", 1, of_fuel), {**heat, "status": of_heat}]).rows_of("emission")[0]
        assert shares(row) == {worse: 1.0, "verified2": 1.0}


def test_shares_that_hold_one_another_come_apart() -> None:
    # calculated or worse .9, declared or worse .9, estimated or worse .4, default .1; any factor 1, once .5, own .5, unchecked 0
    found = quality_of([0.9, 0.9, 0.4, 0.1, 1.0, 0.5, 0.5, None])
    assert [round(getattr(found, name), 12) for name in DATA] == [0.1, 0.0, 0.5, 0.3, 0.1]
    assert [round(getattr(found, name), 12) for name in FACTORS] == [0.0, 0.5, 0.0, 0.5, 0.0]


def test_what_no_fact_contradicts_is_fixed() -> None:
    data = {name: fixed_shares(2, 2, False, False).get(name) for name in DATA[1:]}
    assert data == {"calculated": "1.0e0", "declared": "1.0e0", "estimated": "0e0", "defaulted": "0e0"}
    assert "estimated" not in fixed_shares(0, 1, True, False)
    assert fixed_shares(0, 1, True, False)["defaulted"] == "0e0"
    assert "defaulted" not in fixed_shares(3, 4, True, False)


rows_of_facts = st.lists(
    st.tuples(st.sampled_from(CARRIERS), st.integers(0, 9), st.sampled_from(STATUSES), st.booleans()),
    min_size=1, max_size=8, unique_by=lambda row: (row[0], row[3]),
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=rows_of_facts)
def test_shares_against_a_count_by_hand(book: Rulebook, rows: list[tuple[str, int, str, bool]]) -> None:
    """Two months, any status: the shares are those of the emissions by status and by the table's confidence."""
    facts = [
        {**fuel(carrier, value, status), "period": "2021-04" if later else "2021-03"}
        for carrier, value, status, later in rows
    ]
    row = ask(book, facts, period="2021-03..2021-04").rows_of("emission")[0]
    total = sum(value for _, value, _, _ in rows)
    assert math.isclose(sum(getattr(row.quality, name) for name in DATA), 1.0, abs_tol=1e-12)
    assert math.isclose(sum(getattr(row.quality, name) for name in FACTORS), 1.0, abs_tol=1e-12)
    if total:
        for status, name in zip(STATUSES, DATA, strict=True):
            part = sum(value for _, value, of, _ in rows if of == status) / total
            assert math.isclose(getattr(row.quality, name), part, abs_tol=1e-12)
        unchecked = sum(value for carrier, value, _, _ in rows if carrier == "fuel_oil") / total
        assert math.isclose(row.recalled, unchecked, abs_tol=1e-12)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=rows_of_facts)
def test_what_is_fixed_changes_nothing(
    book: Rulebook, rows: list[tuple[str, int, str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = [fuel(carrier, value, status) for carrier, value, status, later in rows if not later]
    quick = [shares(row) for row in ask(book, facts)]
    plain = running.summarise
    with monkeypatch.context() as patch:
        patch.setattr(running, "summarise", lambda *given: _unfixed(plain(*given)))
        assert [shares(row) for row in ask(book, facts)] == quick


def _unfixed(summary: Summary) -> Summary:
    return replace(summary, fixed={})

"""What an account says of quantities it must speak about; sums over some of the rows."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from celadon.adapters.plant_file.plant_json import plant_from_json, plant_to_json
from celadon.adapters.plant_file.reader import read_plant
from celadon.core.findings import Finding
from celadon.engine.explain import explain
from celadon.engine.run import Result, run
from celadon.rules.check import check_rulebook
from celadon.rules.rulebook import Rulebook, load_rulebook
from celadon.testing import Case, case_facts, case_plant, case_request
from tests.plant.small import PLANT
from tests.rules.books import CHAPTER, write_book

BOOK = load_rulebook("ghg_protocol_corporate")
REPORTED = {"quantity": "reported_emission", "partner": "mill", "value": 10, "unit": "tCO2e"}
GOODS = {**REPORTED, "purpose": "purchased_goods_and_services"}


def answer(
    facts: list[dict], *, book: Rulebook = BOOK, wanted: tuple[str, ...] = ("scope_3",), **body
) -> Result:
    expect = [{"quantity": name} for name in wanted]
    body = {"period": "2024", "options": {"scope_3": "reported"}, "facts": facts, "expect": expect, **body}
    case = Case("made here", "", {}, body)
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        return run(con, book, plant, request)


def one(result: Result, code: str) -> Finding:
    (finding,) = [item for item in result.findings if item.code == code]
    return finding


def test_every_category_is_computed_excluded_or_without_data() -> None:
    exclusions = {"ghg_protocol_corporate": {"franchises": "none", "investments": "below 0.1 %"}}
    told = answer([GOODS], exclusions=exclusions).query.told
    assert told.computed == ("purchased_goods_and_services",)
    assert told.excluded == (("franchises", "none"), ("investments", "below 0.1 %"))
    assert {*told.computed, *dict(told.excluded), *told.uncovered} == set(BOOK.coverage.names)
    assert len(told.uncovered) == 12


def test_the_texts_say_what_and_what_to_do() -> None:
    result = answer([GOODS], exclusions={"ghg_protocol_corporate": {"franchises": "the firm has none"}})
    excluded, uncovered = one(result, "account.excluded"), one(result, "account.not-covered")
    assert (
        excluded.says("en")
        == "Scope 3 category 14: franchises (franchises) is left out: “the firm has none”."
    )
    assert excluded.says("zh") == "范围三类别 14：特许经营（franchises）不纳入，理由：“the firm has none”。"
    assert "chapters 6 and 11" in str(excluded.clause)
    assert "Scope 3 category 15: investments" in uncovered.says("en")
    assert "franchises" not in uncovered.says("en")
    assert "purchased goods" not in uncovered.says("en")
    assert "exclusions" in uncovered.fix("en")


def test_single_facts_are_not_told_of_again() -> None:
    """A plant that reports goods is not told fact by fact that it has no freight, no waste and no investees."""
    subjects = {item.where.subject for item in answer([GOODS]).findings if item.code == "fact.not-applicable"}
    assert "freight" not in subjects
    assert "investee_emission" not in subjects


def test_an_unknown_exclusion_is_an_error_with_a_hint() -> None:
    finding = one(
        answer([GOODS], exclusions={"ghg_protocol_corporate": {"franchise": "none"}}),
        "account.exclusion-unknown",
    )
    assert finding.values["name"] == "franchise"
    assert "franchises" in finding.says("en")


def test_an_option_that_rules_a_total_out_is_told() -> None:
    finding = one(answer([GOODS], options={"scope_3": "omitted"}), "account.ruled-out")
    assert "scope_3=omitted" in finding.says("en")
    assert "Scope 3" in finding.says("en")


def test_exclusions_are_read_from_the_plant_file(tmp_path: Path) -> None:
    text = PLANT + "accounts:\n  ghg_protocol_corporate:\n    exclusions: {franchises: none of ours}\n"
    (tmp_path / "plant.yaml").write_text(text, "utf-8")
    plant, findings = read_plant(tmp_path / "plant.yaml")
    assert [str(item) for item in findings if item.severity == "error"] == []
    assert plant is not None
    assert plant.exclusions == (("ghg_protocol_corporate", (("franchises", "none of ours"),)),)
    assert plant.options == ()
    assert plant_from_json(plant_to_json(plant)) == plant


def test_a_category_holds_its_own_rows_alone_and_the_trace_shows_them() -> None:
    facts = [
        GOODS,
        {**GOODS, "partner": "other", "value": 4},
        {**REPORTED, "purpose": "franchises", "value": 90},
    ]
    assert answer(facts, wanted=("purchased_goods_and_services",)).rows[0].value == 14
    case = Case("", "", {}, {"period": "2024", "facts": facts, "expect": [{"quantity": "scope_3"}]})
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        request = type(request)(request.period, options={"scope_3": "reported"})
        trace = explain(con, BOOK, plant, request, "purchased_goods_and_services", {})
    (whole,) = [node for node in trace.root.children if node.quantity == "purchased_goods_and_services"]
    assert sorted((node.where["partner"], node.value) for node in whole.children) == [
        ("mill", 10.0),
        ("other", 4.0),
    ]


def test_a_filter_tests_keys_of_its_rows(tmp_path: Path) -> None:
    bad = CHAPTER.replace(
        'total(carrier_emission, over="carrier")',
        'total(carrier_emission, over="carrier", when=key("gas") == "x")',
    )
    bad = bad.replace("document, sum_of, total", "document, key, sum_of, total")
    book = load_rulebook(write_book(tmp_path / "b", chapter=bad))
    found = [item.says("en") for item in check_rulebook(book) if item.code == "rule.grain"]
    assert found == ["The rows of emission: total(when=…) tests gas, which is no key of its rows."]


@pytest.mark.parametrize(("kept", "value"), [("diesel", 31.0), ("coke", None)])
def test_a_filter_that_keeps_nothing_leaves_nothing(tmp_path: Path, kept: str, value: float | None) -> None:
    chapter = CHAPTER.replace(
        'total(carrier_emission, over="carrier")',
        f'total(carrier_emission, over="carrier", when=key("carrier") == "{kept}")',
    ).replace("document, sum_of, total", "document, key, sum_of, total")
    book = load_rulebook(write_book(tmp_path / "b", chapter=chapter))
    facts = [{"quantity": "fuel", "carrier": "diesel", "value": 10, "unit": "t"}]
    result = answer(facts, book=book, wanted=("emission",), period="2022-03", options={})
    assert [row.value for row in result.rows] == ([value] if value is not None else [])

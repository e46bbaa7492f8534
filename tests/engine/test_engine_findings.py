"""What the engine tells: gaps, carried and unchecked factors, absent facts, editions, wrong names and units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from celadon.core.findings import FindingError
from celadon.core.text import same
from celadon.engine.explain import explain
from celadon.engine.run import Result, run
from celadon.rules.rulebook import load_rulebook
from celadon.testing import Case, case_facts, case_plant, case_request
from tests.rules.books import ABOUT, CHAPTER, QUANTITIES, TABLE, write_book

RATIO = (
    CHAPTER
    + '''

@eq1.rule(unit="tCO2", per="site, month, carrier", adds=False, label={"zh": "比率", "en": "Ratio"})
def ratio(fuel, factor):
    """No ratio at all, but computed anew at the asked grain."""
    return fuel * factor
'''
)
DIESEL = {"quantity": "fuel", "carrier": "diesel", "value": 10, "unit": "t"}


def ask(folder: Path, facts: list[dict[str, Any]], **body: Any) -> Result:
    whole = {
        "period": "2021-03",
        "expect": [{"quantity": "emission"}],
        "vouched": {"by": "constructed"},
        "facts": facts,
        **body,
    }
    case = Case("x", "", {}, whole)
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        return run(con, load_rulebook(folder), plant, request)


def only(result: Result, code: str) -> Any:
    found = [finding for finding in result.findings if finding.code == code]
    assert len(found) == 1, [str(finding) for finding in result.findings]
    return found[0]


def test_value_and_clean(tmp_path: Path) -> None:
    result = ask(write_book(tmp_path / "b"), [DIESEL])
    assert result.value("emission") == 31.0
    assert [finding.code for finding in result.findings] == []


def test_a_gap_is_told_and_stays_absent(tmp_path: Path) -> None:
    result = ask(write_book(tmp_path / "b"), [DIESEL, {**DIESEL, "carrier": "raw_coal"}])
    row = result.rows_of("emission")[0]
    assert (row.value, row.coverage) == (31.0, 0.5)
    assert only(result, "factor.gap").to_json()["values"]["key"] == "raw_coal"


def test_no_row_at_all_is_a_gap(tmp_path: Path) -> None:
    result = ask(write_book(tmp_path / "b"), [{**DIESEL, "carrier": "coke"}])
    assert result.value("emission") is None
    assert only(result, "factor.gap").to_json()["values"]["key"] == "coke"


def test_an_earlier_row_is_carried_only_where_the_rulebook_says_so(tmp_path: Path) -> None:
    quantities = QUANTITIES.replace("clause: S-1 A", "clause: S-1 A, on_gap: latest_earlier")
    table = TABLE.replace("2023-01-01,,", "2023-01-01,2023-12-31,").replace("recalled", "verified1")
    about = ABOUT.replace("2024-12-31", "2030-12-31")
    carried = ask(
        write_book(tmp_path / "a", about=about, quantities=quantities, table=table),
        [DIESEL],
        period="2024-05",
    )
    assert carried.value("emission") == 32.0
    assert only(carried, "factor.carried-forward").values["span"] == 2024
    strict = ask(write_book(tmp_path / "b", about=about, table=table), [DIESEL], period="2024-05")
    assert strict.value("emission") is None
    assert only(strict, "factor.gap").values["span"] == "2024-05"


def test_a_recalled_factor_is_marked(tmp_path: Path) -> None:
    result = ask(write_book(tmp_path / "b"), [DIESEL], period="2023-05")
    assert result.rows_of("emission")[0].recalled == 1.0
    told = only(result, "factor.unchecked")
    assert told.where.line == 3
    label = told.values["what"].en
    assert told.says("en") == f"{label} = 3.2 kgCO2/kg is recalled, not checked against Notice 2."
    assert label.endswith(" for diesel")


def test_a_factor_in_another_kind_of_unit(tmp_path: Path) -> None:
    result = ask(
        write_book(tmp_path / "b", table=TABLE.replace("diesel,3.1,kgCO2/kg", "diesel,3.1,kgCO2/kWh")),
        [DIESEL],
    )
    assert result.value("emission") is None
    assert only(result, "factor.unit").values["unit"] == "kgCO2/kWh"


def test_a_fact_in_another_kind_of_unit(tmp_path: Path) -> None:
    result = ask(write_book(tmp_path / "b"), [DIESEL, {**DIESEL, "unit": "kWh", "period": "2021-03"}])
    assert result.value("emission") == 31.0
    assert only(result, "fact.unit").values["unit"] == "kWh"


def test_absent_and_not_applicable(tmp_path: Path) -> None:
    chapter = CHAPTER.replace(
        "def carrier_emission(fuel, factor)", "def carrier_emission(fuel, factor, export)"
    ).replace("fuel * factor", "(fuel - export) * factor")
    folder = write_book(tmp_path / "b", chapter=chapter)
    none = ask(folder, [DIESEL])
    assert none.value("emission") == 31.0
    assert only(none, "fact.not-applicable").clause == same("S-1 3")
    due = ask(folder, [DIESEL, {"quantity": "export", "carrier": "diesel", "value": None, "unit": "t"}])
    assert due.value("emission") is None
    nothing = ask(folder, [])
    assert nothing.rows == ()
    assert only(nothing, "fact.absent").values["name"] == "fuel"


def test_editions_in_time(tmp_path: Path) -> None:
    folder = write_book(tmp_path / "b")
    assert only(ask(folder, [DIESEL], period="2025-02"), "rulebook.not-in-force").where.period == "2025-02"
    early = ask(folder, [DIESEL], period="2019-02")
    assert only(early, "rulebook.before-in-force").values["document"] == same("S-1")
    codes = [finding.code for finding in ask(folder, [DIESEL], period="2024-12").findings]
    assert "rulebook.not-in-force" not in codes


def test_two_rules_or_none(tmp_path: Path) -> None:
    second = '''

@eq1.rule(unit="tCO2", per="site, month, carrier", when=key("carrier").isin({}), label={{"zh": "甲", "en": "a"}})
def carrier_emission(fuel, factor):
    """The exception."""
    return fuel * factor * 2
'''
    first = CHAPTER.replace("import document", "import document, key").replace(
        'carrier", label={"zh": "分', 'carrier", when=key("carrier").isin({}), label={"zh": "分'
    )
    both = first.replace("{}", '"diesel"') + second.format('"diesel", "coke"')
    result = ask(write_book(tmp_path / "a", chapter=both), [DIESEL])
    assert only(result, "rule.two-apply").values["count"] == 1
    neither = first.replace("{}", '"lpg"') + second.format('"coke"')
    result = ask(write_book(tmp_path / "b", chapter=neither), [DIESEL])
    assert only(result, "rule.none-applies").values["count"] == 1
    excepted = CHAPTER.replace("import document", "import document, key") + second.format('"diesel"').replace(
        "label=", 'exception_to="S-1 1 eq.(1)", label='
    )
    result = ask(write_book(tmp_path / "c", chapter=excepted), [DIESEL])
    assert result.value("emission") == 62.0
    assert [finding.code for finding in result.findings] == []


def test_a_ratio_over_a_factor_that_changes(tmp_path: Path) -> None:
    folder = write_book(tmp_path / "b", chapter=RATIO, table=TABLE.replace("recalled", "verified1"))
    facts = [{**DIESEL, "period": "2022-05"}, {**DIESEL, "period": "2023-05"}]
    whole = ask(folder, facts, period="2022-01..2023-12", expect=[{"quantity": "ratio"}])
    assert [row.value for row in whole.rows] == [None]
    told = only(whole, "factor.varies")
    assert (told.values["name"], told.values["ask"]) == ("factor", "--per year")
    assert "changes within 2022-01-01..2023-12-31" in told.says("en")
    years = ask(folder, facts, period="2022-01..2023-12", per="year", expect=[{"quantity": "ratio"}])
    assert sorted((row.label, row.value) for row in years.rows) == [("2022", 31.0), ("2023", 32.0)]
    assert not [finding for finding in years.findings if finding.code == "factor.varies"]
    months = ask(folder, facts, period="2022-01..2023-12", per="month", expect=[{"quantity": "ratio"}])
    assert sorted(row.value or 0.0 for row in months.rows) == [31.0, 32.0]


def test_a_ratio_per_year_where_a_factor_changes_within_one(tmp_path: Path) -> None:
    """Each year has its own factor; the year in which it changes has none, and it is said how to ask."""
    table = (
        TABLE.replace("recalled", "verified1")
        .replace("2022-12-31", "2023-06-30")
        .replace("2023-01-01", "2023-07-01")
    )
    folder = write_book(tmp_path / "b", chapter=RATIO, table=table)
    facts = [{**DIESEL, "period": f"{year}-05"} for year in (2022, 2023, 2024)]
    years = ask(folder, facts, period="2022-01..2024-12", per="year", expect=[{"quantity": "ratio"}])
    assert [row.value for row in years.rows] == [None, None, None]
    told = only(years, "factor.varies")
    assert told.values["ask"] == "--per month"
    assert "a year of 2022-01-01..2024-12-31" in told.says("en")
    assert "2022-01-01..2024-12-31 的一年" in told.says("zh")
    whole = ask(folder, facts, period="2022-01..2024-12", expect=[{"quantity": "ratio"}])
    assert only(whole, "factor.varies").values["ask"] == "--per month"


def test_a_ratio_per_year_is_explained_with_its_own_year_s_factor(tmp_path: Path) -> None:
    """20 t at 3.1 in 2022 and at 3.2 in 2023, in a period that begins and ends inside a year."""
    folder = write_book(tmp_path / "b", chapter=RATIO, table=TABLE.replace("recalled", "verified1"))
    facts = [{**DIESEL, "period": month} for month in ("2022-05", "2022-06", "2023-05", "2023-06")]
    body = {"period": "2022-03..2023-10", "per": "year", "expect": [{"quantity": "ratio"}], "facts": facts}
    case = Case("x", "", {}, {**body, "vouched": {"by": "constructed"}})
    plant, request = case_plant(case), case_request(case)
    book = load_rulebook(folder)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        rows = sorted(run(con, book, plant, request).rows, key=lambda row: row.label)
        starts = [str(row.start.replace(tzinfo=None)) for row in rows]
        traces = [explain(con, book, plant, request, "ratio", {"time_start": start}) for start in starts]
    assert [(row.label, row.value) for row in rows] == [
        ("2022-03-01..2022-12-31", 62.0),
        ("2023-01-01..2023-10-31", 64.0),
    ]
    assert [[(node.quantity, node.value) for node in trace.root.children] for trace in traces] == [
        [("fuel", 20.0), ("factor", 3.1)],
        [("fuel", 20.0), ("factor", 3.2)],
    ]


def test_rows_that_cannot_meet(tmp_path: Path) -> None:
    quantities = QUANTITIES.replace(
        "factors:\n",
        '  output: {label: {zh: 产量, en: Output}, unit: t, grain: "site, month, product"}\nfactors:\n',
    )
    chapter = (
        CHAPTER
        + '''

@eq1.rule(unit="tCO2·t", per="site, month, carrier, product", label={"zh": "交叉", "en": "Cross"})
def crossed(carrier_emission, output):
    """Two inputs whose rows have nothing to meet on."""
    return carrier_emission * output
'''
    )
    folder = write_book(tmp_path / "b", quantities=quantities, chapter=chapter)
    with pytest.raises(FindingError) as caught:
        ask(
            folder,
            [DIESEL, {"quantity": "output", "product": "bar", "value": 1, "unit": "t"}],
            expect=[{"quantity": "crossed"}],
        )
    assert caught.value.findings[0].code == "rule.rows-apart"


@pytest.mark.parametrize(
    ("body", "code", "hint"),
    [
        ({"options": {"basys": "net"}}, "account.option", "did you mean “basis”"),
        ({"options": {"basis": "nett"}}, "account.option", "did you mean “net”"),
        ({"expect": [{"quantity": "emision"}]}, "account.quantity", "did you mean “emission”"),
    ],
)
def test_wrong_words(tmp_path: Path, body: dict[str, Any], code: str, hint: str) -> None:
    with pytest.raises(FindingError) as caught:
        ask(write_book(tmp_path / "b"), [DIESEL], **body)
    assert caught.value.findings[0].code == code
    assert hint in caught.value.findings[0].says("en")


def test_own_factor_wins_and_an_unknown_one_is_told(tmp_path: Path) -> None:
    folder = write_book(tmp_path / "b")
    own = [{"factor": "factor", "value": 3.0, "unit": "tCO2/t", "carrier": "diesel"}]
    assert ask(folder, [DIESEL], factors=own).value("emission") == 30.0
    from dataclasses import replace

    case = Case(
        "x",
        "",
        {},
        {
            "period": "2021-03",
            "expect": [{"quantity": "emission"}],
            "vouched": {"by": "c"},
            "facts": [DIESEL],
        },
    )
    plant, request = case_plant(case), case_request(case)
    entry = case_plant(
        Case("x", "", {}, {"period": "2021-03", "factors": [{"factor": "facter", "value": 1, "unit": "1"}]})
    ).factors[0]
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        result = run(
            con, load_rulebook(folder), replace(plant, factors=(replace(entry, rulebook="small"),)), request
        )
    assert only(result, "factor.entry-unknown").values["name"] == "facter"


def test_factors_published_later_are_unseen(tmp_path: Path) -> None:
    folder = write_book(tmp_path / "b")
    assert ask(folder, [DIESEL], factors_as_of="2020-01-01").value("emission") is None
    assert ask(folder, [DIESEL], factors_as_of="2020-06-01").value("emission") == 31.0


def test_explain_refuses_what_is_not_there(tmp_path: Path) -> None:
    book = load_rulebook(write_book(tmp_path / "b"))
    facts = [DIESEL, {**DIESEL, "carrier": "coke"}]
    case = Case(
        "x",
        "",
        {},
        {"period": "2021-03", "expect": [{"quantity": "emission"}], "vouched": {"by": "c"}, "facts": facts},
    )
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        with pytest.raises(FindingError) as caught:
            explain(con, book, plant, request, "emission", {"site": "elsewhere"})
        assert caught.value.findings[0].code == "explain.no-such-cell"
        trace = explain(con, book, plant, request, "carrier_emission", {"carrier": "diesel"})
    assert (trace.root.value, trace.root.formula) == (31.0, "fuel * factor")


def test_explain_names_the_cells_it_cannot_add(tmp_path: Path) -> None:
    chapter = CHAPTER.replace(
        'per="site, month, carrier", label', 'per="site, month, carrier", adds=False, label'
    )
    book = load_rulebook(write_book(tmp_path / "b", chapter=chapter))
    facts = [DIESEL, {**DIESEL, "carrier": "coke"}]
    case = Case(
        "x",
        "",
        {},
        {"period": "2021-03", "expect": [{"quantity": "emission"}], "vouched": {"by": "c"}, "facts": facts},
    )
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        with pytest.raises(FindingError) as caught:
            explain(con, book, plant, request, "carrier_emission", {})
    assert caught.value.findings[0].code == "explain.which"
    assert caught.value.findings[0].values["count"] == 2


def test_the_next_in_order_stands_in_and_is_told(tmp_path: Path) -> None:
    spare = (
        "  spare: {label: {zh: 备用, en: Spare}, unit: tCO2/carrier_unit, table: factors, column: spare, "
        "keys: {carrier: carrier}, clause: S-1 B}\n"
    )
    quantities = QUANTITIES.replace("clause: S-1 A", "clause: S-1 A, on_gap: next") + spare
    table = (
        "carrier,value,spare,unit,valid_from,valid_to,source,clause,confidence\n"
        "coke,,2.5,kgCO2/kg,2020-01-01,,Notice 1,A.1,verified1\n"
    )
    chapter = (
        CHAPTER.replace("import document", "import document, first_given")
        .replace("(fuel, factor)", "(fuel, factor, spare)")
        .replace("fuel * factor", "fuel * first_given(factor, spare)")
    )
    folder = write_book(tmp_path / "b", quantities=quantities, chapter=chapter, table=table)
    result = ask(folder, [{**DIESEL, "carrier": "coke"}])
    row = result.rows_of("emission")[0]
    assert (row.value, row.defaulted) == (25.0, 1.0)
    assert only(result, "factor.replaced").to_json()["values"]["key"] == "coke"


def test_a_ratio_per_year(tmp_path: Path) -> None:
    chapter = (
        CHAPTER
        + '''

@eq1.rule(unit="tCO2/carrier_unit", per="site, month, carrier", adds=False, label={"zh": "强度", "en": "Intensity"})
def intensity(carrier_emission, fuel):
    """Emission over amount."""
    return carrier_emission / fuel
'''
    )
    folder = write_book(tmp_path / "b", chapter=chapter, table=TABLE.replace("recalled", "verified1"))
    facts = [
        {**DIESEL, "period": "2022-05"},
        {**DIESEL, "period": "2023-05"},
        {**DIESEL, "period": "2023-06", "value": 30},
    ]
    result = ask(folder, facts, period="2022-01..2023-12", per="year", expect=[{"quantity": "intensity"}])
    assert [(row.label, row.value) for row in result.rows] == [("2022", 3.1), ("2023", 3.2)]


def test_absent_data_are_no_gap_of_the_factor(tmp_path: Path) -> None:
    facts = [{**DIESEL, "carrier": "coke", "value": None}]
    result = ask(write_book(tmp_path / "b"), facts)
    assert result.value("emission") is None
    assert [finding.code for finding in result.findings] == []

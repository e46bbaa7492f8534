"""A rulebook that builds on another has all it has, and replaces what it names anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from celadon.core.findings import FindingError, Findings
from celadon.core.text import same
from celadon.engine.run import Result, run
from celadon.rules.check import check_rulebook
from celadon.rules.factors import read_table
from celadon.rules.rulebook import Rulebook, load_rulebook
from celadon.testing import Case, case_facts, case_plant, case_request
from tests.rules.books import ABOUT, TABLE, write_book

UPPER_ABOUT = """
id: upper
edition: "2"
builds_on: [../base]
documents: [{number: U-1, title: {zh: 上层标准, en: Upper standard}, since: 2022-01-01}]
scope: {zh: 测试, en: a test}
totals: [emission_with_levy]
not_modelled: [{clause: U-1 9, what: {zh: 甲, en: alpha}, why: {zh: 乙, en: beta}}]
"""
UPPER_QUANTITIES = """
facts:
  levy: {label: {zh: 附加, en: Levy}, unit: tCO2, grain: "site, month", on_missing: not_applicable, clause: U-1 2}
"""
UPPER_CHAPTER = '''"""Chapter 2."""

from celadon.rules import document, sum_of

upper = document("U-1")
base = document("S-1")
eq2 = upper.clause("2", "the base standard's emission and a levy")


@eq2.rule(unit="tCO2", per="site, month", label={"zh": "含附加", "en": "With levy"})
def emission_with_levy(emission, levy):
    """Both."""
    return sum_of(emission, levy)
'''
FACTS = [
    {"quantity": "fuel", "carrier": "diesel", "value": 10, "unit": "t"},
    {"quantity": "levy", "value": 2, "unit": "tCO2"},
]


def build(
    tmp_path: Path,
    *,
    quantities: str = UPPER_QUANTITIES,
    chapter: str = UPPER_CHAPTER,
    table: str | None = None,
) -> Rulebook:
    write_book(tmp_path / "base")
    folder = write_book(
        tmp_path / "upper", about=UPPER_ABOUT, quantities=quantities, chapter=chapter, table=table
    )
    return load_rulebook(folder)


def answer(book: Rulebook, *wanted: str, **more: object) -> Result:
    expect = [{"quantity": name} for name in wanted]
    case = Case("made here", "", {}, {"period": "2022-03", "facts": FACTS, "expect": expect, **more})
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        return run(con, book, plant, request)


def test_it_has_what_the_base_has(tmp_path: Path) -> None:
    book = build(tmp_path)
    assert [str(finding) for finding in check_rulebook(book)] == []
    assert (book.id, book.document.number, book.ids) == ("upper", "U-1", ("upper", "small"))
    assert [item.number for item in book.documents] == ["U-1", "S-1"]
    assert list(book.rules) == ["carrier_emission", "emission", "emission_with_levy"]
    assert list(book.options) == ["basis"]
    assert [item.clause for item in book.not_modelled] == [same("U-1 9")]
    assert (book.inherits("emission"), book.inherits("factors"), book.inherits("levy")) == (True, True, False)
    assert book.table_file("factors") == "base/tables/factors.csv"


def test_it_answers_with_the_rules_of_both(tmp_path: Path) -> None:
    result = answer(build(tmp_path), "emission_with_levy", "emission")
    assert result.value("emission") == 31  # 10 t × 3.1
    assert result.value("emission_with_levy") == 33


@pytest.mark.parametrize(("rulebook", "emission"), [("small", 40), ("upper", 40), ("another", 31)])
def test_a_factor_declared_for_the_base_holds_here_too(
    tmp_path: Path, rulebook: str, emission: float
) -> None:
    book = build(tmp_path)
    own = [{"factor": "factor", "carrier": "diesel", "value": 4, "unit": "kgCO2/kg"}]
    case = Case("", "", {}, {"period": "2022-03", "facts": FACTS, "expect": [], "factors": own})
    plant, request = case_plant(case), case_request(case)
    plant = replace(plant, factors=tuple(replace(entry, rulebook=rulebook) for entry in plant.factors))
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        assert run(con, book, plant, replace(request, wanted=("emission",))).value("emission") == emission


def test_its_own_table_rule_and_factor_stand_in_for_the_bases(tmp_path: Path) -> None:
    again = (
        UPPER_CHAPTER
        + '''

@eq2.rule(unit="tCO2", per="site, month, carrier", label={"zh": "两倍", "en": "Twice"})
def carrier_emission(fuel, factor):
    """Twice the base's."""
    return fuel * factor * 2
'''
    )
    quantities = (
        UPPER_QUANTITIES
        + """
factors:
  factor: {label: {zh: 因子, en: Factor}, unit: tCO2/carrier_unit, table: factors, column: value, keys: {carrier: carrier}, clause: U-1 A}
"""
    )
    book = build(tmp_path, chapter=again, quantities=quantities, table=TABLE.replace("3.1", "5"))
    assert answer(book, "emission").value("emission") == 100  # 10 t × 5 × 2
    assert book.table_file("factors") == "upper/tables/factors.csv"
    assert not book.inherits("carrier_emission")


def test_what_a_base_changes_is_another_rulebook(tmp_path: Path) -> None:
    book = build(tmp_path)
    assert book.current_digest() == book.digest
    (tmp_path / "base" / "tables" / "factors.csv").write_text(TABLE.replace("3.1", "3.3"), "utf-8")
    assert book.current_digest() != book.digest
    assert load_rulebook(tmp_path / "upper").digest == book.current_digest()


def test_findings_of_the_base_are_told(tmp_path: Path) -> None:
    write_book(tmp_path / "base", about=ABOUT + "colour: red\n")
    folder = write_book(
        tmp_path / "upper", about=UPPER_ABOUT, quantities=UPPER_QUANTITIES, chapter=UPPER_CHAPTER, table=None
    )
    assert [finding.code for finding in load_rulebook(folder).findings] == ["rulebook.key"]


def test_building_on_itself_is_refused(tmp_path: Path) -> None:
    write_book(tmp_path / "base", about=ABOUT + "builds_on: [../upper]\n")
    folder = write_book(
        tmp_path / "upper", about=UPPER_ABOUT, quantities=UPPER_QUANTITIES, chapter=UPPER_CHAPTER, table=None
    )
    with pytest.raises(FindingError) as raised:
        load_rulebook(folder)
    (finding,) = raised.value.findings
    assert (finding.code, finding.values["path"]) == ("rulebook.builds-on", "upper → base → upper")


def test_an_unknown_base_is_refused(tmp_path: Path) -> None:
    folder = write_book(tmp_path / "b", about=ABOUT + "builds_on: [eu_cbamm]\n")
    with pytest.raises(FindingError) as raised:
        load_rulebook(folder)
    assert raised.value.findings[0].code == "rulebook.unknown"
    assert "eu_cbam" in raised.value.findings[0].says("en")


def test_a_listing_loads_what_several_build_on_once(tmp_path: Path) -> None:
    """Within one listing only: the next one reads the files anew."""
    build(tmp_path)
    known: dict[Path, Rulebook] = {}
    base = load_rulebook(tmp_path / "base", known=known)
    upper = load_rulebook(tmp_path / "upper", known=known)
    assert upper.builds_on == (base,)
    assert upper.builds_on[0] is base
    assert load_rulebook(tmp_path / "upper").builds_on[0] is not base


def test_equal_tables_share_rows_and_each_tells_its_own_file() -> None:
    text = TABLE.replace("2020-01-01", "2020-13-01", 1)
    told = []
    for file in ("one/factors.csv", "two/factors.csv"):
        findings = Findings()
        told.append((read_table("factors", text, file, findings), list(findings)))
    (one, said), (two, said_too) = told
    assert one.rows is two.rows
    assert (one.file, two.file) == ("one/factors.csv", "two/factors.csv")
    assert [item.where.file for item in (*said, *said_too)] == ["one/factors.csv", "two/factors.csv"]
    assert [item.code for item in said] == ["factor-table.value"]

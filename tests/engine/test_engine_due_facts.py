"""Facts that are due only where something else is declared; what stands in for facts nobody declared."""

from __future__ import annotations

from pathlib import Path

from celadon.rules.rulebook import SHIPPED
from tests.engine.test_engine_findings import DIESEL, ask, only
from tests.rules.books import CHAPTER, QUANTITIES, TABLE, write_book

FACTS = """
  burnt: {label: {zh: 燃烧, en: Burnt}, unit: t, grain: "site, month", on_missing: not_applicable, clause: S-1 4}
  content: {label: {zh: 含量, en: Content}, unit: "1", grain: "site, month", adds: false, clause: S-1 4}
  other_content: {label: {zh: 另一含量, en: Other content}, unit: "1", grain: "site, month", adds: false, clause: S-1 4}
"""
MORE = '''

@eq1.rule(unit="tCO2", per="site, month", label={"zh": "过程", "en": "Process"})
def process(burnt, content, other_content):
    """Two contents, each with its ratio."""
    return burnt * (content * constant("44/56", unit="tCO2/t") + other_content * constant("44/40", unit="tCO2/t"))


@eq1.rule(unit="tCO2", per="site, month", label={"zh": "总", "en": "All"})
def everything(emission, process):
    """Both."""
    return sum_of(emission, process)
'''
BURNT = {"quantity": "burnt", "value": 56, "unit": "t"}
EVERYTHING = [{"quantity": "everything"}]


def two_parts(folder: Path) -> Path:
    chapter = CHAPTER.replace("import document", "import constant, document") + MORE
    return write_book(
        folder, chapter=chapter, quantities=QUANTITIES.replace("factors:", FACTS.strip("\n") + "\nfactors:")
    )


def test_contents_are_not_due_where_nothing_was_burnt(tmp_path: Path) -> None:
    result = ask(two_parts(tmp_path / "b"), [DIESEL], expect=EVERYTHING)
    assert result.value("everything") == 31.0
    assert "fact.absent" not in {finding.code for finding in result.findings}


def test_contents_are_due_where_something_was_and_half_of_them_is_no_sum(tmp_path: Path) -> None:
    folder = two_parts(tmp_path / "b")
    half = [DIESEL, BURNT, {"quantity": "content", "value": 0.5, "unit": "1"}]
    result = ask(folder, half, expect=[{"quantity": "process"}])
    assert result.value("process") is None
    assert only(result, "fact.absent").where.subject == "other_content"
    whole = ask(
        folder,
        [*half, {"quantity": "other_content", "value": 0.1, "unit": "1"}],
        expect=[{"quantity": "process"}],
    )
    assert whole.value("process") == 56 * (0.5 * 44 / 56 + 0.1 * 44 / 40)


def test_a_recalled_default_is_told_where_the_measured_value_was_never_declared(tmp_path: Path) -> None:
    quantities = QUANTITIES.replace(
        "factors:",
        "  measured: {label: {zh: 实测, en: Measured}, unit: tCO2/carrier_unit, grain: 'site, month, carrier', adds: false, "
        "on_missing: not_applicable, clause: S-1 5}\nfactors:",
    )
    chapter = (
        CHAPTER.replace("import document", "import document, first_given")
        .replace("(fuel, factor)", "(fuel, measured, factor)")
        .replace("fuel * factor", "fuel * first_given(measured, factor)")
    )
    folder = write_book(tmp_path / "b", quantities=quantities, chapter=chapter, table=TABLE)
    assert only(ask(folder, [DIESEL], period="2023-05"), "factor.unchecked").where.line == 3
    own = {"quantity": "measured", "carrier": "diesel", "value": 3, "unit": "tCO2/t"}
    result = ask(folder, [DIESEL, own], period="2023-05")
    assert result.value("emission") == 30.0
    assert "factor.unchecked" not in {finding.code for finding in result.findings}


def test_an_edition_that_ended_the_day_before_the_period_asks_for_nothing() -> None:
    """The plan to 2022-12-31 counts electricity supplied; in China 2023 begins when it is still 2022 in UTC."""
    emission = {"quantity": "verified_unit_emission", "generating_unit": "U1", "purpose": "coal_above_300"}
    facts = [{**emission, "value": 300000, "unit": "tCO2e"}]
    for year, due in (
        ("2022", {"electricity_generated", "generation_at_rated_capacity", "electricity_supplied"}),
        ("2023", {"electricity_generated", "generation_at_rated_capacity"}),
    ):
        result = ask(
            SHIPPED / "cn_national_ets", facts, period=year, expect=[{"quantity": "allowance_position"}]
        )
        assert {f.where.subject for f in result.findings if f.code == "fact.absent"} == due
        assert result.value("allowance_position") is None

"""Facts that are due only where something else is declared; what stands in for facts nobody declared."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

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


def test_a_total_without_a_fact_that_nobody_declared_is_not_covered(tmp_path: Path) -> None:
    """`emission` needs `fuel`, which is due: without it half of what is due is there, whatever else the sum may lack."""
    burnt = [BURNT, {"quantity": "content", "value": 1, "unit": "1"}, {"quantity": "other_content", "value": 0, "unit": "1"}]  # fmt: skip
    result = ask(two_parts(tmp_path / "b"), burnt, expect=EVERYTHING)
    [row] = result.rows
    assert (row.value, row.coverage) == (44.0, 0.5)
    assert only(result, "fact.absent").where.subject == "fuel"
    [whole] = ask(two_parts(tmp_path / "c"), [DIESEL, *burnt], expect=EVERYTHING).rows
    assert (whole.value, whole.coverage) == (75.0, 1.0)
    [other] = ask(two_parts(tmp_path / "d"), [DIESEL], expect=EVERYTHING).rows  # nothing burnt: none is due
    assert (other.value, other.coverage) == (31.0, 1.0)


def test_what_is_owed_and_nowhere_declared_is_no_zero_in_a_difference(tmp_path: Path) -> None:
    """A − B without B's fact is absent; without a fact that the clause lets a plant lack it is A."""
    less = MORE.replace("sum_of(emission, process)", "process - emission")
    folder = two_parts(tmp_path / "b")
    chapter = next(folder.glob("s*.py"))
    chapter.write_text(chapter.read_text(encoding="utf-8").replace(MORE, less), encoding="utf-8")
    burnt = [BURNT, {"quantity": "content", "value": 1, "unit": "1"}, {"quantity": "other_content", "value": 0, "unit": "1"}]  # fmt: skip
    [row] = ask(folder, burnt, expect=EVERYTHING).rows
    assert (row.value, row.coverage) == (None, 0.0)
    [row] = ask(folder, [DIESEL], expect=EVERYTHING).rows
    assert (row.value, row.coverage) == (-31.0, 1.0)


ELECTRICITY = {"quantity": "energy_purchased", "carrier": "electricity", "value": 1000, "unit": "MWh"}
COVERED = {
    "cn_gbt_32151_10_2015_chemicals": 1 / 3,
    "cn_gbt_32151_13_2023_coking": 1 / 3,
    "cn_gbt_32151_1_2015_power": 1 / 2,
    "cn_gbt_32151_4_2015_aluminium": 1 / 2,
    "cn_gbt_32151_5_2015_iron_steel": 1 / 2,
    "cn_ipcc_2006_lime": 1 / 2,
    "cn_ndrc_2013_cement": 1 / 2,
    "cn_ndrc_2013_ceramics": 1 / 2,
    "cn_ndrc_2013_flat_glass": 1 / 2,
    "cn_ndrc_2013_magnesium": 1 / 2,
    "cn_ndrc_2014_petrochemicals": 1 / 2,
    "cn_ndrc_2015_machinery_other": 1 / 2,
    "cn_ndrc_2015_paper": 1 / 2,
}
"""Of a plant that declares its purchases and no fuel: two terms are due in the total, one is there; with a balance of carbon three."""


@pytest.mark.parametrize("name", sorted(COVERED))
def test_a_sector_total_without_its_fuel_is_not_covered(name: str) -> None:
    site = {"id": "S", "region": "CN-SD"}
    total = [{"quantity": "total_emission"}]
    result = ask(SHIPPED / name, [ELECTRICITY], period="2022-03", site=site, expect=total)
    [row] = result.rows
    assert row.value is not None
    assert math.isclose(row.coverage, COVERED[name], rel_tol=1e-12)
    assert "energy_consumed" in {f.where.subject for f in result.findings if f.code == "fact.absent"}


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


@pytest.mark.parametrize(
    ("purpose", "owed", "allocation"),
    [("coal_unconventional", False, 82_440), ("gas", False, 32_880), ("coal_above_300", True, None)],
)
def test_rated_capacity_is_owed_by_conventional_coal_units_only(purpose, owed, allocation):
    """2024: 100 000 MWh × 0.8244 or 0.3288 tCO2/MWh; the load correction is of conventional coal units only."""
    unit = {"generating_unit": "U1", "purpose": purpose}
    facts = [
        {"quantity": "electricity_generated", "value": 100_000, "unit": "MWh", **unit},
        {"quantity": "verified_unit_emission", "value": 81_440, "unit": "tCO2e", **unit},
    ]
    result = ask(SHIPPED / "cn_national_ets", facts, period="2024", expect=[{"quantity": "total_allocation"}])
    assert [f.where.subject for f in result.findings if f.code == "fact.absent"] == (
        ["generation_at_rated_capacity"] if owed else []
    )
    found = result.value("total_allocation")
    assert found is None if allocation is None else found == pytest.approx(allocation)

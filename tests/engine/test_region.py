"""A region's account: values by hand, groups, own factors, what is refused, and one enterprise explained."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from celadon.core.facts import Status
from celadon.core.findings import FindingError
from celadon.core.periods import Grain, parse_period
from celadon.engine.explain import explain
from celadon.engine.region import RegionResult, account_region
from celadon.engine.region_model import FactColumn, FactorColumn, Region
from celadon.engine.region_plant import region_plant
from celadon.engine.request import Request
from celadon.rules.rulebook import load_rulebook
from tests.rules.books import CHAPTER, QUANTITIES, write_book

ZONE = "Asia/Shanghai"
DIESEL = FactColumn(
    "fuel",
    "diesel",
    "",
    "t",
    "diesel",
    absent="diesel_absent",
    estimated="diesel_estimated",
    basis=Status.MEASURED,
)
EXPORT = FactColumn("export", "diesel", "", "kg", "export")
MORE = """
@eq1.rule(unit="tCO2/t", per="site, month", label={"zh": "强度", "en": "Intensity"}, adds=False)
def intensity(emission, fuel):
    \"\"\"Emission over diesel.\"\"\"
    return emission / total(fuel * constant("1", unit="t/carrier_unit"), over="carrier")


@eq1.rule(unit="1", per="site, month", label={"zh": "等级", "en": "Grade"}, adds=False)
def grade(intensity, limit):
    \"\"\"1 up to the limit, else 2.\"\"\"
    return choose((intensity <= limit, 1), (intensity > limit, 2))


@eq1.rule(unit="tCO2", per="site, month, carrier", label={"zh": "外送", "en": "Exported"})
def exported(export, factor):
    \"\"\"Amount times factor.\"\"\"
    return export * factor


@eq1.rule(unit="tCO2", per="site, month", label={"zh": "净", "en": "Net"})
def net(emission, exported):
    \"\"\"What stays; where nothing is exported, all of it.\"\"\"
    return emission - total(exported, over="carrier")
"""
LIMIT = (
    QUANTITIES
    + """
  limit: {label: {zh: 限值, en: Limit}, unit: tCO2/t, table: limits, column: value, keys: {region: site.region}, clause: S-1 B}
"""
)
LIMITS = """region,value,unit,valid_from,valid_to,published,source,clause,confidence,note
CN-SD,3.15,tCO2/t,2020-01-01,,2020-06-01,Notice 1,B,verified1,
CN-HB,3.05,tCO2/t,2020-01-01,,2020-06-01,Notice 1,B,verified1,
"""


@pytest.fixture
def con() -> Any:
    """Three enterprises over two months."""
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE registry (enterprise INTEGER, region VARCHAR, industry VARCHAR, own_limit DOUBLE)"
        )
        con.execute(
            "INSERT INTO registry VALUES (1, 'CN-SD', '3110', NULL), (2, 'CN-SD', '3110', 9.0), (3, 'CN-HB', '3110', NULL)"
        )
        con.execute(
            "CREATE TABLE facts (enterprise INTEGER, month DATE, diesel DOUBLE, diesel_absent BOOLEAN, "
            "diesel_estimated DOUBLE, export DOUBLE)"
        )
        con.execute(
            "INSERT INTO facts VALUES (1, '2022-01-01', 10, NULL, NULL, NULL), (1, '2022-02-01', 20, NULL, 5, NULL), "
            "(2, '2022-01-01', 40, NULL, NULL, 1000), (2, '2022-02-01', NULL, TRUE, NULL, 2000), "
            "(3, '2022-01-01', NULL, NULL, NULL, NULL), (3, '2022-02-01', 100, NULL, NULL, NULL), "
            "(1, '2022-03-01', 7777, NULL, NULL, NULL)"
        )
        yield con


def book(folder: Path, chapter: str = CHAPTER + MORE, quantities: str = LIMIT) -> Any:
    imports = chapter.replace(
        "import document, sum_of, total", "import choose, constant, document, key, sum_of, total"
    )
    path = write_book(folder / "book", chapter=imports, quantities=quantities)
    (path / "tables" / "limits.csv").write_text(LIMITS, encoding="utf-8")
    return load_rulebook(path)


def ask(
    con: duckdb.DuckDBPyConnection, rules: Any, wanted: tuple[str, ...], by: tuple[str, ...] = (), time: Grain | None = None,
    period: str = "2022-01..2022-02", **more: Any,
) -> RegionResult:  # fmt: skip
    factors = more.pop("factor_columns", ())
    columns = more.pop("columns", (DIESEL, EXPORT))
    region = Region("registry", "facts", columns, ZONE, factor_columns=factors)
    return account_region(
        con, rules, region, Request(parse_period(period, ZONE), time=time, wanted=wanted), by, **more
    )


def values(result: RegionResult, quantity: str) -> dict[Any, float | None]:
    return {row.group: row.value for row in result.rows if row.quantity == quantity}


def test_values_by_hand(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    # diesel 3.1 t/t: 30 t, 40 t and 100 t; exported 3 t of enterprise 2: 9.3, in January 3.1, in February 6.2
    result = ask(con, book(tmp_path), ("emission", "net", "intensity"), ("enterprise",))
    assert values(result, "emission") == pytest.approx({(1,): 93, (2,): 124, (3,): 310})
    rows = {(row.quantity, *row.group): row for row in result.rows}
    # enterprise 2: February's fuel is due and absent; 31 days of 59 are covered; net only where both are known
    assert rows["emission", 2].coverage == pytest.approx(31 / 59)
    assert rows["net", 2].value == pytest.approx(124 - 3.1)
    assert rows["net", 1].value == pytest.approx(93)
    # 5 of 30 t are estimated
    assert rows["emission", 1].quality.estimated == pytest.approx(5 / 30)
    # in January enterprise 3 reported nothing and nothing was due
    assert rows["emission", 3].coverage == 1.0
    assert rows["intensity", 2].value == pytest.approx(3.1)
    monthly = ask(con, book(tmp_path / "again"), ("emission",), ("enterprise",), Grain.MONTH)
    assert {(row.group, row.label): (row.value, row.coverage) for row in monthly.rows} == {
        ((1,), "2022-01"): (31.0, 1.0), ((1,), "2022-02"): (62.0, 1.0), ((2,), "2022-01"): (124.0, 1.0),
        ((2,), "2022-02"): (None, 0.0), ((3,), "2022-02"): (310.0, 1.0),
    }  # fmt: skip


def test_groups_and_spans(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rules = book(tmp_path)
    result = ask(con, rules, ("emission", "intensity"), ("industry", "region"))
    assert values(result, "emission") == pytest.approx({("3110", "CN-SD"): 217, ("3110", "CN-HB"): 310})
    assert values(result, "intensity") == pytest.approx({("3110", "CN-SD"): 3.1, ("3110", "CN-HB"): 3.1})
    yearly = ask(con, rules, ("emission",), (), Grain.YEAR, "2021-12..2022-12")
    assert [(row.start, row.label, row.value) for row in yearly.rows] == [
        (date(2022, 1, 1), "2022", pytest.approx(527 + 7777 * 3.1))
    ]
    monthly = ask(con, rules, ("emission",), (), Grain.MONTH)
    assert [(row.label, row.value) for row in sorted(monthly.rows, key=lambda row: row.start)] == [
        ("2022-01", pytest.approx(155)), ("2022-02", pytest.approx(372)),
    ]  # fmt: skip


def test_a_regional_factor_grades_each_enterprise_and_no_group_across_regions(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rules = book(tmp_path)
    each = ask(con, rules, ("grade",), ("enterprise",))
    assert values(each, "grade") == {(1,): 1.0, (2,): 1.0, (3,): 2.0}
    assert values(ask(con, rules, ("grade",), ("region",)), "grade") == {("CN-SD",): 1.0, ("CN-HB",): 2.0}
    mixed = ask(con, rules, ("grade",), ("industry",))
    assert values(mixed, "grade") == {("3110",): None}
    found = [one for one in mixed.findings if one.code == "region.factor-varies"]
    assert [(one.values["rule"], one.values["name"]) for one in found] == [("grade", "limit")]


def test_a_limit_that_changes_between_years_grades_each_year_by_its_own(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Intensity 3.1 against 3.15 in 2021 and 3.05 in 2022; over both years there is no one limit, and it is said how to ask."""
    rules = book(tmp_path)
    first = "CN-SD,3.15,tCO2/t,2020-01-01,2021-12-31,2020-06-01,Notice 1,B,verified1,\n"
    later = "CN-SD,3.05,tCO2/t,2022-01-01,,2021-06-01,Notice 2,B,verified1,\n"
    header = LIMITS.splitlines(keepends=True)[0]
    (rules.folder / "tables" / "limits.csv").write_text(header + first + later, encoding="utf-8")
    rules = load_rulebook(rules.folder)
    con.execute("INSERT INTO facts VALUES (1, '2021-05-01', 10, NULL, NULL, NULL)")
    each = ask(con, rules, ("grade",), ("enterprise",), Grain.YEAR, "2021-01..2022-12")
    assert {(row.group, row.label): row.value for row in each.rows if row.group == (1,)} == {
        ((1,), "2021"): 1.0,
        ((1,), "2022"): 2.0,
    }
    assert not [one for one in each.findings if one.code == "factor.varies"]
    whole = ask(con, rules, ("grade",), ("enterprise",), None, "2021-01..2022-12")
    assert values(whole, "grade")[(1,)] is None
    assert [one.values["ask"] for one in whole.findings if one.code == "factor.varies"] == ["--per year"]


def test_own_factors_from_the_registry_go_first(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    # enterprise 3 would be above the limit of its region, were its own not 9 t/t, as is 2's
    con.execute("UPDATE registry SET own_limit = 9 WHERE enterprise = 3")
    own = (FactorColumn("limit", "own_limit", "kgCO2/kg"),)
    each = ask(con, book(tmp_path), ("grade",), ("enterprise",), factor_columns=own)
    assert values(each, "grade") == {(1,): 1.0, (2,): 1.0, (3,): 1.0}


def test_kept_as_a_table(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    result = ask(con, book(tmp_path), ("emission",), ("enterprise",), into="answers")
    assert result.rows == ()
    column = result.columns[0]
    assert (column.quantity, column.unit, sorted(column.shares)) == (
        "emission",
        "tCO2",
        ["calculated", "declared", "estimated"],
    )
    kept = con.execute(f"SELECT enterprise, span_start, {column.value} FROM answers ORDER BY ALL").fetchall()
    assert [(row[0], row[1]) for row in kept] == [
        (1, date(2022, 1, 1)),
        (2, date(2022, 1, 1)),
        (3, date(2022, 1, 1)),
    ]
    assert [row[2] for row in kept] == pytest.approx([93, 124, 310])
    bare = ask(con, book(tmp_path / "again"), ("emission",), ("enterprise",), shares=False)
    assert bare.columns[0].shares == {}
    assert values(bare, "emission") == pytest.approx({(1,): 93, (2,): 124, (3,): 310})


def test_what_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rules = book(tmp_path)
    with pytest.raises(FindingError) as unknown:
        ask(con, rules, ("emission",), ("industri",))
    assert unknown.value.findings[0].code == "region.unknown-column"
    assert "industry" in unknown.value.findings[0].says("en")
    for period, time in (("2022-01-01..2022-01-15", None), ("2022-01", Grain.DAY)):
        with pytest.raises(FindingError) as cut:
            ask(con, rules, ("emission",), (), time, period)
        assert cut.value.findings[0].code == "region.whole-months"
    assert cut.value.findings[0].values["asked"] == "day"
    with pytest.raises(ValueError, match="two columns hold fuel"):
        ask(con, rules, ("emission",), columns=(DIESEL, DIESEL))


def test_factors_tell_what_lacks_and_what_is_unchecked(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    coal = FactColumn("fuel", "raw_coal", "", "t", "export")  # a known gap of the table
    rules = book(tmp_path)
    result = ask(con, rules, ("emission",), columns=(DIESEL, coal))
    assert [(one.code, one.to_json()["values"]["key"]) for one in result.findings] == [
        ("factor.gap", "raw_coal")
    ]
    assert result.rows[0].value == pytest.approx(527)
    assert result.rows[0].coverage < 1.0
    later = ask(con, rules, ("emission",), period="2023-01..2023-12")
    assert [one.code for one in later.findings] == ["factor.unchecked"]
    wrong = ask(con, rules, ("emission",), columns=(FactColumn("fuel", "diesel", "", "kWh", "diesel"),))
    assert "fact.unit" in [one.code for one in wrong.findings]


SECOND = '''

@eq1.rule(unit="tCO2", per="site, month, carrier", when=key("carrier").isin({}), label={{"zh": "甲", "en": "a"}})
def carrier_emission(fuel, factor):
    """The exception."""
    return fuel * factor * 2
'''
FIRST = CHAPTER.replace(
    'carrier", label={"zh": "分', 'carrier", when=key("carrier").isin({}), label={"zh": "分'
)


def test_rows_that_two_rules_claim_or_none(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    # diesel has five rows in the two months: four reported, one absent
    both = FIRST.replace("{}", '"diesel"') + SECOND.format('"diesel", "coke"')
    two = ask(con, book(tmp_path / "a", both), ("emission",))
    assert [(one.code, one.values["count"]) for one in two.findings] == [("rule.two-apply", 5)]
    neither = FIRST.replace("{}", '"lpg"') + SECOND.format('"coke"')
    none = ask(con, book(tmp_path / "b", neither), ("emission",), ("enterprise",), into="answers")
    assert [(one.code, one.values["count"]) for one in none.findings] == [("rule.none-applies", 5)]
    assert none.columns == ()


def test_one_enterprise_is_explained_by_the_steps(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rules, region = book(tmp_path), Region("registry", "facts", (DIESEL, EXPORT), ZONE)
    period = parse_period("2022-01..2022-02", ZONE)
    plant = region_plant(con, rules, region, 1, period, "of_one")
    assert (plant.enterprise, plant.sites[0].region) == ("1", "CN-SD")
    trace = explain(con, rules, plant, Request(period), "emission", {}, facts="of_one")
    assert trace.root.value == pytest.approx(93)
    with pytest.raises(KeyError):
        region_plant(con, rules, region, 99, period)


@pytest.mark.parametrize(
    ("series", "region", "codes", "value"),
    [
        ("national_statistical", "CN-SD", [], 53660.0),  # 0.5366 tCO2/MWh of 2022 for 100 000 MWh
        ("provincial", "CN-XZ", ["factor.gap"], None),  # Tibet has no value in the announcement
    ],
)
def test_a_national_factor_stands_in_without_a_word_and_a_gap_is_told(
    series: str, region: str, codes: list[str], value: float | None
) -> None:
    bought = FactColumn("energy_purchased", "electricity", "", "MWh", "bought")
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE registry AS SELECT 1 AS enterprise, '{region}' AS region")
        con.execute(
            "CREATE TABLE facts AS SELECT 1 AS enterprise, DATE '2022-01-01' AS month, 100000.0 AS bought"
        )
        request = Request(
            parse_period("2022-01", ZONE),
            wanted=("purchased_electricity_emission",),
            options={"grid_factor": series},
        )
        rules = load_rulebook("cn_gbt_32150_2015")
        result = account_region(con, rules, Region("registry", "facts", (bought,), ZONE), request)
    assert [one.code for one in result.findings if one.code.startswith("factor.gap")] == codes
    assert [row.value for row in result.rows if row.quantity == "purchased_electricity_emission"] == [
        None if value is None else pytest.approx(value)
    ]

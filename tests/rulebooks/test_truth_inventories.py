"""Published inventories and factor sets through ordinary third-party rulebooks, against independently computed answers."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from celadon.engine.run import Result, run
from celadon.rules.check import check_rulebook
from celadon.rules.rulebook import Rulebook, load_rulebook
from celadon.testing import Case, case_facts, case_plant, case_request
from tests.rules.books import write_book
from tests.shared_data import shared

pytestmark = pytest.mark.shared_data

INVENTORY = """
id: inventory
edition: "1"
documents: [{number: CEADs, title: {zh: 中国排放清单, en: China emission inventory}, since: 1997-01-01}]
scope: {zh: 测试, en: a test}
totals: [scope_1_total]
"""
INVENTORY_QUANTITIES = """
facts:
  emission: {label: {zh: 排放, en: Emission}, unit: tCO2, grain: "site, month, sector, purpose"}
"""
INVENTORY_CHAPTER = '''"""Sectors by fuel."""

from celadon.rules import document, key, total

standard = document("CEADs")
sheet = standard.clause("sheet", "sectors × fuels and process")


@sheet.rule(unit="tCO2", per="site, month, sector", label={"zh": "部门", "en": "Sector"})
def sector_emission(emission):
    """Fuels and process of a sector."""
    return total(emission, over="purpose")


@sheet.rule(unit="tCO2", per="site, month", label={"zh": "过程", "en": "Process"})
def process_emission(emission):
    """Of all sectors."""
    return total(emission, over="sector, purpose", when=key("purpose") == "Process")


@sheet.rule(unit="tCO2", per="site, month", label={"zh": "范围一", "en": "Scope 1"})
def scope_1_total(sector_emission):
    """All sectors."""
    return total(sector_emission, over="sector")
'''


def answer(book: Rulebook, body: dict[str, Any], *wanted: str) -> Result:
    expect = [{"quantity": name} for name in wanted]
    case = Case("made here", "", {}, {"expect": expect, **body})
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        return run(con, book, plant, request)


def sheet_facts(sheet: Any, site: str, period: str) -> list[dict[str, Any]]:
    """Every sector's fuels and process of one sheet; totals and scope 2 are not read."""
    rows = list(sheet.iter_rows(values_only=True))
    columns = [(at, str(name).strip()) for at, name in enumerate(rows[0]) if at and name]
    columns = [(at, name) for at, name in columns if "Scope" not in name]
    return [
        {"quantity": "emission", "sector": str(row[0]).strip(), "purpose": name, "site": site, "period": period, "value": row[at] * 1e6, "unit": "tCO2"}
        for row in rows[4:]
        if row[0]
        for at, name in columns
        if row[at]
    ]  # fmt: skip


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    folder = write_book(
        tmp_path_factory.mktemp("inventory") / "b",
        about=INVENTORY,
        quantities=INVENTORY_QUANTITIES,
        chapter=INVENTORY_CHAPTER,
        table=None,
    )
    book = load_rulebook(folder)
    assert [str(finding) for finding in check_rulebook(book)] == []
    return book


def check(result: Result, expected: dict[str, Any], **where: str) -> None:
    assert result.value("scope_1_total", **where) == pytest.approx(
        expected["scope1_total_Mt"] * 1e6, rel=1e-12
    )
    assert result.value("process_emission", **where) == pytest.approx(expected["process_Mt"] * 1e6, rel=1e-12)
    sectors = {
        row.item: row.value
        for row in result.rows_of("sector_emission")
        if all(getattr(row, name) == word for name, word in where.items())
    }
    for name, start in (
        ("ferrous_smelting_Mt", "Smelting and Pressing of Ferrous"),
        ("nonmetal_mineral_Mt", "Nonmetal Mineral Products"),
        ("power_heat_Mt", "Production and Supply of Electric Power"),
    ):
        (value,) = [value for sector, value in sectors.items() if sector.startswith(start)]
        assert value == pytest.approx(expected[name] * 1e6, rel=1e-12)
    whole = sum(value for value in sectors.values() if value is not None)
    assert whole == pytest.approx(expected["sum_of_sectors_Mt"] * 1e6, rel=1e-12)


def test_the_national_inventory_of_every_year(inventory: Rulebook) -> None:
    expected = json.loads(shared("data/china_co2/expected.json").read_text("utf-8"))
    book = openpyxl.load_workbook(
        shared("data/china_co2/ceads_china_1997_2019.xlsx"), read_only=True, data_only=True
    )
    years = sorted(expected["national"])
    assert (years[0], years[-1], len(years)) == ("1997", "2019", 23)
    facts = [fact for year in years for fact in sheet_facts(book[year], "S", f"{year}-01")]
    body = {"period": "1997-01..2019-12", "per": "year", "facts": facts}
    result = answer(inventory, body, "scope_1_total", "process_emission", "sector_emission")
    for year in years:
        check(result, expected["national"][year], label=year)


def test_provinces_are_sites_and_do_not_sum_to_the_nation(inventory: Rulebook) -> None:
    expected = json.loads(shared("data/china_co2/expected.json").read_text("utf-8"))
    book = openpyxl.load_workbook(
        shared("data/china_co2/ceads_30_provinces_2018.xlsx"), read_only=True, data_only=True
    )
    names = [name for name in book.sheetnames if name in expected["provinces_2018"]]
    assert len(names) == 30
    facts = [fact for name in names for fact in sheet_facts(book[name], name, "2018-01")]
    body = {"period": "2018", "sites": [{"id": name} for name in names], "facts": facts}
    result = answer(inventory, body, "scope_1_total", "process_emission", "sector_emission")
    for name in names:
        check(result, expected["provinces_2018"][name], site=name)
    whole = sum(row.value or 0 for row in result.rows_of("scope_1_total")) / 1e6
    assert whole == pytest.approx(expected["provinces_2018_sum_Mt"], rel=1e-12)
    assert whole / expected["national_2018_Mt"] == pytest.approx(1.094, abs=1e-3)


def test_the_epa_set_as_a_table_of_a_rulebook_that_builds_on_the_protocol(tmp_path: Path) -> None:
    expected = json.loads(shared("data/emission_factors/expected.json").read_text("utf-8"))["epa_v1.2"]
    path = shared("data/emission_factors/us_epa_supply_chain_factors_v1.2_usd2021.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    head = "factor,item,treatment,value,unit,valid_from,valid_to,published,source,clause,confidence,note"
    lines = [
        f"foreign_spend,{row['2017 NAICS Code']},,{row['Supply Chain Emission Factors with Margins']},kgCO2e/USD,,,,EPA v1.2,with margins,verified1,"
        for row in rows
    ]
    folder = tmp_path / "epa"
    (folder / "tables").mkdir(parents=True)
    (folder / "about.yaml").write_text(
        "id: epa\nedition: '1.2'\nbuilds_on: [ghg_protocol_corporate]\n"
        "documents: [{number: EPA v1.2, title: {zh: 供应链因子, en: Supply chain factors}, since: 2017-01-01}]\n"
        "scope: {zh: 测试, en: a test}\ntotals: [scope_3]\n",
        "utf-8",
    )
    specs = (
        "factors:\n  foreign_spend_factor: {label: {zh: 因子, en: Factor}, unit: tCO2e/USD, table: value_chain_factors, column: value, "
        "keys: {factor: =foreign_spend, item: activity}, on_gap: absent, clause: EPA v1.2}\n"
    )
    (folder / "quantities.yaml").write_text(specs, "utf-8")
    (folder / "tables" / "value_chain_factors.csv").write_text("\n".join([head, *lines]) + "\n", "utf-8")
    book = load_rulebook(folder)
    assert [str(finding) for finding in check_rulebook(book)] == []
    spend = {
        "quantity": "activity_spend",
        "purpose": "purchased_goods_and_services",
        "value": 1000,
        "unit": "CNY",
    }
    body = {
        "period": "2021",
        "options": {"scope_3": "reported"},
        "facts": [{**spend, "activity": row["2017 NAICS Code"]} for row in rows],
        "factors": [
            {"factor": "exchange_rate", "value": 1, "unit": "USD/CNY"},
            {"factor": "price_index", "value": 1, "unit": "1"},
        ],
    }
    result = answer(book, body, "scope_3", "spend_emission")
    values = {row.item: row.value for row in result.rows_of("spend_emission")}
    assert len(values) == expected["rows"]
    assert values["331110"] == pytest.approx(expected["steel_331110"][2])  # 1000 USD × 0.979 kg = 0.979 t
    assert values["327310"] == pytest.approx(expected["cement_327310"][2])
    widest = sorted(values, key=lambda code: (-(values[code] or 0), code))[:5]
    assert [[int(code), pytest.approx(values[code])] for code in widest] == [
        [code, value] for code, _, value in expected["top5_with_margins"]
    ]
    assert result.value("scope_3") == pytest.approx(
        expected["mean_with_margins"] * expected["rows"], rel=1e-9
    )


DESNZ_ABOUT = """
id: desnz
edition: "2024"
documents: [{number: DESNZ 2024, title: {zh: 英国换算因子, en: UK conversion factors}, since: 2024-01-01, until: 2024-12-31}]
scope: {zh: 测试, en: a test}
totals: [emission]
"""
DESNZ_QUANTITIES = (
    """
facts:
  fuel_energy: {label: {zh: 燃料能量, en: Fuel by energy}, unit: kWh, grain: "site, month, fuel, purpose"}
factors:
"""
    + "".join(
        f"  {gas}_factor: {{label: {{zh: 因子, en: Factor}}, unit: tCO2e/MWh, table: factors, column: {gas}, "
        "keys: {fuel: fuel, basis: purpose}, clause: Fuels}\n"
        for gas in ("whole", "co2", "ch4", "n2o")
    )
    + "".join(
        f"  {name}_factor: {{label: {{zh: 因子, en: Factor}}, unit: {unit}, table: {name}, column: {gas}, "
        f"keys: {{fuel: fuel}}, clause: {sheet}}}\n"
        for name, unit, gas, sheet in (
            ("mass", "tCO2e/t", "whole", "Fuels"),
            ("volume", "tCO2e/m3", "whole", "Fuels"),
            ("electricity", "tCO2e/MWh", "whole", "UK electricity"),
        )
    )
)
DESNZ_AMOUNTS = """
  fuel_mass: {label: {zh: 燃料质量, en: Fuel by mass}, unit: t, grain: "site, month, fuel", on_missing: not_applicable, clause: Fuels}
  fuel_volume: {label: {zh: 燃料体积, en: Fuel by volume}, unit: m3, grain: "site, month, fuel", on_missing: not_applicable, clause: Fuels}
  electricity: {label: {zh: 电量, en: Electricity}, unit: MWh, grain: "site, month, fuel", on_missing: not_applicable, clause: UK electricity}
"""
DESNZ_QUANTITIES = DESNZ_QUANTITIES.replace("factors:\n", DESNZ_AMOUNTS.lstrip("\n") + "factors:\n", 1)
DESNZ_CHAPTER = '''"""Fuels."""

from celadon.rules import document

standard = document("DESNZ 2024")
fuels = standard.clause("Fuels", "energy by calorific basis × factor, gas by gas and whole")


@fuels.rule(unit="kgCO2e", per="site, month, fuel, purpose", label={"zh": "排放", "en": "Emission"})
def emission(fuel_energy, whole_factor):
    """All gases."""
    return fuel_energy * whole_factor


@fuels.rule(unit="kgCO2e", per="site, month, fuel, purpose", label={"zh": "各气体之和", "en": "Sum of gases"})
def gases(fuel_energy, co2_factor, ch4_factor, n2o_factor):
    """Gas by gas."""
    return fuel_energy * co2_factor + fuel_energy * ch4_factor + fuel_energy * n2o_factor
''' + "".join(
    f'''

@fuels.rule(unit="kgCO2e", per="site, month, fuel", label={{"zh": "排放", "en": "Emission by {name}"}})
def emission_by_{name}({amount}, {name}_factor):
    """Amount × factor."""
    return {amount} * {name}_factor
'''
    for name, amount in (("mass", "fuel_mass"), ("volume", "fuel_volume"), ("electricity", "electricity"))
)


def test_the_uk_fuels_by_calorific_basis_and_gas_by_gas(tmp_path: Path) -> None:
    expected = json.loads(shared("data/emission_factors/expected.json").read_text("utf-8"))["desnz_2024"]
    path = shared("data/emission_factors/uk_desnz_ghg_factors_2024_full_v1_1.xlsx")
    workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    assert workbook.sheetnames == expected["sheets"]
    sheet = workbook["Fuels"]
    other: dict[str, list[str]] = {"mass": [], "volume": [], "electricity": []}
    lines, fuel = (
        ["fuel,basis,whole,co2,ch4,n2o,unit,valid_from,valid_to,published,source,clause,confidence,note"],
        "",
    )
    for row in sheet.iter_rows(values_only=True):
        fuel = str(row[1]).replace(",", " ") if row[1] else fuel
        for unit, name in (("tonnes", "mass"), ("cubic metres", "volume")):
            if row[2] == unit and row[3] is not None:
                other[name].append(f"{fuel},{row[3]},kgCO2e/{'t' if name == 'mass' else 'm3'}")
        if row[2] in ("kWh (Net CV)", "kWh (Gross CV)") and row[3] is not None:
            basis = str(row[2])[5:-4].lower()
            lines.append(
                f"{fuel},{basis},{row[3]},{row[4]},{row[5]},{row[6]},kgCO2e/kWh,2024-01-01,2024-12-31,,DESNZ,Fuels,verified1,"
            )
    folder = write_book(
        tmp_path / "b",
        about=DESNZ_ABOUT,
        quantities=DESNZ_QUANTITIES,
        chapter=DESNZ_CHAPTER,
        table="\n".join(lines) + "\n",
    )
    power = workbook["UK electricity"].iter_rows(values_only=True)
    made = [row for row in power if "Electricity: UK" in row]
    assert [[str(cell) for cell in row if cell is not None] for row in made] == expected[
        "uk_electricity_rows"
    ]
    other["electricity"] += [f"{row[1]},{row[4]},kgCO2e/kWh" for row in made]
    for name, rows in other.items():
        head = "fuel,whole,unit,valid_from,valid_to,published,source,clause,confidence,note"
        dated = [f"{row},2024-01-01,2024-12-31,,DESNZ,{name},verified1," for row in rows]
        (folder / "tables" / f"{name}.csv").write_text("\n".join([head, *dated]) + "\n", "utf-8")
    book = load_rulebook(folder)
    assert [str(finding) for finding in check_rulebook(book)] == []
    keys = [line.split(",")[:2] for line in lines[1:]]
    facts = [
        {"quantity": "fuel_energy", "fuel": name, "purpose": basis, "value": 1, "unit": "MWh"}
        for name, basis in keys
    ]
    facts += [
        {"quantity": "fuel_mass", "fuel": "Coal (industrial)", "value": 1, "unit": "t"},
        {"quantity": "fuel_volume", "fuel": "Natural gas", "value": 1000, "unit": "m3"},
        {"quantity": "electricity", "fuel": made[0][1], "value": 1, "unit": "MWh"},
    ]
    wanted = ("emission", "gases", "emission_by_mass", "emission_by_volume", "emission_by_electricity")
    result = answer(book, {"period": "2024-06", "facts": facts}, *wanted)
    [[_, coal]], [gas] = expected["coal_industrial_t"], expected["natural_gas_m3"]
    assert result.value("emission_by_mass") == pytest.approx(coal)
    assert result.value("emission_by_volume") == pytest.approx(gas * 1000)
    whole = float(expected["uk_electricity_rows"][0][4])
    assert result.value("emission_by_electricity") == pytest.approx(whole * 1000)
    for basis in ("gross", "net"):
        (whole, *parts) = expected[f"natural_gas_kWh_{basis}"][0]
        assert result.value("emission", item="Natural gas", purpose=basis) == pytest.approx(whole * 1000)
        assert result.value("gases", item="Natural gas", purpose=basis) == pytest.approx(sum(parts) * 1000)
    for row in result.rows_of("emission"):
        assert result.value("gases", item=row.item, purpose=row.purpose) == pytest.approx(row.value, abs=0.02)

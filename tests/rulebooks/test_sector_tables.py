"""The sector rulebooks' tables against the reference: every process row is taken once or left out by name; marks are kept."""

import csv
from pathlib import Path

import pytest

from celadon.rules.rulebook import load_rulebook, shipped_ids
from tests.shared_data import shared
from tools import import_sector_tables as sectors
from tools import import_tables

pytestmark = pytest.mark.shared_data
KEPT = ("source", "clause", "confidence")


@pytest.fixture(scope="module")
def reference() -> list[dict[str, str]]:
    return rows_of(shared("reference/energy_carbon/process_emissions.csv"))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table(book: str, name: str) -> list[dict[str, str]]:
    return rows_of(import_tables.RULEBOOKS / book / "tables" / f"{name}.csv")


def process_tables() -> list[dict[str, str]]:
    common = {
        "fuel_defaults",
        "national_grid_factors",
        "local_grid_factors",
        "heat_factors",
        "gwp",
        "coal_high_limit",
    }
    return [
        row
        for book in sectors.FUEL_SET
        for path in sorted((import_tables.RULEBOOKS / book / "tables").glob("*.csv"))
        if path.stem not in common
        for row in rows_of(path)
    ]


def left_out(row: dict[str, str]) -> bool:
    return any(
        sector in ("*", row["sector"]) and row["factor_code"].startswith(code)
        for sector, code in sectors.LEFT_OUT
    )


def test_all_sector_rulebooks_are_shipped():
    assert set(sectors.FUEL_SET) <= set(shipped_ids())


def test_every_process_row_is_taken_or_left_out_by_name(reference):
    made = process_tables()
    for row in reference:
        found = [
            item
            for item in made
            if [item[name] for name in KEPT] == [row[name] for name in KEPT]
            and item["item_zh"] == row["factor_zh"]
            and row["note"] in item["note"]
        ]
        assert found or left_out(row), row["factor_code"]


def test_values_and_marks_are_those_of_the_reference(reference):
    """A row's value is the reference's, or one its text or note names (a range's ends, a content, a ratio)."""
    for item in process_tables():
        origin = [
            row
            for row in reference
            if [item[name] for name in KEPT] == [row[name] for name in KEPT]
            and row["factor_zh"] == item["item_zh"]
        ]
        assert origin, item
        assert any(
            item["value"] == row["value"] or item["value"] in row["note"] + row["value"] for row in origin
        ), item


def test_names_left_out_are_still_in_the_reference(reference):
    for sector, code in sectors.LEFT_OUT:
        assert any(
            sector in ("*", row["sector"]) and row["factor_code"].startswith(code) for row in reference
        ), (sector, code)


def test_fuels_of_a_sector_are_those_of_its_own_guideline():
    for book, name in sectors.FUEL_SET.items():
        assert {row["set"] for row in table(book, "fuel_defaults")} == {name}
    assert len(table(sectors.STEEL, "fuel_defaults")) == 22


def test_texts_are_never_mixed():
    scrap = {
        row["text"]: row["value"]
        for row in table(sectors.STEEL, "carbon_material_factors")
        if row["material"] == "steel_scrap"
    }
    steel = {
        row["text"]: row["value"]
        for row in table(sectors.STEEL, "fixed_carbon_factors")
        if row["product"] == "crude_steel"
    }
    assert scrap == steel == {"NDRC-2013": "0.0154", "MEE-2024": "0.037"}


def test_warming_potentials_of_aluminium_are_those_its_texts_print(reference):
    printed = {
        row["factor_code"]: row["value"] for row in reference if row["factor_code"].startswith("al_gwp")
    }
    made = {
        (row["text"], row["gas"]): row["gwp"]
        for row in table(sectors.ALUMINIUM, "gwp")
        if row["text"] != "by_date"
    }
    assert made == {
        ("NDRC-2013", "CF4"): printed["al_gwp_cf4"],
        ("NDRC-2013", "C2F6"): printed["al_gwp_c2f6"],
        ("MEE-2024", "CF4"): printed["al_gwp_cf4_2024"],
        ("MEE-2024", "C2F6"): printed["al_gwp_c2f6_2024"],
    }


def test_every_row_has_a_source_a_clause_and_a_mark():
    for book in sectors.FUEL_SET:
        for item in load_rulebook(book).tables.values():
            for row in item.rows:
                assert row.source, (book, item.name, row.line)
                assert row.clause, (book, item.name, row.line)
                assert row.confidence in ("verified2", "verified1", "recalled")


def test_graphitisation_is_not_shipped():
    """GB/T 32151.34: two readings of its volatile term differ."""
    assert not [name for name in shipped_ids() if "32151_34" in name]

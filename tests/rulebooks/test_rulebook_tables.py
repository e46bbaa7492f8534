"""The rulebooks' tables against the reference tables: every value, its source and its mark; nothing lost, nothing added."""

import csv
from pathlib import Path

import pytest

from celadon.rules.rulebook import load_rulebook, shipped_ids
from tests.shared_data import shared
from tools import import_tables

ENERGY, CARBON, PROTOCOL = "cn_gbt_2589_2020", "cn_gbt_32150_2015", "ghg_protocol_corporate"
pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def folder() -> Path:
    return shared("reference/energy_carbon/standard_coal.csv").parent


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table(rulebook: str, name: str) -> list[dict[str, str]]:
    return rows_of(import_tables.RULEBOOKS / rulebook / "tables" / f"{name}.csv")


def test_every_table_is_the_one_the_script_makes(folder):
    made = {item.path: item.text() for item in import_tables.all_tables(folder)}
    shipped = set(import_tables.RULEBOOKS.glob("*/tables/*.csv"))
    assert shipped >= set(made)
    assert {path.name for path in made if path.read_text(encoding="utf-8") != made[path]} == set()
    assert {path.parent.parent.name for path in shipped} <= set(shipped_ids())


def test_check_mode_finds_a_table_out_of_step(folder, capsys, monkeypatch):
    assert import_tables.main([str(folder), "--check"]) == 0
    first = import_tables.all_tables(folder)[0]
    monkeypatch.setattr(
        import_tables,
        "all_tables",
        lambda _: [import_tables.Table(first.rulebook, first.name, first.columns, ())],
    )
    assert import_tables.main([str(folder), "--check"]) == 1
    assert (
        capsys.readouterr().out == "out of step: src/celadon/rulebooks/cn_gbt_2589_2020/tables/annex_a.csv\n"
    )


# --- standard_coal.csv -------------------------------------------------------------------------------------------


def test_standard_coal_row_by_row(folder):
    taken = {
        "fuel": table(ENERGY, "annex_a"),
        "heat": table(ENERGY, "annex_a"),
        "medium": table(ENERGY, "annex_b"),
        "electricity": table(ENERGY, "electricity"),
        "electricity_equal_value": table(ENERGY, "electricity"),
    }
    seen = 0
    for row in rows_of(folder / "standard_coal.csv"):
        if (
            row["edition"] not in ("2020", "2008")
            or row["kind"] == "definition"
            or row["item_code"] == "steam_low_pressure"
        ):
            continue
        seen += 1
        key = {"equivalent": "electricity_equivalent", "equal_value": "electricity_equal"}
        found = [
            item
            for item in taken[row["kind"]]
            if item["edition"] == row["edition"]
            and (item.get("carrier") or key[item["basis"]])
            in (row["item_code"], import_tables.CARRIER_OF.get(row["item_code"]))
        ]
        assert len(found) == 1, row
        if row["coef_high"]:
            assert (found[0]["coefficient"], found[0]["coefficient_low"], found[0]["coefficient_high"]) == (
                "",
                row["coef_low"],
                row["coef_high"],
            )
        else:
            assert found[0]["coefficient"] == row["coef_low"]
        assert found[0]["unit"] == row["coef_unit"]
        assert {name: found[0][name] for name in ("source", "clause", "confidence", "note")} == {
            name: row[name] for name in ("source", "clause", "confidence", "note")
        }
    assert (
        seen
        == len(table(ENERGY, "annex_a")) + len(table(ENERGY, "annex_b")) + len(table(ENERGY, "electricity"))
        == 81
    )


def test_standard_coal_rows_left_out_are_named(folder):
    rows = rows_of(folder / "standard_coal.csv")
    left = [row for row in rows if ("standard_coal", row["edition"], "*") in import_tables.LEFT_OUT]
    left += [
        row for row in rows if ("standard_coal", row["edition"], row["item_code"]) in import_tables.LEFT_OUT
    ]
    counts = [
        len(table(ENERGY, name)) for name in ("annex_a", "annex_b", "electricity", "statistical_yearbook")
    ]
    counts += [len(table("cn_gb_30251_2024", name)) for name in ("oil_coefficients", "standard_oil")]
    assert len(rows) == sum(counts) + len(left) + 1  # the last is the definition of standard coal


def test_standard_oil_row_by_row(folder):
    rows = {
        row["item_code"]: row for row in rows_of(folder / "standard_coal.csv") if "30251" in row["edition"]
    }
    shipped = {row["carrier"]: row for row in table("cn_gb_30251_2024", "oil_coefficients")}
    assert len(rows) == len(shipped) + 1 == 7
    for code, carrier in import_tables.OIL_CARRIERS.items():
        cells = shipped[carrier]
        assert (cells["coefficient"], cells["unit"]) == (rows[code]["coef_low"], rows[code]["coef_unit"])
        assert cells["confidence"] == rows[code]["confidence"] == "verified1"
    assert shipped["electricity"]["coefficient"] == "0.21"
    (oil,) = table("cn_gb_30251_2024", "standard_oil")
    assert (oil["heat"], oil["heat_unit"], oil["coal"], oil["coal_unit"]) == (
        "41868", "kJ/kgoe", "1.4286", "kgce/kgoe",
    )  # fmt: skip


def test_editions_have_their_dates_and_follow_on_each_other():
    dates = {(row["edition"], row["valid_from"], row["valid_to"]) for row in table(ENERGY, "annex_a")}
    assert dates == {("2020", "2021-04-01", ""), ("2008", "2008-06-01", "2021-03-31")}


def test_coefficients_of_2020_are_the_printed_heat_over_standard_coal():
    for row in table(ENERGY, "annex_a"):
        if row["edition"] == "2020" and row["coefficient"] and row["carrier"] != "heat":
            assert float(row["net_calorific_value"]) / 29307.6 == pytest.approx(
                float(row["coefficient"]), abs=1.2e-4
            ), row


def test_the_equal_value_is_a_known_gap():
    (row,) = [row for row in table(ENERGY, "electricity") if row["basis"] == "equal_value"]
    assert row["coefficient"] == ""
    assert row["note"].startswith("Not a constant")


# --- fuels.csv ---------------------------------------------------------------------------------------------------


def test_fuel_defaults_row_by_row(folder):
    raw = [row for row in rows_of(folder / "fuels.csv") if row["set_id"] in import_tables.CHINESE_SETS]
    made = table(CARBON, "fuel_defaults")
    assert len(raw) == len(made) == 83
    for row, item in zip(raw, made, strict=True):
        assert item["set"] == row["set_id"]
        assert item["carrier"] == import_tables.CARRIER_OF.get(row["fuel_code"], row["fuel_code"])
        assert [item["net_calorific_value"], item["carbon_content"], item["oxidation_rate"]] == [
            row["ncv"],
            row["cc"],
            row["oxidation_pct"],
        ]
        assert [item["net_calorific_value_unit"], item["carbon_content_unit"]] == [
            row["ncv_unit"],
            row["cc_unit"],
        ]
        assert [item[name] for name in ("source", "clause", "confidence", "note")] == [
            row[name] for name in ("source", "clause", "confidence", "note")
        ]
        assert (item["valid_from"], item["published"]) == ("", row["valid_from"])


def test_fuel_defaults_give_the_reference_factor(folder):
    """NCV × CC × OF × 44/12 of each row is the factor per unit the reference computed, where it did."""
    checked = 0
    for row, item in zip(
        [row for row in rows_of(folder / "fuels.csv") if row["set_id"] in import_tables.CHINESE_SETS],
        table(CARBON, "fuel_defaults"),
        strict=True,
    ):
        if row["oxidation_pct"]:
            got = (
                float(item["net_calorific_value"])
                * float(item["carbon_content"])
                * float(item["oxidation_rate"])
                * 44
                / 12
                / 1e5
            )
            assert got == pytest.approx(float(row["ef_tco2_per_unit"]), rel=1e-6)
            checked += 1
    assert checked == 76


def test_ipcc_rows(folder):
    raw = rows_of(folder / "fuels.csv")
    made = table(PROTOCOL, "stationary_factors")
    by_key = {(item["sector"], item["carrier"]): item for item in made}
    for row in raw:
        sector = {"IPCC2006-ENERGY": "energy", "IPCC2006-MANUFACTURING": "manufacturing"}.get(row["set_id"])
        if sector:
            item = by_key[sector, import_tables.CARRIER_OF.get(row["fuel_code"], row["fuel_code"])]
            assert [item["co2"], item["ch4"], item["n2o"]] == [
                row["co2_kg_per_tj"],
                row["ch4_kg_per_tj"],
                row["n2o_kg_per_tj"],
            ]
            assert [item[name] for name in ("source", "clause", "confidence", "note")] == [
                row[name] for name in ("source", "clause", "confidence", "note")
            ]
    assert len(made) == 104 + 2  # and ethanol twice, as biogasoline, marked recalled
    assert {item["confidence"] for item in made if item["carrier"] == "ethanol"} == {"recalled"}
    road = [row for row in raw if row["set_id"] == "IPCC2006-ROAD"]
    mobile = table(PROTOCOL, "mobile_factors")
    assert [item["ch4"] for item in mobile] == [row["ch4_kg_per_tj"] for row in road]
    assert {item["confidence"] for item in mobile} == {"recalled"}


def test_calorific_values_are_ipcc_by_mass_and_a_chinese_set_by_volume(folder):
    raw = {
        (row["set_id"], import_tables.CARRIER_OF.get(row["fuel_code"], row["fuel_code"])): row
        for row in rows_of(folder / "fuels.csv")
    }
    made = table(PROTOCOL, "net_calorific_values")
    for item in made:
        carrier = import_tables.ETHANOL_ROW if item["carrier"] == "ethanol" else item["carrier"]
        source = raw[import_tables.BY_VOLUME.get(carrier, "IPCC2006-ENERGY"), carrier]
        assert item["net_calorific_value"] == source["ncv"]
        assert source["ncv_unit"].startswith(item["unit"])
        assert item["source"] == source["source"]
    assert not {item["carrier"] for item in made} & set(import_tables.NO_HEAT_PER_VOLUME)
    same = {
        import_tables.carrier(code): row["ncv"]
        for (set_id, code), row in raw.items()
        if set_id == "IPCC2006-MANUFACTURING"
    }
    assert all(
        same[item["carrier"]] == item["net_calorific_value"]
        for item in made
        if item["carrier"] in same and item["unit"] == "GJ/t"
    )


# --- grid_factors.csv --------------------------------------------------------------------------------------------


def test_grid_factors_row_by_row(folder):
    raw = rows_of(folder / "grid_factors.csv")
    national, local = table(CARBON, "national_grid_factors"), table(CARBON, "local_grid_factors")
    direct = [item for item in (*national, *local) if "belongs to this grid is recalled" not in item["note"]]
    seen = 0
    for row in raw:
        average = row["factor_kind"].startswith("average") and "nonfossil" not in row["factor_kind"]
        if not (average and row["region_code"].startswith("CN")):
            continue
        seen += 1
        found = [
            item
            for item in direct
            if (item["region"], item["notice"], item["data_year"])
            == (row["region_code"], row["notice"], row["data_year"])
        ]
        assert len(found) == 1, row
        assert [found[0][name] for name in ("value", "unit", "source", "clause", "confidence", "note")] == [
            row[name] for name in ("value", "unit", "source", "clause", "confidence", "note")
        ]
    assert (
        seen == len(direct) == 6 + 7 * 3 + 6 * 2 + 30 * 3
    )  # national; regional 2021-2023 and 2011-2012; provinces
    assert all(item["notice"] for item in (*national, *local))


def test_provinces_of_a_regional_grid_are_recalled_and_keep_its_value():
    local = table(CARBON, "local_grid_factors")
    own = {
        (item["series"], item["region"], item["data_year"]): item
        for item in local
        if "belongs to this grid" not in item["note"]
    }
    for item in local:
        if "belongs to this grid" in item["note"]:
            grid = own[item["series"], item["note"].split()[2], item["data_year"]]
            assert item["value"] == grid["value"]
            assert item["confidence"] == "recalled"
            assert f"({grid['confidence']})" in item["note"]
    assert not [
        item for item in local if item["region"] in ("CN-XZ", "CN-NM") and item["series"] != "provincial"
    ]
    assert not [item for item in local if item["region"] == "CN-XZ"]


def test_the_three_regimes_of_the_national_factor():
    rows = [
        (row["series"], row["valid_from"], row["valid_to"], row["value"])
        for row in table(CARBON, "national_grid_factors")
    ]
    assert rows == [
        ("national_notice", "2015-01-01", "2020-12-31", "0.6101"),
        ("national_notice", "2021-01-01", "2021-12-31", "0.5810"),
        ("national_notice", "2022-01-01", "2022-12-31", "0.5703"),
        ("national_statistical", "2021-01-01", "2021-12-31", "0.5568"),
        ("national_statistical", "2022-01-01", "2022-12-31", "0.5366"),
        ("national_statistical", "2023-01-01", "2023-12-31", "0.5306"),
    ]


def test_market_tables(folder):
    raw = rows_of(folder / "grid_factors.csv")
    residual = table(PROTOCOL, "residual_mix")
    assert [(row["data_year"], row["value"], row["confidence"]) for row in residual] == [
        ("2021", "0.5942", "recalled"),
        ("2022", "0.5856", "verified1"),
        ("2023", "0.6096", "verified2"),
    ]
    assert all(row["note"].startswith("proxy: ") for row in residual)
    abroad = {row["region_code"]: row for row in raw if not row["region_code"].startswith("CN")}
    made = {
        row["region"]: row
        for row in (*table(PROTOCOL, "grid_factors_co2"), *table(PROTOCOL, "grid_factors_co2e"))
    }
    assert {code: (made[code]["value"], made[code]["confidence"]) for code in abroad} == {
        code: (row["value"], row["confidence"]) for code, row in abroad.items()
    }
    assert {row["region"] for row in table(PROTOCOL, "grid_factors_co2e")} == {"TW", "KR", "GB", "EU"}


# --- gwp.csv, refrigerant_blends.csv -----------------------------------------------------------------------------


def test_warming_potentials_row_by_row(folder):
    raw, made = rows_of(folder / "gwp.csv"), table(PROTOCOL, "gwp")
    assert len(raw) == len(made) == 91
    for row, item in zip(raw, made, strict=True):
        assert [item["gwp"], item["assessment"]] == [row["gwp100"], row["assessment"]]
        assert [item[name] for name in ("source", "clause", "confidence", "note")] == [
            row[name] for name in ("source", "clause", "confidence", "note")
        ]
    assert sum(row["confidence"] == "recalled" for row in made) == 5


def test_blends_part_by_part(folder):
    made = {row["blend"]: row for row in table(PROTOCOL, "refrigerant_blends")}
    parts = rows_of(folder / "refrigerant_blends.csv")
    for part in parts:
        row = made[part["blend"]]
        assert row[part["gas"].lower().replace("-", "_") + "_share"] == part["mass_fraction"]
        assert row["confidence"] == part["confidence"]
    shares = [
        row[name] for row in made.values() for name in row if name.endswith("_share") and row[name] != "0"
    ]
    assert len(shares) == len(parts) == 33


# --- marks -------------------------------------------------------------------------------------------------------


def test_every_row_of_every_rulebook_has_a_source_and_a_mark():
    for book_id in (ENERGY, CARBON, PROTOCOL):
        for item in load_rulebook(book_id).tables.values():
            for row in item.rows:
                assert row.source, (item.name, row.line)
                assert row.clause, (item.name, row.line)
                assert row.confidence in ("verified2", "verified1", "recalled")

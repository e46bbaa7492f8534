"""Make the rulebooks' factor tables from the reference tables, row by row and nothing else.

    python tools/import_tables.py [REFERENCE_FOLDER]     writes src/celadon/rulebooks/*/tables/*.csv
    python tools/import_tables.py --check [FOLDER]       writes nothing; exit 1 where a table is out of step

The reference folder (standard_coal.csv, fuels.csv, grid_factors.csv, gwp.csv, process_emissions.csv …) is not part of
the project: it is `../shared/reference/energy_carbon`, or under CELADON_SHARED. The raw rows stay as they are there; here
codes become carrier ids, editions become dates, ranges keep both ends. Values, sources, clauses, confidence and notes are
copied. What is left out is listed in `LEFT_OUT` with the reason, and a test adds up that nothing else is missing.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(
    0, str(Path(__file__).resolve().parent.parent / "src")
)  # both for when this is run as a script
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from celadon.rules.rulebook import load_rulebook
from tools.import_policy_tables import policy_tables
from tools.import_sector_tables import Sources, sector_tables

ROOT = Path(__file__).resolve().parent.parent
RULEBOOKS = ROOT / "src" / "celadon" / "rulebooks"
Row = dict[str, str]

# Reference code -> carrier id, where they differ.
CARRIER_OF = {
    "coal_mine_gas": "coalmine_gas",
    "petcoke": "petroleum_coke",
    "other_gas": "other_coal_gas",
    "other_coal_products": "briquette",
    "refinery_gas": "refinery_dry_gas",
    "carbide_furnace_gas": "carbide_gas",
    "heat_equivalent": "heat",
    "wood": "biomass",
    "other_biogas": "biogas",
    "bkb": "brown_coal_briquettes",
}
# IPCC 2006 counts bioethanol as biogasoline (Volume 2 Table 1.1; recalled).
ETHANOL_ROW = "biogasoline"

# Rows no table takes, and why: (file, set or edition or assessment, code) -> reason.
LEFT_OUT: dict[tuple[str, str, str], str] = {
    (
        "standard_coal",
        "2008",
        "steam_low_pressure",
    ): "heat is kept in GJ; the 2020 edition withdrew the value per kg of steam",
    ("standard_coal", "T/CISA 416-2024", "*"): "an association rule; never mixed with GB/T 2589",
    (
        "grid_factors",
        "fossil_only",
        "*",
    ): "no rule of these rulebooks asks for the factor of fossil-fired electricity",
}

DATED = ("valid_from", "valid_to", "published", "source", "clause", "confidence", "note")
EDITION_DATES = {"2020": ("2021-04-01", ""), "2008": ("2008-06-01", "2021-03-31")}
EDITION_PUBLISHED = {"2020": "2020-09-29", "2008": ""}

# Provinces of each regional grid (recalled: the stored pages do not print the list). Inner Mongolia is cut between
# North and Northeast and has no row. In the 2011-2012 notice Sichuan and Chongqing belong to Central China.
GRID_PROVINCES = {
    "CN-NORTH": "BJ TJ HE SX SD",
    "CN-NORTHEAST": "LN JL HL",
    "CN-EAST": "SH JS ZJ AH FJ",
    "CN-CENTRAL": "HB HN HA JX",
    "CN-NORTHWEST": "SN GS QH NX XJ",
    "CN-SOUTH": "GD GX YN GZ HI",
    "CN-SOUTHWEST": "SC CQ",
}
CENTRAL_2012 = "HB HN HA JX SC CQ"


@dataclass(frozen=True)
class Table:
    """One table to write: rulebook, name, columns and rows."""

    rulebook: str
    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def path(self) -> Path:
        return RULEBOOKS / self.rulebook / "tables" / f"{self.name}.csv"

    def text(self) -> str:
        """The CSV; every cell by column name, a missing one blank."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([row.get(column, "") for column in self.columns] for row in self.rows)
        return out.getvalue()


def reference_folder() -> Path:
    """Where the reference tables are, whether they are there or not."""
    named = os.environ.get("CELADON_SHARED")
    return (Path(named) if named else ROOT.parent / "shared") / "reference" / "energy_carbon"


def read(folder: Path, name: str) -> list[Row]:
    """The rows of one reference table."""
    with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def all_tables(folder: Path) -> list[Table]:
    """Every table of every rulebook, in a fixed order."""
    coal, fuels, grid = read(folder, "standard_coal"), read(folder, "fuels"), read(folder, "grid_factors")
    gwp, blends = read(folder, "gwp"), read(folder, "refrigerant_blends")
    carbon = list(carbon_tables(fuels, grid))
    power = [row for row in fuels if row["set_id"] == "MEE-POWER"]
    sources = Sources(
        {table.name: table for table in carbon},
        read(folder, "process_emissions"),
        power,
        [_gwp(row) for row in gwp],
    )
    protocol = protocol_tables(fuels, grid, gwp, blends)
    policies = [Table(*made) for made in policy_tables(lambda name: read(folder, name))]
    policies = [table for table in policies if (RULEBOOKS / table.rulebook / "about.yaml").is_file()]
    return [*energy_tables(coal), *oil_tables(coal), *carbon, *protocol, *sector_tables(sources), *policies]


def carrier(code: str) -> str:
    return CARRIER_OF.get(code, code)


def cited(row: Row, **more: str) -> Row:
    """What every row carries on: source, clause, confidence, note."""
    return {name: row[name] for name in ("source", "clause", "confidence", "note")} | more


# --- GB/T 2589 ---------------------------------------------------------------------------------------------------


def energy_tables(coal: list[Row]) -> Iterator[Table]:
    """Annex A, Annex B, electricity, the definition of standard coal, and the yearbook's own coefficients."""
    book = "cn_gbt_2589_2020"
    values = (
        "coefficient",
        "coefficient_low",
        "coefficient_high",
        "unit",
        "net_calorific_value",
        "net_calorific_value_high",
    )
    columns = ("carrier", "item_zh", "edition", *values, "net_calorific_value_unit", *DATED)
    annex = [row for row in coal if row["edition"] in EDITION_DATES]
    fuels = [row for row in annex if row["kind"] == "fuel" or row["item_code"] == "heat_equivalent"]
    yield Table(book, "annex_a", columns, tuple(_coefficient(row) for row in fuels))
    media = tuple(_coefficient(row) for row in annex if row["kind"] == "medium")
    media_columns = ("carrier", "item_zh", "edition", "coefficient", "unit", "energy", "energy_unit", *DATED)
    renamed = tuple(
        row | {"energy": row["net_calorific_value"], "energy_unit": row["net_calorific_value_unit"]}
        for row in media
    )
    yield Table(book, "annex_b", media_columns, renamed)
    power = [row for row in annex if row["item_code"].startswith("electricity_")]
    yield Table(
        book,
        "electricity",
        ("basis", "item_zh", "edition", "coefficient", "unit", *DATED),
        tuple(map(_basis, power)),
    )
    definition = next(row for row in coal if row["item_code"] == "kgce")
    yield Table(book, "standard_coal", ("edition", "heat", "unit", *DATED), tuple(_definitions(definition)))
    yearbook = tuple(
        _coefficient(row)
        | {"supplement": "statistical_yearbook", "valid_from": "", "valid_to": "", "published": ""}
        for row in coal
        if row["edition"] == "NBS"
    )
    yield Table(
        book,
        "statistical_yearbook",
        ("supplement", "carrier", "item_zh", "coefficient", "unit", *DATED),
        yearbook,
    )


OIL_CARRIERS = {
    "petro_electricity_equal": "electricity",
    "petro_steam_1MPa": "steam_1mpa",
    "petro_purified_air": "compressed_air",
    "petro_nitrogen": "nitrogen_byproduct",
    "petro_low_temp_heat": "low_temperature_heat",
    "petro_fuel_gas": "refinery_fuel_gas",
}


def oil_tables(coal: list[Row]) -> Iterator[Table]:
    """GB 30251: coefficients to standard oil, electricity at its equal value, and what a kilogram of standard oil is."""
    book, edition = "cn_gb_30251_2024", "GB 30251-2024"
    dates = {"valid_from": "2024-01-01", "published": "2024"}
    rows = [row for row in coal if row["edition"] == edition]
    annex = tuple(
        cited(
            row, carrier=OIL_CARRIERS[row["item_code"]], item_zh=row["item_zh"], coefficient=row["coef_low"]
        )
        | {"unit": row["coef_unit"], "energy": row["lhv_low"], "energy_unit": row["lhv_unit"]}
        | dates
        for row in rows
        if row["item_code"] in OIL_CARRIERS
    )
    columns: tuple[str, ...] = ("carrier", "item_zh", "coefficient", "unit", "energy", "energy_unit", *DATED)
    yield Table(book, "oil_coefficients", columns, annex)
    (definition,) = [row for row in rows if row["item_code"] == "kgoe"]
    one = cited(definition, heat=definition["lhv_low"], heat_unit=definition["lhv_unit"]) | dates
    one |= {"coal": definition["coef_low"], "coal_unit": definition["coef_unit"]}
    yield Table(book, "standard_oil", ("heat", "heat_unit", "coal", "coal_unit", *DATED), (one,))


def _coefficient(row: Row) -> Row:
    """A single value is `coefficient`; a range leaves that blank and gives both ends."""
    since, until = EDITION_DATES.get(row["edition"], ("", ""))
    is_range = bool(row["coef_high"])
    return cited(
        row,
        carrier=carrier(row["item_code"]),
        item_zh=row["item_zh"],
        edition=row["edition"],
        coefficient="" if is_range else row["coef_low"],
        coefficient_low=row["coef_low"] if is_range else "",
        coefficient_high=row["coef_high"],
        unit=row["coef_unit"],
        net_calorific_value=row["lhv_low"],
        net_calorific_value_high=row["lhv_high"],
        net_calorific_value_unit=row["lhv_unit"],
        valid_from=since,
        valid_to=until,
        published=EDITION_PUBLISHED.get(row["edition"], ""),
    )


def _basis(row: Row) -> Row:
    basis = {"electricity_equivalent": "equivalent", "electricity_equal": "equal_value"}[row["item_code"]]
    return _coefficient(row) | {"basis": basis}


def _definitions(row: Row) -> Iterator[Row]:
    """The reference row is the 2020 definition; its note gives the figure of the 2008 edition."""
    for edition, heat in (("2020", row["lhv_low"]), ("2008", "29307")):
        assert edition == "2020" or "The 2008 edition says 29 307 kJ" in row["note"]
        since, until = EDITION_DATES[edition]
        source = (
            row["source"]
            if edition == "2020"
            else "GB/T 2589-2008 General principles for calculation of the comprehensive energy consumption"
        )
        dates = {"valid_from": since, "valid_to": until, "published": EDITION_PUBLISHED[edition]}
        yield cited(row) | {
            "edition": edition,
            "heat": heat,
            "unit": row["lhv_unit"],
            "source": source,
            **dates,
        }


# --- GB/T 32150 --------------------------------------------------------------------------------------------------

CHINESE_SETS = ("NDRC-2013-S", "NDRC-2013-C", "MEE-2022-M", "MEE-PROV-2025")


def carbon_tables(fuels: list[Row], grid: list[Row]) -> Iterator[Table]:
    """Default fuel parameters by set; grid factors by series; the heat default."""
    book = "cn_gbt_32150_2015"
    columns = (
        "set", "carrier", "item_zh", "net_calorific_value", "net_calorific_value_unit", "carbon_content", "carbon_content_unit",
        "oxidation_rate", "oxidation_rate_unit", *DATED,
    )  # fmt: skip
    yield Table(
        book,
        "fuel_defaults",
        columns,
        tuple(_fuel_default(row) for row in fuels if row["set_id"] in CHINESE_SETS),
    )
    grid_columns = ("series", "region", "region_name", "value", "unit", "data_year", "notice", *DATED)
    china = [row for row in grid if row["region_code"].startswith("CN") and row["unit"] == "kgCO2/kWh"]
    average = [row for row in china if row["factor_kind"] in ("average", "average_report_year")]
    national = tuple(_grid(row) for row in average if row["level"] == "national")
    yield Table(book, "national_grid_factors", grid_columns, national)
    local = [_grid(row) for row in average if row["level"] == "provincial"]
    for row in average:
        if row["level"] == "regional":
            local.extend(_regional(row))
    yield Table(
        book,
        "local_grid_factors",
        grid_columns,
        tuple(sorted(local, key=lambda r: (r["series"], r["region"], r["valid_from"]))),
    )
    heat = tuple(_heat(row) for row in grid if row["factor_kind"] == "heat")
    yield Table(book, "heat_factors", ("country", "value", "unit", *DATED), heat)


def _fuel_default(row: Row) -> Row:
    """The reference's valid_from is the day of publication, not of legal validity (README, doubt 16)."""
    return cited(
        row,
        set=row["set_id"],
        carrier=carrier(row["fuel_code"]),
        item_zh=row["fuel_zh"],
        net_calorific_value=row["ncv"],
        net_calorific_value_unit=row["ncv_unit"],
        carbon_content=row["cc"],
        carbon_content_unit=row["cc_unit"],
        oxidation_rate=row["oxidation_pct"],
        oxidation_rate_unit="%",
        published=row["valid_from"],
    )


def _series(row: Row) -> str:
    announced = row["notice"].startswith("Announcement")
    if row["level"] == "national":
        return "national_statistical" if announced else "national_notice"
    if row["level"] == "regional":
        return "regional" if announced else "regional_notice"
    return "provincial"


def _grid(row: Row) -> Row:
    """A factor holds for its activity year; 0.6101 (data year 2015) held until 2020, as its note says."""
    since, until = f"{row['data_year']}-01-01", f"{row['data_year']}-12-31"
    if row["value"] == "0.6101":
        until = "2020-12-31"
    published = {"2013-2014": "2014-09"}.get(row["published"], row["published"])
    return cited(
        row,
        series=_series(row),
        region=row["region_code"],
        region_name=row["region"],
        value=row["value"],
        unit=row["unit"],
        data_year=row["data_year"],
        notice=row["notice"],
        valid_from=since,
        valid_to=until,
        published=published,
    )


def _regional(row: Row) -> Iterator[Row]:
    """The grid's own row, and one per province in it: which provinces those are is recalled, so these rows are too."""
    own = _grid(row)
    yield own
    members = (
        CENTRAL_2012
        if own["series"] == "regional_notice" and row["region_code"] == "CN-CENTRAL"
        else GRID_PROVINCES[row["region_code"]]
    )
    for province in members.split():
        note = f"value of {row['region_code']} ({row['confidence']}); that the province belongs to this grid is recalled"
        note = f"{note}; {row['note']}" if row["note"] else note
        yield own | {"region": f"CN-{province}", "confidence": "recalled", "note": note}


def _heat(row: Row) -> Row:
    return cited(row, country=row["region_code"], value=row["value"], unit=row["unit"], published="")


# --- GHG Protocol ------------------------------------------------------------------------------------------------


def protocol_tables(fuels: list[Row], grid: list[Row], gwp: list[Row], blends: list[Row]) -> Iterator[Table]:
    """IPCC 2006 factors, calorific values, warming potentials, blends, grid factors and residual proxies."""
    book = "ghg_protocol_corporate"
    columns = (
        "sector",
        "carrier",
        "item_zh",
        "co2",
        "co2_unit",
        "ch4",
        "ch4_unit",
        "n2o",
        "n2o_unit",
        *DATED,
    )
    sectors = {"IPCC2006-ENERGY": "energy", "IPCC2006-MANUFACTURING": "manufacturing"}
    stationary = [
        _ipcc(row) | {"sector": sectors[row["set_id"]]} for row in fuels if row["set_id"] in sectors
    ]
    yield Table(book, "stationary_factors", columns, tuple(_with_ethanol(stationary)))
    mobile = tuple(_mobile(row) for row in fuels if row["set_id"] == "IPCC2006-ROAD")
    yield Table(book, "mobile_factors", ("technology", *columns[1:]), mobile)
    heat_columns = ("carrier", "item_zh", "net_calorific_value", "unit", *DATED)
    yield Table(book, "net_calorific_values", heat_columns, tuple(_calorific(fuels)))
    gwp_columns = ("group", "gas", "assessment", "gwp", "unit", *DATED)
    yield Table(book, "gwp", gwp_columns, tuple(_gwp(row) for row in gwp))
    yield Table(
        book,
        "refrigerant_blends",
        ("blend", *(_share(gas) for gas in COMPONENTS), "unit", *DATED),
        tuple(_blends(blends)),
    )
    yield from _market_tables(book, grid)


def _ipcc(row: Row) -> Row:
    return cited(
        row,
        carrier=carrier(row["fuel_code"]),
        item_zh=row["fuel_zh"],
        co2=row["co2_kg_per_tj"],
        co2_unit="kgCO2/TJ",
        ch4=row["ch4_kg_per_tj"],
        ch4_unit="kgCH4/TJ",
        n2o=row["n2o_kg_per_tj"],
        n2o_unit="kgN2O/TJ",
        published=row["valid_from"],
    )


def _with_ethanol(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        yield row
        if row["carrier"] == ETHANOL_ROW:
            note = "row of biogasoline, which counts bioethanol (recalled)"
            yield row | {
                "carrier": "ethanol",
                "item_zh": "乙醇",
                "confidence": "recalled",
                "note": f"{note}; {row['note']}",
            }


def _mobile(row: Row) -> Row:
    code = row["fuel_code"]
    technology = {
        "gasoline": "uncontrolled",
        "gasoline_oxicat": "oxidation_catalyst",
        "gasoline_lowmile": "low_mileage_vintage_1995",
    }
    return _ipcc(row) | {
        "technology": technology.get(code, "any"),
        "carrier": "gasoline" if code in technology else carrier(code),
    }


# Gases the plant counts by volume: IPCC states heat per mass, so the Chinese default per volume is taken instead.
BY_VOLUME = {
    "natural_gas": "MEE-2022-M",
    "coke_oven_gas": "MEE-2022-M",
    "blast_furnace_gas": "MEE-2022-M",
    "converter_gas": "MEE-2022-M",
}
NO_HEAT_PER_VOLUME = ("landfill_gas", "sludge_gas", "biogas", "gasworks_gas")


def _calorific(fuels: list[Row]) -> Iterator[Row]:
    def row_of(row: Row) -> Row:
        unit = row["ncv_unit"].replace(" (TJ/Gg)", "")
        return cited(row, carrier=carrier(row["fuel_code"]), item_zh=row["fuel_zh"], net_calorific_value=row["ncv"], unit=unit,
                     published=row["valid_from"])  # fmt: skip

    ipcc = [row_of(row) for row in fuels if row["set_id"] == "IPCC2006-ENERGY"]
    yield from _with_ethanol(row for row in ipcc if row["carrier"] not in (*BY_VOLUME, *NO_HEAT_PER_VOLUME))
    for row in fuels:
        if BY_VOLUME.get(row["fuel_code"]) == row["set_id"]:
            note = "IPCC 2006 states heat per mass; default per volume of a Chinese set taken instead"
            yield row_of(row) | {"note": f"{note}; {row['note']}" if row["note"] else note}


GWP_GROUP = {"CO2": "carbon_dioxide", "N2O": "nitrous_oxide", "HCFC-22": "ozone_depleting"}
GWP_UNIT = {"carbon_dioxide": "kgCO2e/kgCO2", "methane": "kgCO2e/kgCH4", "nitrous_oxide": "kgCO2e/kgN2O"}
METHANE = {"CH4 (all, or biogenic)": "CH4", "CH4 fossil": "CH4_fossil", "CH4 non-fossil": "CH4_non_fossil"}


def _gwp(row: Row) -> Row:
    gas = METHANE.get(row["gas"], row["gas"])
    group = "methane" if row["gas"] in METHANE else GWP_GROUP.get(gas, "fluorinated")
    unit = GWP_UNIT.get(group, "kgCO2e/kg")
    return cited(row, group=group, gas=gas, assessment=row["assessment"], gwp=row["gwp100"], unit=unit)


COMPONENTS = ("HFC-32", "HFC-125", "HFC-134a", "HFC-143a", "HFC-152a")


def _share(gas: str) -> str:
    return gas.lower().replace("-", "_") + "_share"


def _blends(rows: list[Row]) -> Iterator[Row]:
    """One row per blend; a gas the composition does not list is 0, because the composition is complete for Kyoto gases."""
    by_blend: dict[str, list[Row]] = {}
    for row in rows:
        by_blend.setdefault(row["blend"], []).append(row)
    for blend, parts in by_blend.items():
        shares = dict.fromkeys(map(_share, COMPONENTS), "0") | {
            _share(part["gas"]): part["mass_fraction"] for part in parts
        }
        (first, *rest) = parts
        assert all(
            part[name] == first[name] for part in rest for name in ("source", "clause", "confidence", "note")
        )
        yield cited(first) | {"blend": blend, "unit": "1", **shares}


def _market_tables(book: str, grid: list[Row]) -> Iterator[Table]:
    columns = ("region", "region_name", "value", "unit", "data_year", "notice", *DATED)
    average = [row for row in grid if row["factor_kind"] == "average"]
    announced = [_grid(row) for row in average if row["notice"].startswith("Announcement")]
    abroad = [_grid(row) | {"published": ""} for row in average if not row["region_code"].startswith("CN")]
    rows = [*announced, *abroad]
    co2 = tuple(
        sorted(
            (row for row in rows if "CO2e" not in row["unit"]), key=lambda r: (r["region"], r["valid_from"])
        )
    )
    co2e = tuple(row for row in rows if "CO2e" in row["unit"])
    yield Table(book, "grid_factors_co2", columns, co2)
    yield Table(book, "grid_factors_co2e", columns, co2e)
    residual = tuple(
        _grid(row) | {"country": row["region_code"], "note": f"proxy: {row['note']}"}
        for row in grid
        if row["factor_kind"] == "average_excl_market_nonfossil"
    )
    yield Table(book, "residual_mix", ("country", *columns[2:]), residual)
    yield Table(
        book,
        "heat_factors",
        ("country", "value", "unit", *DATED),
        tuple(_heat(row) for row in grid if row["factor_kind"] == "heat"),
    )
    # No public source has these: the plant gives its own, and the tables say which columns they would have.
    yield Table(book, "supplier_factors", ("value", "unit", *DATED), ())
    yield Table(book, "contract_factors", ("contract", "value", "unit", *DATED), ())


def main(arguments: list[str] | None = None) -> int:
    """Write the tables, or with --check say which are out of step."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", nargs="?", type=Path, default=reference_folder())
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args(arguments)
    stale = 0
    tables = all_tables(chosen.folder)
    for table in tables:
        old = table.path.read_text(encoding="utf-8") if table.path.is_file() else None
        if old == table.text():
            continue
        stale += 1
        print(("out of step: " if chosen.check else "written: ") + str(table.path.relative_to(ROOT)))
        if not chosen.check:
            table.path.parent.mkdir(parents=True, exist_ok=True)
            table.path.write_text(table.text(), encoding="utf-8")
    stale += sum(_publish(name, chosen.check) for name in dict.fromkeys(table.rulebook for table in tables))
    return 1 if chosen.check and stale else 0


def _publish(rulebook: str, check: bool) -> int:
    """Seal the rows of a rulebook, or say that some are not sealed yet; how many faults there are."""
    book = load_rulebook(rulebook)
    if not check:
        book.publish()
        return 0
    loose = [name for name, count in book.unsealed().items() if count]
    for name in loose:
        print(f"not sealed: {rulebook}/tables/{name}.csv")
    return len(loose)


if __name__ == "__main__":
    sys.exit(main())

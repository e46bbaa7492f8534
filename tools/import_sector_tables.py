"""The sector rulebooks' tables: fuels, grid and heat factors of each, and its process factors, from the same reference.

A rulebook's folder is complete beside its standard, so the common tables are in every folder; they are made, never copied
by hand. Only the rows of the sector's own texts are taken; those left out are in `LEFT_OUT`, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.import_tables import Table

Row = dict[str, str]

STEEL, CEMENT, ALUMINIUM, GLASS = (
    "cn_gbt_32151_5_2015_iron_steel",
    "cn_ndrc_2013_cement",
    "cn_gbt_32151_4_2015_aluminium",
    "cn_ndrc_2013_flat_glass",
)
POWER, CHEMICALS, PETROCHEMICALS, COKING = (
    "cn_gbt_32151_1_2015_power",
    "cn_gbt_32151_10_2015_chemicals",
    "cn_ndrc_2014_petrochemicals",
    "cn_gbt_32151_13_2023_coking",
)
MAGNESIUM, LIME, CERAMICS, PAPER, OTHER = (
    "cn_ndrc_2013_magnesium",
    "cn_ipcc_2006_lime",
    "cn_ndrc_2013_ceramics",
    "cn_ndrc_2015_paper",
    "cn_ndrc_2015_machinery_other",
)
FUEL_SET = {
    STEEL: "NDRC-2013-S",
    CEMENT: "NDRC-2013-C",
    ALUMINIUM: "NDRC-2013-S",
    GLASS: "NDRC-2013-S",
    POWER: "NDRC-2013-C",
    CHEMICALS: "NDRC-2013-C",
    PETROCHEMICALS: "NDRC-2013-C",
    COKING: "NDRC-2013-C",
    MAGNESIUM: "NDRC-2013-S",
    LIME: "NDRC-2013-C",
    CERAMICS: "NDRC-2013-C",
    PAPER: "NDRC-2013-C",
    OTHER: "NDRC-2013-C",
}
"""The default table of fuels that each sector's guideline carries (reference README, fuels.csv)."""

# (sector, start of factor code) of process_emissions.csv -> why no table takes the row.
LEFT_OUT: dict[tuple[str, str], str] = {
    ("*", "ipcc_"): "IPCC inventory default; the sector text has its own factor or a plant's own balance",
    ("cement", "clk_CaO_ratio"): "the rule has the exact ratio 44/56",
    ("cement", "clk_MgO_ratio"): "the rule has the exact ratio 44/40",
    ("lime", "lime_CaO"): "the rule has the exact ratio 44/56",
    ("lime", "lime_MgO"): "the rule has the exact ratio 44/40",
    ("lime", "lime_ipcc"): "rounded; the rows of IPCC Table 2.4 are taken",
    ("fluorochemicals", ""): "a guideline of its own, of which no text was found",
    ("urea", ""): "the exact ratio 44/60 follows from the carbon content 0.2",
    ("ammonia", ""): "IPCC inventory default; the Chinese text asks for the carbon balance",
    ("ethylene", ""): "IPCC inventory default; the Chinese text asks for the carbon balance",
    ("methanol", ""): "IPCC inventory default; the Chinese text asks for the carbon balance",
    ("carbide", ""): "IPCC inventory default; the Chinese text asks for the carbon balance",
    ("ferroalloys", ""): "no rulebook of ferroalloys",
    ("nonferrous", ""): "no rulebook of zinc and lead",
    ("coal_mining", ""): "no rulebook of coal mining",
    ("coking", "coke_loss"): "no factor: the plant's own balance",
    ("chemicals", "adipic_abate"): "IPCC abatement defaults; the plant gives its own measured rates",
    ("primary_aluminium", "al_gwp"): "taken from gwp.csv, whose values are the same and checked by a test",
}

UNITS = {
    "tCO2/t pure carbonate": "tCO2/t",
    "tCO2/t carbonate": "tCO2/t",
    "tCO2/t clinker": "tCO2/t",
    "tCO2/t bitumen": "tCO2/t",
    "tCO2/t FeSi": "tCO2/t",
    "tCO2/t CaCO3": "tCO2/t",
    "tCO2/t lime": "tCO2/t",
    "tC/t Al": "tC/t",
    "kg/t Al": "kg/t",
    "kg CF4 per t Al per (min/cell-day)": "kg/(t·min)",
    "kgN2O/t HNO3": "kgN2O/t",
    "kgN2O/t": "kgN2O/t",
    "t CO2/1e4 Nm3": "tCO2/1e4 Nm3",
    "tCH4/tCOD": "tCH4/t",
    "tCH4/tBOD": "tCH4/t",
    "kgCH4/kgCOD": "kgCH4/kg",
}
DATED = ("valid_from", "valid_to", "published", "source", "clause", "confidence", "note")

MATERIALS = {
    "in_limestone": "limestone",
    "in_dolomite": "dolomite",
    "in_electrode": "graphite_electrode",
    "in_pig_iron": "pig_iron",
    "in_dri": "direct_reduced_iron",
    "in_ni_iron": "nickel_iron",
    "in_cr_iron": "chrome_iron",
    "in_mo_iron": "molybdenum_iron",
    "in_scrap": "steel_scrap",
    "in_fesi": "ferrosilicon",
    "in_simn": "silicomanganese",
    "in_simn_lowc": "low_carbon_silicomanganese",
    "in_femn_bf": "blast_furnace_ferromanganese",
    "in_femn_eaf_hc": "high_carbon_ferromanganese",
    "in_femn_microc": "micro_carbon_ferromanganese",
    "in_fecr_hc": "high_carbon_ferrochrome",
    "in_scrap_new": "steel_scrap",
}
FLUXES = ("in_limestone", "in_dolomite", "in_electrode")
FIXED = {
    "out_crude_steel": "crude_steel",
    "out_pig_iron": "pig_iron",
    "out_methanol": "methanol",
    "out_crude_steel_new": "crude_steel",
    "out_pig_iron_new": "pig_iron",
    "out_coal_tar": "coal_tar",
    "out_crude_benzol": "crude_benzol",
}
CARBONATES = {
    "carb_CaCO3": "limestone",
    "carb_MgCO3": "magnesite",
    "carb_Na2CO3": "soda_ash",
    "carb_NaHCO3": "sodium_bicarbonate",
    "carb_FeCO3": "siderite",
    "carb_MnCO3": "rhodochrosite",
    "carb_BaCO3": "barium_carbonate",
    "carb_Li2CO3": "lithium_carbonate",
    "carb_K2CO3": "potassium_carbonate",
    "carb_SrCO3": "strontium_carbonate",
    "carb_CaMgCO3_2": "dolomite",
}
GLASS_CARBONATES = {
    "glass_limestone": "limestone",
    "glass_dolomite": "dolomite",
    "glass_magnesite": "magnesite",
    "glass_siderite": "siderite",
    "glass_ankerite": "ankerite",
    "glass_rhodochrosite": "rhodochrosite",
    "glass_soda": "soda_ash",
}
TEXT_OF = {
    "NDRC 2013": "NDRC-2013",
    "GB/T 32151.5-2015 / NDRC 2013": "NDRC-2013",
    "MEE 2024": "MEE-2024",
    "MEE steel facility guideline (2024-2025)": "MEE-2024",
}


@dataclass(frozen=True)
class Sources:
    """What the tables are made from; `common` are the finished tables of GB/T 32150 and the rows of gwp.csv as made."""

    common: Mapping[str, Table]
    process: Sequence[Row]
    power: Sequence[Row]
    gwp: Sequence[Row]

    def rows(self, sector: str, codes: Mapping[str, str], key: str) -> Iterator[Row]:
        """One row per code, in the order of the reference, under the key that the rulebook looks it up by."""
        for row in self.process:
            if row["sector"] == sector and row["factor_code"] in codes:
                yield process_row(row) | {key: codes[row["factor_code"]]}

    def table(
        self, book: str, name: str, columns: tuple[str, ...], rows: Iterator[Row] | Sequence[Row]
    ) -> Table:
        model = next(iter(self.common.values()))
        return replace(model, rulebook=book, name=name, columns=(*columns, *DATED), rows=tuple(rows))


def process_row(row: Row) -> Row:
    """The reference's valid_from is the day of publication, not of legal validity (README, doubt 16)."""
    published = row["valid_from"] if re.fullmatch(r"\d{4}-\d{2}-\d{2}", row["valid_from"]) else ""
    return {
        "item_zh": row["factor_zh"],
        "value": row["value"],
        "unit": UNITS.get(row["unit"], row["unit"]),
        "text": TEXT_OF.get(row["regime"], row["regime"]),
        "published": published,
        **{name: row[name] for name in ("source", "clause", "confidence", "note")},
    }


def sector_tables(sources: Sources) -> Iterator[Table]:
    """Every table of every sector rulebook."""
    for book in FUEL_SET:
        yield from common_tables(sources, book)
    yield from steel_tables(sources)
    yield from cement_tables(sources)
    yield from aluminium_tables(sources)
    yield from glass_tables(sources)
    yield from power_tables(sources)
    yield from chemical_tables(sources)
    yield from refining_tables(sources)
    yield from mineral_tables(sources)
    yield from light_tables(sources)


def common_tables(sources: Sources, book: str) -> Iterator[Table]:
    """The default fuels of the sector's guideline; grid and heat factors as under GB/T 32150."""
    fuels = sources.common["fuel_defaults"]
    rows = tuple(row for row in fuels.rows if row["set"] == FUEL_SET[book])
    yield replace(fuels, rulebook=book, rows=rows)
    names = ["national_grid_factors", "local_grid_factors"]
    if book != POWER:  # whose text counts no purchased heat
        names.append("heat_factors")
    for name in names:
        yield replace(sources.common[name], rulebook=book)


VALUE = ("item_zh", "value", "unit")


def steel_tables(sources: Sources) -> Iterator[Table]:
    """Fluxes and electrodes; carbon-bearing inputs and outputs, each set under its own text, never mixed."""
    flux = {code: MATERIALS[code] for code in FLUXES}
    yield sources.table(
        STEEL, "flux_factors", ("material", *VALUE), sources.rows("iron_steel", flux, "material")
    )
    bearing = {code: name for code, name in MATERIALS.items() if code not in FLUXES}
    columns = ("text", "material", *VALUE)
    yield sources.table(
        STEEL, "carbon_material_factors", columns, sources.rows("iron_steel", bearing, "material")
    )
    columns = ("text", "product", *VALUE)
    yield sources.table(STEEL, "fixed_carbon_factors", columns, sources.rows("iron_steel", FIXED, "product"))


def cement_tables(sources: Sources) -> Iterator[Table]:
    """Clinker defaults, the two ends of non-fuel carbon in raw meal, alternative fuels."""
    codes = {"clk_ets": "mee_default", "clk_default": "ipcc_default"}
    rows = sources.rows("cement", codes, "basis")
    yield sources.table(CEMENT, "clinker_defaults", ("basis", *VALUE), rows)
    yield sources.table(CEMENT, "raw_meal_carbon", ("raw_meal", *VALUE), _raw_meal(sources))
    fuels = [row for row in sources.process if row["factor_code"].startswith("alt_")]
    columns = (
        "material", "item_zh", "net_calorific_value", "net_calorific_value_unit", "value", "unit", "fossil_share",
        "fossil_share_unit",
    )  # fmt: skip
    yield sources.table(CEMENT, "alternative_fuels", columns, map(_alternative_fuel, fuels))


def _raw_meal(sources: Sources) -> Iterator[Row]:
    """The reference has one range; its note says which end holds for which raw meal."""
    (row,) = [row for row in sources.process if row["factor_code"] == "FR0"]
    assert row["value"] == "0.1-0.3"
    assert row["note"].startswith("0.1 % default where no coal waste, 0.3 % with coal gangue")
    for raw_meal, value in (("ordinary", "0.1"), ("with_coal_waste", "0.3")):
        yield process_row(row) | {"raw_meal": raw_meal, "value": value}


ALTERNATIVE = {
    "alt_waste_oil": "waste_oil",
    "alt_tyres": "waste_tyres",
    "alt_plastic": "waste_plastic",
    "alt_solvent": "waste_solvent",
    "alt_leather": "waste_leather",
    "alt_glass_fibre": "waste_glass_fibre",
}


def _alternative_fuel(row: Row) -> Row:
    found = re.search(r"NCV GJ/t=([\d.]+), fossil share %=([\d.]+)", row["factor_en"])
    assert found, row["factor_en"]
    return process_row(row) | {
        "material": ALTERNATIVE[row["factor_code"]],
        "net_calorific_value": found[1],
        "net_calorific_value_unit": "GJ/t",
        "fossil_share": found[2],
        "fossil_share_unit": "%",
    }


def warming(sources: Sources, gases: Sequence[str], assessments: Sequence[str]) -> Iterator[Row]:
    """Warming potentials as made for the GHG Protocol rulebook."""
    for row in sources.gwp:
        if row["gas"] in gases and row["assessment"] in assessments:
            yield row


GWP = ("gas", "assessment", "gwp", "unit")


def aluminium_tables(sources: Sources) -> Iterator[Table]:
    """Anode parameters by text; anode-effect factors; the two sets of warming potentials; carbonates."""
    anode = {
        "al_anode_net_C": "net_consumption",
        "al_anode_net_C_2024": "net_consumption",
        "al_anode_S": "sulphur_content",
        "al_anode_A": "ash_content",
    }
    effect = {
        "al_ef_cf4": "carbon_tetrafluoride",
        "al_ef_c2f6": "hexafluoroethane",
        "al_slope_cf4": "slope",
        "al_ratio_c2f6": "ratio",
    }
    carbonates = {"al_limestone": "limestone", "al_soda": "soda_ash"}
    rows = list(sources.rows("primary_aluminium", anode, "parameter"))
    columns = ("text", "parameter", *VALUE)
    yield sources.table(ALUMINIUM, "anode_parameters", columns, _by_text(rows))
    yield sources.table(
        ALUMINIUM,
        "anode_effect",
        ("parameter", *VALUE),
        sources.rows("primary_aluminium", effect, "parameter"),
    )
    yield sources.table(
        ALUMINIUM,
        "carbonate_factors",
        ("material", *VALUE),
        sources.rows("primary_aluminium", carbonates, "material"),
    )
    potentials = [row | {"text": {"SAR": "NDRC-2013", "AR5": "MEE-2024"}[row["assessment"]]}
                  for row in warming(sources, ("CF4", "C2F6"), ("SAR", "AR5"))]  # fmt: skip
    yield sources.table(ALUMINIUM, "gwp", ("text", *GWP), _by_text(potentials))


EDITION_BORDER = {
    "NDRC-2013": ("", "2024-08-31"),
    "MEE-2024": ("2024-09-01", ""),
}
"""The 2024 text by the day of its publication (reference, valid_from of its rows); the day it applies from was not seen."""


def _by_text(rows: Sequence[Row]) -> Iterator[Row]:
    """Each text's own rows, and once more under `by_date`, each while it is the latest published."""
    yield from rows
    renewed = {row.get("parameter", row.get("gas")) for row in rows if row["text"] == "MEE-2024"}
    for row in rows:
        since, until = EDITION_BORDER[row["text"]]
        if row.get("parameter", row.get("gas")) not in renewed:
            since, until = "", ""
        yield row | {"text": "by_date", "valid_from": since, "valid_to": until}


def glass_tables(sources: Sources) -> Iterator[Table]:
    """Carbonates, the calcined share and the carbon of carbon powder."""
    rows = sources.rows("flat_glass", GLASS_CARBONATES, "material")
    yield sources.table(GLASS, "carbonate_factors", ("material", *VALUE), rows)
    share = sources.rows("flat_glass", {"glass_F": "calcined_share"}, "parameter")
    yield sources.table(GLASS, "calcined_share", ("parameter", *VALUE), share)
    powder = [
        row | {"value": "100", "unit": "%", "note": f"the default of the note: {row['note']}"}
        for row in sources.rows("flat_glass", {"glass_carbon_powder": "carbon_powder"}, "material")
    ]
    assert all("default 100 %" in row["note"] for row in powder)
    yield sources.table(GLASS, "carbon_powder", ("material", *VALUE), powder)


def power_tables(sources: Sources) -> Iterator[Table]:
    """Desulphurisation; the high limits for coal whose carbon was not measured, each while its edition held."""
    (row,) = sources.rows("desulphurisation", {"fgd_caco3": "limestone"}, "material")
    assert row["note"].startswith("CaCO3 share default 90 %, conversion 100 %")
    more = {"carbonate_share": "90", "carbonate_share_unit": "%", "conversion": "100", "conversion_unit": "%"}
    columns = ("material", *VALUE, *more)
    yield sources.table(POWER, "desulphurisation", columns, [row | more])
    dates = {"coal_default_2021": ("", "2022-02-28"), "coal_default_2022": ("2022-03-01", "")}
    limits = []
    for fuel in sources.power:
        since, until = dates[fuel["fuel_code"]]
        kept = {name: fuel[name] for name in ("source", "clause", "confidence", "note")}
        limits.append(
            kept
            | {
                "basis": "high_limit",
                "value": fuel["cc"],
                "unit": fuel["cc_unit"],
                "oxidation_rate": fuel["oxidation_pct"],
            }
            | {
                "oxidation_rate_unit": "%",
                "valid_from": since,
                "valid_to": until,
                "published": fuel["valid_from"],
            }
        )
    limits.sort(key=lambda row: row["valid_from"])
    columns = ("basis", "value", "unit", "oxidation_rate", "oxidation_rate_unit")
    yield sources.table(POWER, "coal_high_limit", columns, limits)


def chemical_tables(sources: Sources) -> Iterator[Table]:
    """Carbon contents, carbonates, nitrous oxide of acids, natural soda ash, density of CO2."""
    contents = {
        row["factor_code"]: row["factor_code"][3:]
        for row in sources.process
        if row["sector"] == "chemicals" and row["factor_code"].startswith("cc_")
    }
    contents |= {"cc_edc": "ethylene_dichloride", "cc_vcm": "vinyl_chloride", "cc_hcn": "hydrogen_cyanide"}
    yield sources.table(
        CHEMICALS, "carbon_contents", ("material", *VALUE), sources.rows("chemicals", contents, "material")
    )
    yield carbonates(sources, CHEMICALS)
    acids = {
        f"n2o_hno3_{kind}": f"nitric_acid_{kind}"
        for kind in (
            "high_pressure",
            "medium_pressure",
            "atmospheric",
            "dual_pressure",
            "combined",
            "low_pressure",
        )
    }
    acids["n2o_adipic"] = "adipic_acid"
    yield sources.table(
        CHEMICALS, "acid_factors", ("technology", *VALUE), sources.rows("chemicals", acids, "technology")
    )
    trona = {"ipcc_trona_consumed": "trona"}
    yield sources.table(
        CHEMICALS, "trona", ("material", *VALUE), sources.rows("chemicals", trona, "material")
    )
    yield density(sources, CHEMICALS)
    rows = warming(sources, ("N2O",), ("SAR", "AR4", "AR5", "AR6"))
    yield sources.table(CHEMICALS, "gwp", GWP, rows)


def carbonates(sources: Sources, book: str) -> Table:
    """Stoichiometric factors of pure carbonates."""
    rows = sources.rows("carbonates", CARBONATES, "material")
    return sources.table(book, "carbonate_factors", ("material", *VALUE), rows)


def density(sources: Sources, book: str) -> Table:
    """Mass of CO2 per volume."""
    rows = sources.rows("ccs", {"co2_density": "carbon_dioxide"}, "gas")
    return sources.table(book, "carbon_dioxide_density", ("gas", *VALUE), rows)


def refining_tables(sources: Sources) -> Iterator[Table]:
    """Coke burnt off catalysts, flares, bitumen blowing, density of CO2."""
    codes = {
        "fcc_coke_C": "coke_carbon_content",
        "fcc_OF": "coke_oxidation_rate",
        "flare_OF": "flare_oxidation_rate",
        "bitumen_blow": "bitumen_blowing",
    }
    rows = sources.rows("petrochemical", codes, "parameter")
    yield sources.table(PETROCHEMICALS, "process_parameters", ("parameter", *VALUE), rows)
    yield density(sources, PETROCHEMICALS)


def mineral_tables(sources: Sources) -> Iterator[Table]:
    """Magnesium, lime, ceramics."""
    codes = {"mg_dolomite": "dolomite", "mg_fesi": "ferrosilicon"}
    rows = []
    for row in sources.rows("magnesium", codes, "material"):
        purity = "98" if row["material"] == "dolomite" else ""
        assert not purity or "purity (98 %)" in row["note"]
        rows.append(row | {"purity": purity, "purity_unit": "%"})
    yield sources.table(MAGNESIUM, "process_factors", ("material", *VALUE, "purity", "purity_unit"), rows)
    yield sources.table(LIME, "lime_defaults", ("country_group", "product", *VALUE, "content", "content_unit", "kiln_dust", "kiln_dust_unit"),
                        _limes(sources))  # fmt: skip
    ceramics = {"cer_CaCO3": "calcium_carbonate", "cer_MgCO3": "magnesium_carbonate"}
    yield sources.table(
        CERAMICS, "carbonate_factors", ("carbonate", *VALUE), sources.rows("ceramics", ceramics, "carbonate")
    )


LIMES = {
    "ipcc_high-calcium_lime": (("developed", "high_calcium_lime"), ("developing", "high_calcium_lime")),
    "ipcc_dolomitic_lime_(developed_coun": (("developed", "dolomitic_lime"),),
    "ipcc_dolomitic_lime_(developing_cou": (("developing", "dolomitic_lime"),),
    "ipcc_hydraulic_lime": (("developed", "hydraulic_lime"), ("developing", "hydraulic_lime")),
}


def _limes(sources: Sources) -> Iterator[Row]:
    """The stored factor is rounded; ratio and content, of which it is the product, are in the note."""
    for row in sources.process:
        if row["factor_code"] not in LIMES or row["sector"] != "lime":
            continue
        found = re.match(
            r"stoichiometric ([\d.]+) x CaO\(MgO\) content ([\d.]+); lime kiln dust correction ([\d.]+)",
            row["note"],
        )
        assert found, row["note"]
        assert abs(float(found[1]) * float(found[2]) - float(row["value"])) < 1e-4
        for group, product in LIMES[row["factor_code"]]:
            yield process_row(row) | {
                "country_group": group,
                "product": product,
                "value": found[1],
                "content": found[2],
                "content_unit": "1",
                "kiln_dust": found[3],
                "kiln_dust_unit": "1",
                "note": f"factor as printed {row['value']}; {row['note']}",
            }


def light_tables(sources: Sources) -> Iterator[Table]:
    """Paper; machinery and the other industries."""
    yield sources.table(
        PAPER,
        "limestone",
        ("material", *VALUE),
        sources.rows("paper", {"limestone": "limestone"}, "material"),
    )
    rows = sources.rows("paper", {"Bo": "methane_capacity", "MCF": "methane_correction"}, "parameter")
    yield sources.table(PAPER, "wastewater", ("parameter", *VALUE), rows)
    methane = ("SAR", "AR4", "AR5")
    yield sources.table(PAPER, "gwp", GWP, warming(sources, ("CH4",), methane))
    yield carbonates(sources, OTHER)
    capacity = {"Bo_COD": "industrial", "Bo_BOD": "domestic"}
    rows = sources.rows("wastewater", capacity, "wastewater")
    yield sources.table(OTHER, "methane_capacity", ("wastewater", *VALUE), rows)
    treatments = {
        "MCF_anaerobic": "anaerobic",
        "MCF_aerobic_a": "aerobic_managed",
        "MCF_aerobic_b": "aerobic_overloaded",
        "MCF_discharge": "discharge",
        "MCF_septic": "septic_tank",
    }
    rows = sources.rows("wastewater", treatments, "treatment")
    yield sources.table(OTHER, "methane_correction", ("treatment", *VALUE), rows)
    waste: list[Row] = []
    for code, parameter in (
        ("CCW", "carbon_content"),
        ("FCF", "fossil_share"),
        ("CE", "combustion_efficiency"),
    ):
        wastes = {f"msw_{code}": "municipal_solid_waste", f"haz_{code}": "hazardous_waste"}
        waste.extend(
            row | {"parameter": parameter} for row in sources.rows("waste_incineration", wastes, "waste")
        )
    yield sources.table(OTHER, "waste_incineration", ("waste", "parameter", *VALUE), waste)
    yield density(sources, OTHER)
    gases = sorted(
        {row["gas"] for row in sources.gwp} - {"CO2", "N2O", "CH4_fossil", "CH4_non_fossil", "HCFC-22"}
    )
    yield sources.table(OTHER, "gwp", GWP, warming(sources, gases, methane))

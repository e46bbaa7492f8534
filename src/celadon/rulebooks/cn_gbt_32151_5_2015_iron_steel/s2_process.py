"""Process emissions of iron and steel making. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import constant, document, first_given, key, sum_of, total

standard = document("GB/T 32151.5-2015")
process = standard.clause(
    {"zh": "核算方法（工业生产过程排放）", "en": "accounting method (process emissions)"},
    {
        "zh": "E = Σ 熔剂消耗量 × EF + 电极消耗量 × EF + Σ 外购含碳原料消耗量 × EF",
        "en": "E = Σ flux × EF + electrodes × EF + Σ carbon-bearing material bought × EF",
    },
)

flux = key("material").isin("limestone", "dolomite")
electrode = key("material") == "graphite_electrode"


@process.rule(
    unit="tCO2",
    per="site, month, material",
    label={"zh": "熔剂分解排放", "en": "Fluxes"},
    when=flux,
)
def flux_emission(material_consumed, flux_emission_factor, material_purity):
    """Limestone and dolomite × factor × purity; taken as pure where it was not analysed, shown as a default."""
    return material_consumed * flux_emission_factor * first_given(material_purity, constant("1", unit="1"))


@process.rule(
    unit="tCO2",
    per="site, month, material",
    label={"zh": "电极消耗排放", "en": "Electrodes"},
    when=electrode,
)
def electrode_emission(material_consumed, flux_emission_factor):
    """Graphite electrodes consumed × factor."""
    return material_consumed * flux_emission_factor


@process.rule(
    unit="tCO2",
    per="site, month, material",
    label={"zh": "外购含碳原料排放", "en": "Carbon-bearing materials bought"},
    when=~flux & ~electrode,
)
def carbon_material_emission(material_consumed, carbon_material_factor):
    """Pig iron, direct reduced iron, ferroalloys and scrap × factor of the account's table."""
    return material_consumed * carbon_material_factor


@process.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "工业生产过程排放", "en": "Process emission"},
)
def process_emission(flux_emission, electrode_emission, carbon_material_emission):
    """Fluxes, electrodes and carbon-bearing materials."""
    return sum_of(
        total(flux_emission, over="material"),
        total(electrode_emission, over="material"),
        total(carbon_material_emission, over="material"),
    )

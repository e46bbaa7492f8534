"""Fuel combustion. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import constant, document, first_given, key

standard = document("NDRC guideline 2015 (other industry)")
parameters = standard.clause(
    {"zh": "核算方法（化石燃料燃烧排放，参数获取）", "en": "accounting method (fuel combustion, parameters)"},
    {
        "zh": "低位发热量与含碳量能实测的采用实测值，否则采用附录的缺省值",
        "en": "Calorific value and carbon content are measured where they can be; else the defaults of "
        "the appendix",
    },
)
combustion = standard.clause(
    {"zh": "核算方法（化石燃料燃烧排放）", "en": "accounting method (fuel combustion)"},
    {
        "zh": "E = Σ AD_i × NCV_i × CC_i × OF_i × 44/12：固定源与移动源燃烧的各种化石燃料，消耗量 × "
        "低位发热量 × 单位热值含碳量 × 碳氧化率 × 44/12",
        "en": "E = Σ AD_i × NCV_i × CC_i × OF_i × 44/12 over the fossil fuels burnt, in stationary and "
        "mobile sources",
    },
)
biomass = standard.clause(
    {"zh": "核算边界（生物质燃料）", "en": "accounting boundary (biomass)"},
    {
        "zh": "生物质燃料不属于化石燃料，单独报告，不计入总量",
        "en": "Biomass fuels are no fossil fuels: they are stated apart, outside the total",
    },
)

fuel = ~key("carrier").isin(
    "electricity", "heat", "fresh_water", "softened_water", "deaerated_water", "compressed_air", "blast_air", "oxygen",
    "nitrogen_byproduct", "nitrogen_main", "argon", "carbon_dioxide_gas", "acetylene", "calcium_carbide",
)  # fmt: skip
biogenic = key("carrier").isin(
    "biomass", "biogas", "ethanol", "black_liquor", "other_solid_biomass", "charcoal", "biogasoline", "biodiesel",
    "other_liquid_biofuel", "landfill_gas", "sludge_gas", "msw_biogenic",
)  # fmt: skip
burnt = fuel & ~(key("purpose") == "feedstock")


@parameters.rule(
    unit="GJ/carrier_unit",
    per="site, month, carrier",
    label={"zh": "采用的低位发热量", "en": "Net calorific value in effect"},
    adds=False,
)
def applied_net_calorific_value(net_calorific_value, default_net_calorific_value):
    """The laboratory's value (batch-mass weighted), else the default, shown as one."""
    return first_given(net_calorific_value, default_net_calorific_value)


@parameters.rule(
    unit="tC/GJ",
    per="site, month, carrier",
    label={"zh": "采用的单位热值含碳量", "en": "Carbon content per heat in effect"},
    adds=False,
)
def applied_carbon_content(carbon_content, default_carbon_content):
    """The laboratory's value, else the default, shown as one."""
    return first_given(carbon_content, default_carbon_content)


@combustion.rule(
    unit="tC",
    per="site, month, carrier, purpose",
    label={"zh": "燃料含碳量", "en": "Carbon in fuel"},
    when=burnt,
)
def fuel_carbon(energy_consumed, applied_net_calorific_value, applied_carbon_content):
    """Amount × calorific value × carbon per heat."""
    return energy_consumed * applied_net_calorific_value * applied_carbon_content


@combustion.rule(
    unit="tCO2",
    per="site, month, carrier, purpose",
    label={"zh": "化石燃料燃烧排放", "en": "Fossil fuel combustion"},
    when=~biogenic,
    not_negative=True,
)
def fuel_combustion_emission(fuel_carbon, oxidation_rate):
    """Carbon × share oxidised × 44/12."""
    return fuel_carbon * oxidation_rate * constant("44/12", unit="tCO2/tC")


@biomass.rule(
    unit="tCO2",
    per="site, month, carrier, purpose",
    label={"zh": "生物质燃料燃烧排放（单列）", "en": "Biomass combustion (apart, outside the total)"},
    when=biogenic,
)
def biogenic_combustion_emission(fuel_carbon, oxidation_rate):
    """The same formula for biomass fuels; a memo item."""
    return fuel_carbon * oxidation_rate * constant("44/12", unit="tCO2/tC")

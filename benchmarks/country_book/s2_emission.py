"""Emissions: bought energy, process, totals."""

from celadon.rules import constant, document, key, sum_of, total

standard = document("CB-1")
bought = standard.clause("2", {"zh": "数量 × 所在地区的排放因子", "en": "Amount × factor of the region"})
process = standard.clause("3", {"zh": "原料用量 × 排放因子", "en": "Material × factor"})
whole = standard.clause("3.1", {"zh": "直接排放与间接排放之和", "en": "Direct and indirect emission"})
electricity = key("carrier") == "electricity"
heat = key("carrier") == "heat"
mwh = constant("1", unit="MWh/carrier_unit")
gj = constant("1", unit="GJ/carrier_unit")


@bought.rule(
    unit="tCO2", per="site, month, carrier", label={"zh": "购电排放", "en": "Electricity"}, when=electricity
)
def electricity_emission(energy_purchased, grid_factor):
    """Bought × grid factor."""
    return energy_purchased * mwh * grid_factor


@bought.rule(unit="tCO2", per="site, month, carrier", label={"zh": "购热排放", "en": "Heat"}, when=heat)
def heat_emission(energy_purchased, heat_factor):
    """Bought × factor of heat."""
    return energy_purchased * gj * heat_factor


@bought.rule(
    unit="tCO2",
    per="site, month, carrier",
    label={"zh": "外供电扣减", "en": "Electricity sold"},
    when=electricity,
)
def exported_electricity_emission(energy_exported, grid_factor):
    """Sold × grid factor."""
    return energy_exported * mwh * grid_factor


@bought.rule(
    unit="tCO2", per="site, month, carrier", label={"zh": "外供热扣减", "en": "Heat sold"}, when=heat
)
def exported_heat_emission(energy_exported, heat_factor):
    """Sold × factor of heat."""
    return energy_exported * gj * heat_factor


@bought.rule(
    unit="tCO2",
    per="site, month, carrier",
    label={"zh": "自发电减排", "en": "Avoided by own generation"},
    when=electricity,
)
def avoided_emission(energy_generated, grid_factor):
    """Generated × grid factor; a memo item."""
    return energy_generated * mwh * grid_factor


@process.rule(unit="tCO2", per="site, month, material", label={"zh": "过程排放", "en": "Process"})
def process_emission(material_consumed, process_factor):
    """Material × factor."""
    return material_consumed * process_factor


@whole.rule(unit="tCO2", per="site, month", label={"zh": "直接排放", "en": "Direct emission"})
def direct_emission(fuel_emission, process_emission):
    """Fuels and process."""
    return sum_of(total(fuel_emission, over="carrier"), total(process_emission, over="material"))


@whole.rule(unit="tCO2", per="site, month", label={"zh": "间接排放", "en": "Indirect emission"})
def indirect_emission(
    electricity_emission, heat_emission, exported_electricity_emission, exported_heat_emission
):
    """Bought less sold."""
    return sum_of(
        total(electricity_emission, over="carrier"),
        total(heat_emission, over="carrier"),
        -total(exported_electricity_emission, over="carrier"),
        -total(exported_heat_emission, over="carrier"),
    )


@whole.rule(unit="tCO2", per="site, month", label={"zh": "排放总量", "en": "Total emission"})
def total_emission(direct_emission, indirect_emission):
    """Direct and indirect."""
    return sum_of(direct_emission, indirect_emission)

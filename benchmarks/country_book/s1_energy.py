"""Fuels: heat, emission, standard coal."""

from celadon.rules import constant, document, key, sum_of, total

standard = document("CB-1")
fuels = standard.clause(
    "1",
    {
        "zh": "消耗量 × 低位发热量 × 单位热值含碳量 × 碳氧化率 × 44/12",
        "en": "Amount × calorific value × carbon × share oxidised × 44/12",
    },
)
energy = standard.clause("1.2", {"zh": "各品种折标准煤量之和", "en": "Sum over carriers in standard coal"})
fuel = ~key("carrier").isin("electricity", "heat")


@fuels.rule(unit="GJ", per="site, month, carrier", label={"zh": "燃料热量", "en": "Heat of fuel"}, when=fuel)
def fuel_heat(energy_consumed, net_calorific_value):
    """Amount × calorific value."""
    return energy_consumed * net_calorific_value


@fuels.rule(
    unit="tCO2", per="site, month, carrier", label={"zh": "燃料排放", "en": "Emission of fuel"}, when=fuel
)
def fuel_emission(fuel_heat, carbon_content, oxidation_rate):
    """Heat × carbon × share oxidised × 44/12."""
    return fuel_heat * carbon_content * oxidation_rate * constant("44/12", unit="tCO2/tC")


@energy.rule(unit="tce", per="site, month, carrier", label={"zh": "折标准煤", "en": "In standard coal"})
def coal_equivalent(energy_consumed, coal_coefficient):
    """Amount × coefficient."""
    return energy_consumed * coal_coefficient


@energy.rule(
    unit="tce", per="site, month, carrier", label={"zh": "购入折标", "en": "Bought, in standard coal"}
)
def purchased_equivalent(energy_purchased, coal_coefficient):
    """Amount × coefficient."""
    return energy_purchased * coal_coefficient


@energy.rule(unit="tce", per="site, month, carrier", label={"zh": "外供折标", "en": "Sold, in standard coal"})
def exported_equivalent(energy_exported, coal_coefficient):
    """Amount × coefficient."""
    return energy_exported * coal_coefficient


@energy.rule(unit="tce", per="site, month", label={"zh": "综合能耗", "en": "Comprehensive energy"})
def comprehensive_energy(coal_equivalent, purchased_equivalent, exported_equivalent):
    """Burnt and bought, less what is sold."""
    return sum_of(
        total(coal_equivalent, over="carrier"),
        total(purchased_equivalent, over="carrier"),
        -total(exported_equivalent, over="carrier"),
    )

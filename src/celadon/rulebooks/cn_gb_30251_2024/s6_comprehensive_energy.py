"""Chapter 6, calculation: comprehensive energy of refining and ethylene, in standard oil, electricity at its equal value.

What enters the boundary (`energy_input`, `medium_input`) is GB/T 2589's. Below 6.1.5 and Annex A the text was not seen.
"""

from celadon.rules import choose, constant, document, first_given, key, sum_of, total

standard = document("GB 30251-2024")
annex = standard.clause(
    {"zh": "附录A 表A.1", "en": "Annex A, Table A.1"},
    {
        "zh": "各能源折算为标准油（41 868 kJ/kg）：有实测低位发热量的按实测值，否则按表列折算系数",
        "en": "Carriers convert to standard oil of 41 868 kJ/kg: by their measured calorific value, "
        "else by the coefficients printed",
    },
)
equal_value = standard.clause(
    "6.1.5",
    {
        "zh": "炼油、乙烯的电力按等价值折算，系数为 0.21 kgoe/kWh",
        "en": "Electricity of refining and ethylene counts at its equal value, 0.21 kgoe/kWh",
    },
)
energy = standard.clause(
    {"zh": "6（能耗计算）", "en": "6 (calculation)"},
    {"zh": "各种能源与耗能工质折标准油量之和", "en": "Sum of each carrier and medium in standard oil"},
)
per_product = standard.clause(
    {"zh": "6（单位产品能耗）", "en": "6 (per product)"},
    {"zh": "综合能耗除以同期产量", "en": "Comprehensive energy over the output of the same period"},
)

heat_amount = constant("1", unit="GJ/carrier_unit")  # heat is kept in GJ (core/carriers)
is_electricity = key("carrier") == "electricity"


@annex.rule(
    unit="toe",
    per="site, month, carrier",
    label={"zh": "各品种能耗（标准油）", "en": "Energy by carrier, in standard oil"},
    when=~is_electricity,
)
def oil_equivalent(energy_input, net_calorific_value, standard_oil_heat, oil_coefficient):
    """Measured heat over that of standard oil first, then the coefficient printed; heat in GJ as it is."""
    of_fuel = first_given(net_calorific_value / standard_oil_heat, oil_coefficient)
    return energy_input * choose(
        (key("carrier") == "heat", heat_amount / standard_oil_heat), otherwise=of_fuel
    )


@equal_value.rule(
    unit="toe",
    per="site, month, carrier",
    label={"zh": "各品种能耗（标准油）", "en": "Energy by carrier, in standard oil"},
    when=is_electricity,
)
def oil_equivalent(energy_input, oil_coefficient):
    """Electricity × its equal value."""
    return energy_input * oil_coefficient


@annex.rule(
    unit="toe",
    per="site, month, carrier",
    label={"zh": "外购耗能工质（标准油）", "en": "Media from outside, in standard oil"},
)
def medium_oil_equivalent(medium_input, oil_coefficient):
    """Each medium's amount × its coefficient."""
    return medium_input * oil_coefficient


@energy.rule(
    unit="toe",
    per="site, month",
    label={"zh": "综合能耗（标准油）", "en": "Comprehensive energy, in standard oil"},
)
def comprehensive_energy_oil(oil_equivalent, medium_oil_equivalent):
    """Sum over carriers, and over media where they count."""
    return sum_of(total(oil_equivalent, over="carrier"), total(medium_oil_equivalent, over="carrier"))


@annex.rule(
    unit="tce",
    per="site, month",
    label={
        "zh": "综合能耗（标准油折标准煤）",
        "en": "Comprehensive energy in standard oil, as standard coal",
    },
)
def comprehensive_energy_oil_in_coal(comprehensive_energy_oil, standard_oil_in_coal):
    """Standard oil × 1.4286 kgce/kgoe: still at the equal value of electricity, so not what GB/T 2589 gives by default."""
    return comprehensive_energy_oil * standard_oil_in_coal


@per_product.rule(
    unit="kgoe/product_unit",
    per="site, month, product",
    label={"zh": "单位产品综合能耗（标准油）", "en": "Energy per unit of product, in standard oil"},
    adds=False,
)
def unit_product_energy_oil(comprehensive_energy_oil, product_output):
    """All energy of the unit asked for ÷ output; a refinery's output is tonnes times energy factor."""
    return comprehensive_energy_oil / product_output

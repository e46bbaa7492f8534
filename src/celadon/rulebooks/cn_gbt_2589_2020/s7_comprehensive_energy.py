"""Chapter 7, method: comprehensive energy, and the indicators per output value and per product.

The conversion to standard coal that these formulas need is chapter 8; the 2008 edition has both as chapters 5 and 6.
"""

from celadon.rules import choose, constant, document, first_given, key, option, sum_of, total

standard = document("GB/T 2589-2020")
conversion = standard.clause(
    {"zh": "8、附录A", "en": "8, Annex A"},
    {
        "zh": "燃料按实测低位发热量与标准煤热值之比折算，无实测值时采用附录A 的折标准煤系数；"
        "电力按当量值或等价值折算，并在结果中注明",
        "en": "Fuels convert by their measured net calorific value over the heat of standard coal; "
        "without a measurement by the coefficients of Annex A; electricity by its equivalent or "
        "its equal value, and the account says which",
    },
)
conversion_media = standard.clause(
    {"zh": "8、附录B", "en": "8, Annex B"},
    {"zh": "耗能工质采用附录B 的折算系数", "en": "Media convert by the coefficients of Annex B"},
)
energy = standard.clause(
    {"zh": "7 式(1)", "en": "7 eq.(1)"},
    {
        "zh": "E = Σ e_i × k_i：各种能源消耗量乘以其折标准煤系数",
        "en": "E = Σ e_i × k_i: amount of each carrier times its coefficient to standard coal",
    },
)
per_value = standard.clause(
    {"zh": "7（单位产值综合能耗）", "en": "7 (per output value)"},
    {"zh": "综合能耗除以同期产值", "en": "Comprehensive energy over the output value of the same period"},
)
per_product = standard.clause(
    {"zh": "7（单位产品综合能耗）", "en": "7 (per product)"},
    {
        "zh": "某产品的综合能耗除以该产品同期合格产量",
        "en": "Comprehensive energy of a product over its output of the same period",
    },
)

electricity_amount = constant("1", unit="MWh/carrier_unit")  # electricity is kept in MWh (core/carriers)


@conversion.rule(
    unit="tce",
    per="site, month, carrier",
    label={"zh": "各品种综合能耗", "en": "Energy by carrier, in standard coal"},
)
def standard_coal_equivalent(
    energy_input,
    net_calorific_value,
    standard_coal_heat,
    standard_coal_coefficient,
    standard_coal_coefficient_low,
    standard_coal_coefficient_high,
    statistical_coefficient,
    electricity_equivalent_coefficient,
    electricity_equal_value,
):
    """Each carrier's input × its coefficient: measured heat first, then the plant's own or Annex A, then what the options allow."""
    annex_a = choose(
        (
            option("range_value") == "low",
            first_given(standard_coal_coefficient, standard_coal_coefficient_low),
        ),
        (
            option("range_value") == "high",
            first_given(standard_coal_coefficient, standard_coal_coefficient_high),
        ),
        otherwise=standard_coal_coefficient,
    )
    from_yearbook = option("supplement") == "statistical_yearbook"
    listed = choose((from_yearbook, first_given(annex_a, statistical_coefficient)), otherwise=annex_a)
    of_fuel = first_given(net_calorific_value / standard_coal_heat, listed)
    of_electricity = electricity_amount * choose(
        (option("electricity_basis") == "equal_value", electricity_equal_value),
        otherwise=electricity_equivalent_coefficient,
    )
    return energy_input * choose((key("carrier") == "electricity", of_electricity), otherwise=of_fuel)


@conversion_media.rule(
    unit="tce",
    per="site, month, carrier",
    label={"zh": "外购耗能工质折标准煤", "en": "Media from outside, in standard coal"},
)
def medium_equivalent(medium_input, medium_coefficient):
    """Each medium's amount × its coefficient."""
    return medium_input * medium_coefficient


@energy.rule(unit="tce", per="site, month", label={"zh": "综合能耗", "en": "Comprehensive energy"})
def comprehensive_energy(standard_coal_equivalent, medium_equivalent):
    """Sum over carriers, and over media where they count."""
    return sum_of(total(standard_coal_equivalent, over="carrier"), total(medium_equivalent, over="carrier"))


@conversion.rule(
    unit="tce/carrier_unit",
    per="site, month, carrier",
    label={"zh": "实际采用的折标准煤系数", "en": "Coefficient in effect"},
    adds=False,
)
def applied_coefficient(standard_coal_equivalent, energy_input):
    """What the carrier's amount was multiplied with, over the period asked for."""
    return standard_coal_equivalent / energy_input


@per_value.rule(
    unit="tce/10^4 CNY",
    per="site, month",
    label={"zh": "单位产值综合能耗", "en": "Energy per output value"},
    adds=False,
)
def unit_value_energy(comprehensive_energy, output_value):
    """Comprehensive energy ÷ output value."""
    return comprehensive_energy / output_value


@per_product.rule(
    unit="tce/product_unit",
    per="site, month, product",
    label={"zh": "单位产品综合能耗", "en": "Energy per unit of product"},
    adds=False,
)
def unit_product_energy(comprehensive_energy, product_output):
    """Energy charged to the product ÷ its output: all of the unit asked for, or its share by output."""
    by_output = comprehensive_energy * product_output / total(product_output, over="product")
    charged = choose((option("product_allocation") == "by_output", by_output), otherwise=comprehensive_energy)
    return charged / product_output

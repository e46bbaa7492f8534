"""Intensity, grades, what exceeds the limit, and ratios of groups."""

from celadon.rules import choose, constant, document, maximum

standard = document("CB-1")
graded = standard.clause(
    "4",
    {
        "zh": "当月强度与地区限值的各倍数相比较",
        "en": "Intensity of the month against multiples of the region's limit",
    },
)
excess = standard.clause(
    "5", {"zh": "超出限值的部分按月计价", "en": "What exceeds the limit, priced by the month"}
)
ratios = standard.clause("6", {"zh": "比率", "en": "Ratios"})
none = constant("0", unit="tCO2")


@graded.rule(unit="tCO2/10^4 CNY", per="site, month", label={"zh": "强度", "en": "Intensity"}, adds=False)
def intensity(total_emission, output_value):
    """Emission over output value."""
    return total_emission / output_value


@graded.rule(unit="1", per="site, month", label={"zh": "1级户月", "en": "Months at grade 1"})
def grade_1(total_emission, output_value, limit):
    """Up to 0.6 of the limit."""
    return choose((total_emission / output_value <= limit * constant("0.6", unit="1"), 1), otherwise=0)


@graded.rule(unit="1", per="site, month", label={"zh": "2级户月", "en": "Months at grade 2"})
def grade_2(total_emission, output_value, limit):
    """Over 0.6, up to the limit."""
    own = total_emission / output_value
    return choose(((own > limit * constant("0.6", unit="1")) & (own <= limit), 1), otherwise=0)


@graded.rule(unit="1", per="site, month", label={"zh": "3级户月", "en": "Months at grade 3"})
def grade_3(total_emission, output_value, limit):
    """Over the limit, up to twice."""
    own = total_emission / output_value
    return choose(((own > limit) & (own <= limit * constant("2", unit="1")), 1), otherwise=0)


@graded.rule(unit="1", per="site, month", label={"zh": "4级户月", "en": "Months at grade 4"})
def grade_4(total_emission, output_value, limit):
    """Over twice the limit."""
    return choose((total_emission / output_value > limit * constant("2", unit="1"), 1), otherwise=0)


@excess.rule(unit="tCO2", per="site, month", label={"zh": "超限排放", "en": "Emission over the limit"})
def excess_emission(total_emission, output_value, limit):
    """Emission less limit × output value, where that is more than nothing."""
    return maximum(total_emission - limit * output_value, none)


@excess.rule(unit="10^4 CNY", per="site, month", label={"zh": "超限成本", "en": "Cost of the excess"})
def excess_cost(excess_emission, carbon_price):
    """Excess × price of the month."""
    return excess_emission * carbon_price


@excess.rule(unit="10^4 CNY", per="site, month", label={"zh": "能源与碳成本", "en": "Energy and carbon cost"})
def whole_cost(excess_cost, energy_cost):
    """Both."""
    return excess_cost + energy_cost


@ratios.rule(
    unit="tCO2/t", per="site, month", label={"zh": "单位产品排放", "en": "Emission per output"}, adds=False
)
def specific_emission(total_emission, product_output):
    """Emission over output."""
    return total_emission / product_output


@ratios.rule(
    unit="tce/10^4 CNY",
    per="site, month",
    label={"zh": "单位增加值能耗", "en": "Energy per added value"},
    adds=False,
)
def specific_energy(comprehensive_energy, added_value):
    """Energy over added value."""
    return comprehensive_energy / added_value


@ratios.rule(unit="1", per="site, month", label={"zh": "直接排放占比", "en": "Direct share"}, adds=False)
def direct_share(direct_emission, total_emission):
    """Direct over total."""
    return direct_emission / total_emission


@ratios.rule(
    unit="10^4 CNY/carrier_unit",
    per="site, month, carrier",
    label={"zh": "购能均价", "en": "Mean price"},
    adds=False,
)
def mean_price(energy_cost, energy_purchased):
    """Cost over what is bought."""
    return energy_cost / energy_purchased

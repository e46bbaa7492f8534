"""Energy per good unit: the energy facts of the energy and carbon accounts over the good quantity."""

from celadon.rules import choose, constant, document, key, total

standard = document("ISO 22400-2:2014")
energy = standard.clause(
    {"zh": "单位合格品能耗（按定义）", "en": "energy per good unit (by definition)"},
    {
        "zh": "期内能源消耗量除以期内合格品产量",
        "en": "Energy used over the period divided by the good quantity of the period",
    },
)

electricity_amount = constant("1", unit="MWh/carrier_unit")  # electricity is kept in MWh (core/carriers)
heat_amount = constant("1", unit="GJ/carrier_unit")  # heat is kept in GJ


@energy.rule(
    unit="GJ", per="site, month, carrier", label={"zh": "能源热量", "en": "Energy by carrier, as heat"}
)
def energy_as_heat(energy_consumed, net_calorific_value):
    """Electricity and heat by their own content; fuels by their measured calorific value, absent without one."""
    content = choose(
        (key("carrier") == "electricity", electricity_amount),
        (key("carrier") == "heat", heat_amount),
        otherwise=net_calorific_value,
    )
    return total(energy_consumed, over="purpose") * content


@energy.rule(
    unit="GJ/product_unit",
    per="site, month, product",
    label={"zh": "单位合格品能耗", "en": "Energy per good unit"},
    adds=False,
)
def energy_per_good_unit(energy_as_heat, product_output):
    """All energy of the place asked for ÷ the product's good quantity; ask by process where several products are made."""
    return total(energy_as_heat, over="carrier") / product_output

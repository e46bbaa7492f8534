"""Total of the enterprise, and per tonne of crude steel. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import document, key, sum_of, total

standard = document("GB/T 32151.5-2015")
whole = standard.clause(
    {"zh": "核算方法（排放总量）", "en": "accounting method (total)"},
    {
        "zh": "E = E燃烧 + E过程 + E电 + E热 − R固碳",
        "en": "E = E_burn + E_process + E_electricity + E_heat − R_fixed",
    },
)
intensity = standard.clause(
    {"zh": "报告内容（排放强度）", "en": "report (intensity)"},
    {"zh": "排放总量除以粗钢产量", "en": "Total ÷ crude steel"},
)


@whole.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "温室气体排放总量", "en": "Total emission"},
    not_negative=True,
)
def total_emission(
    fuel_combustion_emission,
    own_coke_emission,
    purchased_gas_emission,
    process_emission,
    purchased_electricity_emission,
    purchased_heat_emission,
    exported_electricity_emission,
    exported_heat_emission,
    fixed_carbon,
):
    """Combustion less coke made inside, process and purchases, less exports and fixed carbon."""
    return sum_of(
        total(fuel_combustion_emission, over="carrier, purpose"),
        -total(own_coke_emission, over="carrier"),
        total(purchased_gas_emission, over="carrier"),
        process_emission,
        total(purchased_electricity_emission, over="carrier"),
        total(purchased_heat_emission, over="carrier"),
        -total(exported_electricity_emission, over="carrier"),
        -total(exported_heat_emission, over="carrier"),
        -fixed_carbon,
    )


@intensity.rule(
    unit="t",
    per="site, month, product",
    label={"zh": "粗钢产量", "en": "Crude steel made"},
    when=key("product") == "crude_steel",
)
def crude_steel_output(product_output):
    """The output booked as crude_steel."""
    return product_output


@intensity.rule(
    unit="tCO2/t",
    per="site, month",
    label={"zh": "吨钢排放", "en": "Emission per tonne of crude steel"},
    adds=False,
)
def crude_steel_intensity(total_emission, crude_steel_output):
    """Total ÷ crude steel made."""
    return total_emission / total(crude_steel_output, over="product")

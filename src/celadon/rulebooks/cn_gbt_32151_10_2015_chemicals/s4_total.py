"""Total of the enterprise. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import constant, document, sum_of, total

standard = document("GB/T 32151.10-2015")
whole = standard.clause(
    {"zh": "核算方法（排放总量）", "en": "accounting method (total)"},
    {
        "zh": "E = 燃料燃烧排放 + 过程排放 − 二氧化碳回收利用量 + 购入电力和热力排放 − 输出电力和热力排放",
        "en": "E = fuel + process − CO2 recovered + purchased − exported electricity and heat",
    },
)
warming = constant("1", unit="tCO2e/tCO2")  # CO2 is the measure itself


@whole.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "温室气体排放总量", "en": "Total emission"},
)
def total_emission(
    fuel_combustion_emission,
    raw_material_emission,
    acid_emission,
    purchased_electricity_emission,
    purchased_heat_emission,
    exported_electricity_emission,
    exported_heat_emission,
    carbon_dioxide_recovery,
):
    """All sources, less what is subtracted; biomass stays apart."""
    return sum_of(
        total(fuel_combustion_emission, over="carrier, purpose") * warming,
        raw_material_emission * warming,
        acid_emission,
        total(purchased_electricity_emission, over="carrier") * warming,
        total(purchased_heat_emission, over="carrier") * warming,
        -total(exported_electricity_emission, over="carrier") * warming,
        -total(exported_heat_emission, over="carrier") * warming,
        -carbon_dioxide_recovery * warming,
    )

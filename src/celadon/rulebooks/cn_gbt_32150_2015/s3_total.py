"""Total of the enterprise: combustion, purchases, less exports. Process emissions and recovery are not modelled here."""

from celadon.rules import document, sum_of, total

standard = document("GB/T 32150-2015")
whole = standard.clause(
    {"zh": "核算步骤与核算方法（排放总量）", "en": "accounting steps and methods (total)"},
    {
        "zh": "E = 燃料燃烧排放 + 过程排放 + 购入电力排放 + 购入热力排放 − 输出电力排放 − 输出热力排放 "
        "− 回收利用量；过程排放与回收利用由行业部分规定，此处不计",
        "en": "E = combustion + process + purchased electricity + purchased heat − exported "
        "electricity − exported heat − recovered; here without process and recovered, which the "
        "sector parts define",
    },
)


@whole.rule(unit="tCO2", per="site, month", label={"zh": "温室气体排放总量", "en": "Total emission"})
def total_emission(
    fuel_combustion_emission,
    purchased_electricity_emission,
    purchased_heat_emission,
    exported_electricity_emission,
    exported_heat_emission,
):
    """Combustion and purchases less exports; biomass stays apart."""
    return sum_of(
        total(fuel_combustion_emission, over="carrier, purpose"),
        total(purchased_electricity_emission, over="carrier"),
        total(purchased_heat_emission, over="carrier"),
        -total(exported_electricity_emission, over="carrier"),
        -total(exported_heat_emission, over="carrier"),
    )

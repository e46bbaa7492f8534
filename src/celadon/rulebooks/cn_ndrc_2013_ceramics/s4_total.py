"""Total of the enterprise. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import document, sum_of, total

standard = document("NDRC guideline 2013 (ceramics)")
whole = standard.clause(
    {"zh": "核算方法（排放总量）", "en": "accounting method (total)"},
    {
        "zh": "E = 燃料燃烧排放 + 原料分解排放 + 购入电力和热力排放 − 输出电力和热力排放",
        "en": "E = fuel + raw material + purchased − exported electricity and heat",
    },
)


@whole.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "温室气体排放总量", "en": "Total emission"},
)
def total_emission(
    fuel_combustion_emission,
    raw_material_emission,
    purchased_electricity_emission,
    purchased_heat_emission,
    exported_electricity_emission,
    exported_heat_emission,
):
    """All sources, less what is subtracted; biomass stays apart."""
    return sum_of(
        total(fuel_combustion_emission, over="carrier, purpose"),
        total(raw_material_emission, over="material"),
        total(purchased_electricity_emission, over="carrier"),
        total(purchased_heat_emission, over="carrier"),
        -total(exported_electricity_emission, over="carrier"),
        -total(exported_heat_emission, over="carrier"),
    )

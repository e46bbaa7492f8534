"""Total of the enterprise. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import document, sum_of, total

standard = document("GB/T 32151.1-2015")
whole = standard.clause(
    {"zh": "核算方法（排放总量）", "en": "accounting method (total)"},
    {
        "zh": "E = 化石燃料燃烧排放 + 脱硫过程排放 + 购入电力排放；自发外售的电力不扣除",
        "en": "E = fuel + desulphurisation + purchased electricity; what is generated and sold is not "
        "subtracted",
    },
)


@whole.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "温室气体排放总量", "en": "Total emission"},
)
def total_emission(fuel_combustion_emission, desulphurisation_emission, purchased_electricity_emission):
    """Combustion, desulphurisation and electricity bought; electricity and heat sold are the product and subtract nothing."""
    return sum_of(
        total(fuel_combustion_emission, over="carrier, purpose"),
        total(desulphurisation_emission, over="material"),
        total(purchased_electricity_emission, over="carrier"),
    )

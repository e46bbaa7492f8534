"""Clauses 6.4.2 and 6.4.9: what each process emits, from the energy facts of the organisation's account. The number is the order."""

from celadon.rules import document, sum_of, total

standard = document("ISO 14067:2018")
inventory = standard.clause(
    {"zh": "6.4.2、6.4.9", "en": "6.4.2 and 6.4.9"},
    {
        "zh": "各单元过程的排放：燃料、外购能源（含上游）与过程本身",
        "en": "Emissions of each unit process: fuel, energy bought with its upstream part, and the "
        "process itself",
    },
)
biogenic = standard.clause("6.4.9.2", {"zh": "生物质碳单独量化", "en": "Biogenic carbon is quantified apart"})


@inventory.rule(
    unit="tCO2e",
    per="process, month",
    label={"zh": "工序化石排放", "en": "Fossil emission of a process"},
)
def process_fossil_emission(
    scope_1, scope_2_location_based, upstream_fuel_emission, upstream_energy_emission, direct_process_emission
):
    """Direct, energy bought by the grid average, upstream of both, and the process itself."""
    return sum_of(
        scope_1,
        scope_2_location_based,
        total(upstream_fuel_emission, over="carrier, purpose"),
        total(upstream_energy_emission, over="carrier"),
        total(direct_process_emission, over="source"),
    )


@biogenic.rule(
    unit="tCO2e",
    per="process, month",
    label={"zh": "工序生物源排放", "en": "Biogenic emission of a process"},
)
def process_biogenic_emission(biogenic_carbon_dioxide, carbon_dioxide_gwp):
    """CO2 of biomass burnt."""
    return total(biogenic_carbon_dioxide, over="carrier, purpose") * carbon_dioxide_gwp

"""Hourly electricity times what the grid emitted in that hour."""

from celadon.rules import constant, document, total

standard = document("HB-1")
bought = standard.clause("1", {"zh": "购入电量", "en": "Electricity bought"})
emitted = standard.clause(
    "2",
    {
        "zh": "某小时购入电量 × 该小时电网排放强度",
        "en": "Electricity bought in an hour × the grid's intensity in that hour",
    },
)
mwh = constant("1", unit="MWh/carrier_unit")


@bought.rule(unit="MWh", per="site, hour", label={"zh": "购入电量", "en": "Electricity"})
def electricity(energy_purchased):
    """All that was bought."""
    return total(energy_purchased, over="carrier") * mwh


@emitted.rule(unit="kgCO2", per="site, hour", label={"zh": "排放量", "en": "Emission"})
def emission(electricity, grid_intensity):
    """Hour by hour."""
    return electricity * grid_intensity

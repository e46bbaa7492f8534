"""The factors of `country_book` that are the same everywhere, for those who compute by hand."""

from __future__ import annotations

CARBON = 44 / 12
FUELS = {
    # column: calorific value, carbon per heat, share oxidised, coal coefficient
    "raw_coal": (20.9, 0.0264, 0.94, 0.7143),
    "cleaned_coal": (26.3, 0.0254, 0.94, 0.9),
    "coke": (28.4, 0.0295, 0.93, 0.9714),
    "natural_gas": (0.03893, 0.0153, 0.99, 0.00133),
    "diesel": (42.7, 0.0202, 0.98, 1.4571),
    "gasoline": (43.1, 0.0189, 0.98, 1.4714),
    "fuel_oil": (41.8, 0.0211, 0.98, 1.4286),
    "lpg": (50.2, 0.0172, 0.98, 1.7143),
}
MATERIALS = {"limestone": 0.44, "dolomite": 0.471}
ELECTRICITY, HEAT, HEAT_FACTOR = 0.1229, 0.03412, 0.11

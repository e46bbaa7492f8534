"""Allocation to production lines of steel, cement and aluminium smelting, 2024 and 2025."""

from celadon.rules import choose, document, key, maximum, minimum

plan = document("国环规气候〔2025〕2号")
first = plan.clause("allocation formula, 2024", "A = E: the allocation equals verified direct emissions")
second = plan.clause(
    "allocation formula, 2025",
    "A = E × (1 + α); I = E / P, X = (B − I) / B, α = 0.15 X, at least −3 % and at most +3 %; special lines A = E",
)

special = key("purpose") == "special"


@second.rule(
    unit="tCO2e/t",
    per="site, month, production_line, purpose",
    label={"zh": "生产线排放强度", "en": "Intensity of the line"},
    adds=False,
)
def line_intensity(verified_line_emission, line_output):
    """Verified emission ÷ output."""
    return verified_line_emission / line_output


@first.rule(
    unit="tCO2e",
    per="site, month, production_line, purpose",
    label={"zh": "生产线配额", "en": "Allocation of the line"},
    adds=False,
    since="2024-01-01",
    until="2024-12-31",
)
def line_allocation(verified_line_emission):
    """Verified emission."""
    return verified_line_emission


@second.rule(
    unit="tCO2e",
    per="site, month, production_line, purpose",
    label={"zh": "生产线配额", "en": "Allocation of the line"},
    adds=False,
    since="2025-01-01",
    until="2025-12-31",
)
def line_allocation(
    verified_line_emission,
    line_intensity,
    sector_balance_value,
    adjustment_slope,
    adjustment_high,
    adjustment_low,
):
    """Verified emission × (1 + α); lower intensity than the balance value gains, higher loses."""
    lead = (sector_balance_value - line_intensity) / sector_balance_value
    adjustment = minimum(maximum(adjustment_slope * lead, adjustment_low), adjustment_high)
    return choose((special, verified_line_emission), otherwise=verified_line_emission * (1 + adjustment))

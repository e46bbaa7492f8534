"""Allocation to production lines of steel, cement and aluminium smelting, from 2024 on."""

from celadon.rules import choose, document, key, maximum, minimum

plan = document("国环规气候〔2025〕2号")
first = plan.clause(
    {"zh": "配额核算公式，2024 年度", "en": "allocation formula, 2024"},
    {
        "zh": "A = E：配额量等于经核查的直接排放量",
        "en": "A = E: the allocation equals verified direct emissions",
    },
)
second = plan.clause(
    {"zh": "配额核算公式，2025 年度", "en": "allocation formula, 2025"},
    {
        "zh": "A = E × (1 + α)；I = E / P，X = (B − I) / B，α = 0.15 X，且不低于 −3 %、不高于 +3 %；"
        "特殊产线 A = E",
        "en": "A = E × (1 + α); I = E / P, X = (B − I) / B, α = 0.15 X, at least −3 % and at most +3 "
        "%; special lines A = E",
    },
)

third = document("国环规气候〔2026〕1号").clause(
    {"zh": "配额核算公式，2026 年度", "en": "allocation formula, 2026"},
    {
        "zh": "A = E × (1 + α)，α 在 −3 % 与 +3 % 之间，以对该产线的通知为准",
        "en": "A = E × (1 + α), α between −3 % and +3 %, as notified for the line",
    },
)
years = plan.clause(
    {"zh": "覆盖行业与年度", "en": "sectors and years"},
    {"zh": "三个行业自 2024 年度起纳入", "en": "The three sectors are covered from the year 2024 on"},
)

special = key("purpose") == "special"


@years.rule(
    unit="tCO2e",
    per="site, month, production_line, purpose",
    label={"zh": "纳入的生产线核查排放量", "en": "Verified emission of a covered line"},
    adds=False,
    since="2024-01-01",
)
def covered_line_emission(verified_line_emission):
    """Verified emission, from the first year that counts."""
    return verified_line_emission


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


@third.rule(
    unit="tCO2e",
    per="site, month, production_line, purpose",
    label={"zh": "生产线配额", "en": "Allocation of the line"},
    adds=False,
    since="2026-01-01",
)
def line_allocation(verified_line_emission, line_adjustment, adjustment_bound):
    """Verified emission × (1 + α), α never beyond ±3 %; absent until the line's α is given, since how it is worked out was
    not read."""
    adjustment = minimum(maximum(line_adjustment, -adjustment_bound), adjustment_bound)
    return verified_line_emission * (1 + adjustment)

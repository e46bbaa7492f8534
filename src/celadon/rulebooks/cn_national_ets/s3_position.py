"""The entity: is it covered, what it is allocated, what it owes, and what the difference is worth."""

from celadon.rules import choose, document, key, minimum, option, sum_of, total

decree = document("MEE Decree 19")
plan = document("国环规气候〔2020〕3号")
reports = document("CEA trading reports")
threshold = decree.clause(
    {"zh": "重点排放单位纳入条件", "en": "entity threshold"},
    {
        "zh": "年度直接排放量达到 2.6 万吨二氧化碳当量及以上的纳入",
        "en": "Covered with direct emissions of 26 000 tCO2e or more in a year",
    },
)
allocated = decree.clause(
    {"zh": "配额分配", "en": "allocation"}, {"zh": "各机组、各产线配额之和", "en": "Σ over units and lines"}
)
capped = plan.clause(
    {"zh": "缺口履约规定及后续方案", "en": "shortfall rule and later plans"},
    {
        "zh": "应清缴量：经核查的排放量，但不超过配额量加排放量的 20 %；燃气机组不超过其配额量",
        "en": "Owed: verified emissions, but no more than allocation plus 20 % of them; gas units no "
        "more than their allocation",
    },
)
position = decree.clause(
    {"zh": "配额清缴", "en": "surrender"},
    {
        "zh": "配额量减应清缴量：大于零为盈余，小于零为缺口",
        "en": "Allocation less obligation: a surplus above zero, a shortfall below",
    },
)
offset = decree.clause(
    {"zh": "抵销", "en": "offset"},
    {
        "zh": "可用于抵销的减排量不超过应清缴量的 5 %",
        "en": "At most 5 % of the obligation may be met with offsets",
    },
)
price = reports.clause(
    {"zh": "年度价格", "en": "annual prices"},
    {"zh": "年末收盘价，或成交额除以成交量", "en": "Close of the year, or traded value over traded volume"},
)

is_gas = key("purpose") == "gas"


@threshold.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "核查排放量", "en": "Verified emission"},
    adds=False,
)
def verified_emission(verified_unit_emission, covered_line_emission):
    """All units and lines of covered sectors."""
    return sum_of(
        total(verified_unit_emission, over="generating_unit, purpose"),
        total(covered_line_emission, over="production_line, purpose"),
    )


@threshold.rule(
    unit="1",
    per="site, month",
    label={"zh": "是否纳入（1 是，0 否）", "en": "Covered (1 yes, 0 no)"},
    adds=False,
)
def covered(verified_emission, coverage_threshold):
    """1 where the year's emission reaches the threshold; ask by enterprise where it has several sites."""
    return choose((verified_emission >= coverage_threshold, 1), (verified_emission < coverage_threshold, 0))


@allocated.rule(unit="tCO2e", per="site, month", label={"zh": "配额总量", "en": "Allocation"}, adds=False)
def total_allocation(unit_allocation, line_allocation):
    """Units and lines."""
    return sum_of(
        total(unit_allocation, over="generating_unit, purpose"),
        total(line_allocation, over="production_line, purpose"),
    )


@capped.rule(
    unit="tCO2e",
    per="site, month, generating_unit, purpose",
    label={"zh": "燃气机组清缴义务", "en": "Obligation of a gas unit"},
    adds=False,
    when=is_gas,
)
def gas_unit_obligation(verified_unit_emission, unit_allocation):
    """Verified emission, at most the unit's allocation."""
    return minimum(verified_unit_emission, unit_allocation)


@capped.rule(
    unit="tCO2e",
    per="site, month, generating_unit, purpose",
    label={"zh": "燃煤机组排放量", "en": "Emission of a coal unit"},
    adds=False,
    when=~is_gas,
)
def coal_unit_emission(verified_unit_emission):
    """Verified emission of units that do not burn gas."""
    return verified_unit_emission


@capped.rule(
    unit="tCO2e",
    per="site, month, generating_unit, purpose",
    label={"zh": "燃煤机组配额", "en": "Allocation of a coal unit"},
    adds=False,
    when=~is_gas,
)
def coal_unit_allocation(unit_allocation):
    """Allocation of units that do not burn gas."""
    return unit_allocation


@capped.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "燃煤机组清缴义务", "en": "Obligation of the coal units"},
    adds=False,
)
def coal_obligation(coal_unit_emission, coal_unit_allocation, shortfall_cap):
    """Verified emissions, at most allocation plus the capped shortfall."""
    emission = total(coal_unit_emission, over="generating_unit, purpose")
    allocation = total(coal_unit_allocation, over="generating_unit, purpose")
    return minimum(emission, allocation + shortfall_cap * emission)


@capped.rule(
    unit="tCO2e", per="site, month", label={"zh": "清缴义务", "en": "Surrender obligation"}, adds=False
)
def surrender_obligation(coal_obligation, gas_unit_obligation, covered_line_emission):
    """Coal units with their cap, gas units with theirs, lines in full."""
    return sum_of(
        coal_obligation,
        total(gas_unit_obligation, over="generating_unit, purpose"),
        total(covered_line_emission, over="production_line, purpose"),
    )


@position.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "配额盈缺（正为盈余）", "en": "Surplus (above zero) or shortfall"},
    adds=False,
)
def allowance_position(total_allocation, surrender_obligation):
    """Allocation − obligation."""
    return total_allocation - surrender_obligation


@price.rule(
    unit="CNY", per="site, month", label={"zh": "配额盈缺价值", "en": "Value of the position"}, adds=False
)
def allowance_position_value(allowance_position, closing_price, traded_value, traded_volume):
    """Position × price of the year: its close, or traded value ÷ traded volume."""
    return allowance_position * choose(
        (option("price") == "average", traded_value / traded_volume), otherwise=closing_price
    )


@offset.rule(
    unit="tCO2e", per="site, month", label={"zh": "抵销上限", "en": "Most that offsets may meet"}, adds=False
)
def offset_cap(surrender_obligation, offset_share):
    """Share × obligation."""
    return surrender_obligation * offset_share

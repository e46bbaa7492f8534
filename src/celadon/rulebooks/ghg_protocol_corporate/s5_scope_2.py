"""Scope 2 Guidance: purchased electricity and heat, by the location-based and by the market-based method.

Contracts are matched with purchases over the place and period asked for: ask for the year, as certificates are yearly.
"""

from celadon.rules import choose, constant, document, first_given, key, maximum, option, sum_of, total

guidance = document("GHG Protocol Scope 2 Guidance")
consumed = guidance.clause(
    {"zh": "识别范围二一章", "en": "chapter on identifying scope 2"},
    {
        "zh": "外购并使用的电力、蒸汽、热力与冷量",
        "en": "Electricity, steam, heat and cooling bought and used",
    },
)
location = guidance.clause(
    {"zh": "基于位置的方法", "en": "location-based method"},
    {
        "zh": "Σ E × 用电所在电网的平均因子，取最精确的区域与最接近的年份",
        "en": "Σ E × average factor of the grid where it is used, the most precise region, the closest year",
    },
)
claims = guidance.clause(
    {"zh": "基于市场的方法：合同凭证", "en": "market-based method: contractual instruments"},
    {
        "zh": "符合质量标准的合同凭证所覆盖的能源 × 凭证所载因子；覆盖量不得超过消费量",
        "en": "Energy under instruments that meet the quality criteria × the factor they convey; "
        "covered energy cannot exceed consumption",
    },
)
untracked = guidance.clause(
    {"zh": "基于市场的方法：因子优先顺序", "en": "market-based method: hierarchy of factors"},
    {
        "zh": "无合同凭证覆盖的部分：采用供应商因子，否则采用剩余结构因子，再否则采用其他电网平均因子并注明",
        "en": "What no instrument covers: the supplier's factor, else the residual mix, else another "
        "grid average, and say so",
    },
)
market = guidance.clause(
    {"zh": "基于市场的方法", "en": "market-based method"},
    {
        "zh": "MB = Σ 覆盖量 × 合同因子 + 未覆盖量 × 剩余结构因子",
        "en": "MB = Σ covered × contract factor + uncovered × residual factor",
    },
)

is_electricity = key("carrier") == "electricity"
is_heat = key("carrier") == "heat"
by_equity = option("consolidation") == "equity_share"
whole = constant("1", unit="1")
electricity_amount = constant("1", unit="MWh/carrier_unit")  # electricity is kept in MWh (core/carriers)
heat_amount = constant("1", unit="GJ/carrier_unit")  # heat is kept in GJ
nothing = constant("0", unit="MWh")
no_emission = constant("0", unit="tCO2e/MWh")


@consumed.rule(
    unit="MWh",
    per="site, month, carrier",
    label={"zh": "购入电量（按合并比例）", "en": "Electricity bought (consolidated share)"},
    when=is_electricity,
)
def electricity_purchased(energy_purchased, equity_share):
    """Electricity bought × the share of the site that is the company's."""
    return energy_purchased * electricity_amount * choose((by_equity, equity_share), otherwise=whole)


@consumed.rule(
    unit="tCO2e",
    per="site, month, carrier",
    label={"zh": "购入热力排放", "en": "Purchased heat"},
    when=is_heat,
)
def purchased_heat_emission(energy_purchased, heat_emission_factor, carbon_dioxide_gwp, equity_share):
    """Heat bought × factor of heat; the same in both methods unless a contract says otherwise."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return energy_purchased * heat_amount * heat_emission_factor * carbon_dioxide_gwp * share


@location.rule(
    unit="tCO2e/MWh",
    per="site, month",
    label={"zh": "采用的电网平均因子", "en": "Grid average factor in effect"},
    adds=False,
)
def applied_grid_emission_factor(grid_emission_factor, carbon_dioxide_gwp, grid_emission_factor_co2e):
    """The region's CO2 factor, or one that is already in CO2e."""
    in_co2e = grid_emission_factor * carbon_dioxide_gwp
    return choose((in_co2e >= no_emission, in_co2e), otherwise=grid_emission_factor_co2e)


@location.rule(
    unit="tCO2e",
    per="site, month, carrier",
    label={"zh": "购入电力排放（基于位置）", "en": "Purchased electricity, location-based"},
)
def location_based_electricity_emission(electricity_purchased, applied_grid_emission_factor):
    """Electricity bought × grid average."""
    return electricity_purchased * applied_grid_emission_factor


@location.rule(
    unit="tCO2e", per="site, month", label={"zh": "范围二排放（基于位置）", "en": "Scope 2, location-based"}
)
def scope_2_location_based(location_based_electricity_emission, purchased_heat_emission):
    """Electricity and heat."""
    return sum_of(
        total(location_based_electricity_emission, over="carrier"),
        total(purchased_heat_emission, over="carrier"),
    )


@claims.rule(
    unit="MWh",
    per="site, month, contract",
    label={"zh": "主张的合同电量", "en": "Electricity claimed under contracts"},
)
def claimed_electricity(contract_electricity, contract_emission_factor, equity_share):
    """Only a contract that conveys a factor can be claimed; another one stays absent, and what it should cover is uncovered."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return choose((contract_emission_factor >= no_emission, contract_electricity * share))


@claims.rule(
    unit="tCO2e",
    per="site, month, contract",
    label={"zh": "合同电量排放", "en": "Emission of claimed electricity"},
)
def claimed_electricity_emission(claimed_electricity, contract_emission_factor):
    """Claimed electricity × the factor its contract conveys."""
    return claimed_electricity * contract_emission_factor


@untracked.rule(
    unit="tCO2e/MWh",
    per="site, month",
    label={"zh": "未覆盖电量的因子", "en": "Factor of uncovered electricity"},
    adds=False,
)
def untracked_emission_factor(
    supplier_emission_factor, residual_mix_factor, carbon_dioxide_gwp, applied_grid_emission_factor
):
    """Supplier, residual mix, grid average: the first there is; the grid average is shown as a default."""
    residual = first_given(residual_mix_factor * carbon_dioxide_gwp, applied_grid_emission_factor)
    return choose((supplier_emission_factor >= no_emission, supplier_emission_factor), otherwise=residual)


@untracked.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "购入减主张电量之差的排放", "en": "Emission of electricity bought less claimed"},
)
def untracked_electricity_emission(electricity_purchased, claimed_electricity, untracked_emission_factor):
    """(Bought − claimed) × factor; a month with more claimed than bought is negative and evens out over the year."""
    claimed = first_given(total(claimed_electricity, over="contract"), nothing)
    return (total(electricity_purchased, over="carrier") - claimed) * untracked_emission_factor


@claims.rule(
    unit="MWh",
    per="site, month",
    label={"zh": "超出购入量的合同电量", "en": "Claimed electricity beyond what was bought"},
    adds=False,
)
def excess_claimed_electricity(electricity_purchased, claimed_electricity):
    """What is claimed beyond consumption covers nothing."""
    excess = total(claimed_electricity, over="contract") - total(electricity_purchased, over="carrier")
    return maximum(excess, nothing)


@market.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "购入电力排放（基于市场）", "en": "Purchased electricity, market-based"},
    adds=False,
)
def market_based_electricity_emission(
    electricity_purchased, claimed_electricity, claimed_electricity_emission, untracked_electricity_emission
):
    """Claimed and uncovered; where claims exceed purchases over the period, purchases at the contracts' mean factor."""
    bought = total(electricity_purchased, over="carrier")
    claimed = total(claimed_electricity, over="contract")
    of_claims = total(claimed_electricity_emission, over="contract")
    matched = sum_of(of_claims, untracked_electricity_emission)
    return choose((claimed > bought, of_claims * bought / claimed), otherwise=matched)


@market.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "范围二排放（基于市场）", "en": "Scope 2, market-based"},
    adds=False,
)
def scope_2_market_based(market_based_electricity_emission, purchased_heat_emission):
    """Electricity and heat."""
    return sum_of(market_based_electricity_emission, total(purchased_heat_emission, over="carrier"))

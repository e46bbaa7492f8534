"""Allocation to generating units by the plan of the year. The number in the file's name is the order, not a clause.

A = B_e · Q_e · corrections + B_h · Q_h. Q_e is electricity supplied until 2022 and gross generation in 2023-2024: the two
are not comparable. Loads and ratios are those of the period asked for, so ask for the year.
"""

from celadon.rules import choose, constant, document, key, power

plan_2019 = document("国环规气候〔2020〕3号")
plan_2021 = document("国环规气候〔2023〕1号")
plan_2023 = document("国环规气候〔2024〕1号")
load = plan_2019.clause(
    {"zh": "修正系数", "en": "correction factors"},
    {
        "zh": "机组负荷（出力）系数：发电量除以额定容量与运行小时数之积",
        "en": "Load of a unit: its generation over rated capacity times running hours",
    },
)
corrected = plan_2021.clause(
    {"zh": "配额核算公式（同 2019—2020 年方案）", "en": "allocation formula (as in the plan of 2019-2020)"},
    {
        "zh": "A_e = B_e × Q_e × F_l × F_r × F_f：Q_e 为供电量，F_l、F_r、F_f 为冷却方式、"
        "供热量与负荷系数修正系数",
        "en": "A_e = B_e × Q_e × F_l × F_r × F_f, Q_e electricity supplied; cooling, heat supply and "
        "load corrections",
    },
)
generated = plan_2023.clause(
    {"zh": "配额核算公式", "en": "allocation formula"},
    {
        "zh": "A_e = B_e × Q_e × 调峰修正系数：Q_e 为发电量，不作其他修正",
        "en": "A_e = B_e × Q_e × peak-regulation factor, Q_e gross generation; no other correction",
    },
)
heat = plan_2021.clause(
    {"zh": "配额核算公式：供热", "en": "allocation formula: heat"},
    {"zh": "A_h = B_h × Q_h：供热基准值 × 供热量", "en": "A_h = B_h × Q_h"},
)
whole = plan_2021.clause(
    {"zh": "配额核算公式：机组", "en": "allocation formula: unit"},
    {"zh": "A = A_e + A_h：机组配额为供电（发电）配额与供热配额之和", "en": "A = A_e + A_h"},
)
balance = plan_2023.clause(
    {"zh": "附件2 平衡值", "en": "annex 2, balance values"},
    {
        "zh": "平衡值不是基准值，仅反映基准值的松紧程度",
        "en": "A balance value is no benchmark; it shows how tight the benchmark is",
    },
)

carbon_dioxide = constant("1", unit="tCO2e/tCO2")  # allowances count in CO2e, the benchmarks in CO2
conventional = key("purpose").isin(
    "coal_above_300", "coal_above_300 air", "coal_up_to_300", "coal_up_to_300 air"
)
air_cooled = key("purpose").isin("coal_above_300 air", "coal_up_to_300 air", "coal_unconventional air")
is_gas = key("purpose") == "gas"
no_heat = constant("0", unit="GJ")
no_electricity = constant("0", unit="MWh")
no_emission = constant("0", unit="tCO2e")


@load.rule(
    unit="1",
    per="site, month, generating_unit, purpose",
    label={"zh": "负荷（出力）系数", "en": "Load factor"},
    adds=False,
)
def load_factor(electricity_generated, generation_at_rated_capacity):
    """Generation ÷ (rated capacity × running hours)."""
    return electricity_generated / generation_at_rated_capacity


@load.rule(
    unit="1",
    per="site, month, generating_unit, purpose",
    label={"zh": "负荷系数修正", "en": "Load correction F_f"},
    adds=False,
    until="2022-12-31",
)
def load_correction(load_factor, electricity_supplied, heat_supplied):
    """Conventional coal units that supply no heat: 1 from 85 % load up, more below; all others 1."""
    percent = 100 * load_factor
    upper = 1 + constant("0.0014", unit="1") * (85 - percent)
    middle = constant("1.007", unit="1") + constant("0.0016", unit="1") * (80 - percent)
    lower = power(constant("1.015", unit="1"), 16 - 20 * load_factor)
    heat = heat_supplied + no_heat  # none where no such flow is declared; absent where it is due and missing
    condensing = heat <= no_heat
    return choose(
        (~conventional & (electricity_supplied >= no_electricity), 1),
        (heat > no_heat, 1),
        (condensing & (percent >= 85), 1),
        (condensing & (percent >= 80), upper),
        (condensing & (percent >= 75), middle),
        (condensing & (percent < 75), lower),
    )


@corrected.rule(
    unit="tCO2e",
    per="site, month, generating_unit, purpose",
    label={"zh": "电量配额", "en": "Allocation for electricity"},
    adds=False,
    until="2022-12-31",
)
def electricity_allocation(
    electricity_supplied,
    electricity_benchmark,
    load_correction,
    heat_supplied,
    heat_produced_for_supply,
    heat_produced,
):
    """Electricity supplied × benchmark × cooling × heat supply × load."""
    cooling = choose((air_cooled, constant("1.05", unit="1")), otherwise=constant("1", unit="1"))
    ratio = heat_produced_for_supply / heat_produced
    of_ratio = choose((is_gas, constant("0.6", unit="1")), otherwise=constant("0.22", unit="1"))
    heat = heat_supplied + no_heat  # none where no such flow is declared; absent where it is due and missing
    heat_supply = choose((heat > no_heat, 1 - of_ratio * ratio), (heat <= no_heat, constant("1", unit="1")))
    return (
        electricity_supplied
        * electricity_benchmark
        * carbon_dioxide
        * cooling
        * heat_supply
        * load_correction
    )


@generated.rule(
    unit="tCO2e",
    per="site, month, generating_unit, purpose",
    label={"zh": "电量配额", "en": "Allocation for electricity"},
    adds=False,
    since="2023-01-01",
)
def electricity_allocation(electricity_generated, electricity_benchmark, load_factor):
    """Gross generation × benchmark × peak regulation: conventional coal below 65 % load."""
    peak = choose(
        (~conventional, 1),
        (100 * load_factor >= 65, 1),
        (100 * load_factor < 65, power(constant("1.015", unit="1"), 16 - 20 * load_factor)),
    )
    return electricity_generated * electricity_benchmark * carbon_dioxide * peak


@heat.rule(
    unit="tCO2e",
    per="site, month, generating_unit, purpose",
    label={"zh": "供热配额", "en": "Allocation for heat"},
    adds=False,
)
def heat_allocation(heat_supplied, heat_benchmark):
    """Heat supplied × benchmark."""
    return heat_supplied * heat_benchmark * carbon_dioxide


@whole.rule(
    unit="tCO2e",
    per="site, month, generating_unit, purpose",
    label={"zh": "机组配额", "en": "Allocation of the unit"},
    adds=False,
)
def unit_allocation(electricity_allocation, heat_allocation, verified_unit_emission):
    """Electricity and heat, of every unit with a verified emission or an output; absent where either is due and absent."""
    both = electricity_allocation + heat_allocation
    return choose((verified_unit_emission >= no_emission, both), otherwise=both)


@balance.rule(
    unit="1",
    per="site, month, generating_unit, purpose",
    label={"zh": "基准值与平衡值之比", "en": "Benchmark over balance value"},
    adds=False,
)
def benchmark_over_balance_value(electricity_generated, electricity_benchmark, electricity_balance_value):
    """Below 1: the benchmark is tighter than what would balance the sector. Only 2021 and 2023 have balance values."""
    return (electricity_generated * electricity_benchmark) / (
        electricity_generated * electricity_balance_value
    )

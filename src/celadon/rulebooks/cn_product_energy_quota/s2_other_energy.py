"""Intensity, quota grade and position between benchmark and baseline, in electricity, oil equivalent and coke. The number in the file's name is the order.

Grades: 1, 2, 3 are met levels, 4 is beyond the quota. Positions: 1 at or better than the benchmark, 2 up to the baseline,
3 worse than the baseline. Lower is better everywhere, below zero too. Grades and positions are never added.
"""

from celadon.rules import choose, document

quotas = document("GB energy quota standards")
list_of_levels = document("发改产业〔2021〕1609号, 发改产业〔2023〕723号")
intensity = quotas.clause(
    {"zh": "能耗计算", "en": "calculation"},
    {
        "zh": "产品或工序的综合能耗除以同期产量",
        "en": "Energy of the product or process over its output of the same period",
    },
)
levels = quotas.clause(
    {"zh": "限额表", "en": "table of limits"},
    {
        "zh": "1级为先进值，2级为新建准入值，3级为现有产能限定值",
        "en": "Level 1 advanced, level 2 for new capacity, level 3 the limit for what exists",
    },
)
marks = list_of_levels.clause(
    {"zh": "附表", "en": "annex table"},
    {
        "zh": "该领域的能效标杆水平与基准水平",
        "en": "Benchmark and baseline energy-efficiency level of the field",
    },
)


@intensity.rule(
    unit="kWh/product_unit",
    per="site, month, product, purpose",
    label={"zh": "单位产品能耗（电）", "en": "Intensity, electricity"},
    adds=False,
)
def electricity_intensity(product_electricity, product_output):
    """Energy charged ÷ output."""
    return product_electricity / product_output


@levels.rule(
    unit="1",
    per="site, month, product, purpose",
    label={"zh": "限额等级（电）", "en": "Quota grade, electricity"},
    adds=False,
)
def electricity_grade(electricity_intensity, electricity_level_1, electricity_level_2, electricity_level_3):
    """The best level met; 4 beyond level 3; absent without a level 3."""
    return choose(
        (electricity_intensity <= electricity_level_1, 1),
        (electricity_intensity <= electricity_level_2, 2),
        (electricity_intensity <= electricity_level_3, 3),
        (electricity_intensity > electricity_level_3, 4),
    )


@marks.rule(
    unit="1",
    per="site, month, product, purpose",
    label={"zh": "相对标杆与基准水平（电）", "en": "Position to benchmark and baseline, electricity"},
    adds=False,
)
def electricity_position(electricity_intensity, electricity_benchmark, electricity_baseline):
    """1 at or better than the benchmark, 2 up to the baseline, 3 worse."""
    benchmark = electricity_benchmark
    baseline = electricity_baseline
    return choose(
        (electricity_intensity <= benchmark, 1),
        (electricity_intensity <= baseline, 2),
        (electricity_intensity > baseline, 3),
    )


@intensity.rule(
    unit="kgoe/product_unit",
    per="site, month, product, purpose",
    label={"zh": "单位产品能耗（标准油）", "en": "Intensity, oil equivalent"},
    adds=False,
)
def oil_equivalent_intensity(product_energy_oil, product_output):
    """Energy charged ÷ output."""
    return product_energy_oil / product_output


@marks.rule(
    unit="1",
    per="site, month, product, purpose",
    label={"zh": "相对标杆与基准水平（标准油）", "en": "Position to benchmark and baseline, oil equivalent"},
    adds=False,
)
def oil_equivalent_position(oil_equivalent_intensity, oil_equivalent_benchmark, oil_equivalent_baseline):
    """1 at or better than the benchmark, 2 up to the baseline, 3 worse."""
    benchmark = oil_equivalent_benchmark
    baseline = oil_equivalent_baseline
    return choose(
        (oil_equivalent_intensity <= benchmark, 1),
        (oil_equivalent_intensity <= baseline, 2),
        (oil_equivalent_intensity > baseline, 3),
    )


@intensity.rule(
    unit="kg/product_unit",
    per="site, month, product, purpose",
    label={"zh": "单位产品能耗（焦炭）", "en": "Intensity, coke"},
    adds=False,
)
def coke_intensity(product_coke, product_output):
    """Energy charged ÷ output."""
    return product_coke / product_output


@levels.rule(
    unit="1",
    per="site, month, product, purpose",
    label={"zh": "限额等级（焦炭）", "en": "Quota grade, coke"},
    adds=False,
)
def coke_grade(coke_intensity, coke_level_1, coke_level_2, coke_level_3):
    """The best level met; 4 beyond level 3; absent without a level 3."""
    return choose(
        (coke_intensity <= coke_level_1, 1),
        (coke_intensity <= coke_level_2, 2),
        (coke_intensity <= coke_level_3, 3),
        (coke_intensity > coke_level_3, 4),
    )

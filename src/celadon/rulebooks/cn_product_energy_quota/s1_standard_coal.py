"""Intensity, quota grade and position between benchmark and baseline, in standard coal. The number in the file's name is the order.

Grades: 1, 2, 3 are met levels, 4 is beyond the quota. Positions: 1 at or better than the benchmark, 2 up to the baseline,
3 worse than the baseline. Lower is better everywhere, below zero too. Grades and positions are never added.
"""

from celadon.rules import choose, constant, document, first_given, key, option

quotas = document("GB energy quota standards")
cement = document("GB 16780-2021")
list_of_levels = document("发改产业〔2021〕1609号, 发改产业〔2023〕723号")
intensity = quotas.clause(
    {"zh": "能耗计算", "en": "calculation"},
    {
        "zh": "产品或工序的综合能耗除以同期产量",
        "en": "Energy of the product or process over its output of the same period",
    },
)
levels = cement.clause(
    {
        "zh": "表1～表3（及各限额标准的限额表）",
        "en": "Tables 1-3 (and the table of limits of each quota standard)",
    },
    {
        "zh": "1级为先进值，2级为新建准入值，3级为现有产能限定值；水泥熟料占比偏离 75 % "
        "的按百分点修正；海拔 1500 m 以上的熟料：3级 × (1.179 − 0.211 P / 101 325)",
        "en": "Level 1 advanced, level 2 for new capacity, level 3 the limit for what exists; cement "
        "per percentage point of clinker share from 75 %; clinker above 1500 m: level 3 × (1.179 "
        "− 0.211 P / 101 325)",
    },
)
marks = list_of_levels.clause(
    {"zh": "附表", "en": "annex table"},
    {
        "zh": "该领域的能效标杆水平与基准水平",
        "en": "Benchmark and baseline energy-efficiency level of the field",
    },
)

is_cement = (key("product") == "cement") & (key("purpose") == "comprehensive_energy")
no_clinker = constant("0", unit="product_unit")
is_clinker = (key("product") == "clinker") & (key("purpose") == "comprehensive_energy")


@intensity.rule(
    unit="kgce/product_unit",
    per="site, month, product, purpose",
    label={"zh": "单位产品能耗（标准煤）", "en": "Intensity, standard coal"},
    adds=False,
)
def coal_equivalent_intensity(product_energy, product_output):
    """Energy charged ÷ output."""
    return product_energy / product_output


@levels.rule(
    unit="1",
    per="site, month, product, purpose",
    label={"zh": "限额等级（标准煤）", "en": "Quota grade, standard coal"},
    adds=False,
)
def coal_equivalent_grade(
    coal_equivalent_intensity, coal_equivalent_level_1, coal_equivalent_level_2, coal_equivalent_level_3,
    clinker_used, product_output, clinker_reference, clinker_slope_1, clinker_slope_2, clinker_slope_3,
    site_altitude, site_pressure,
):  # fmt: skip
    """The best level met, after the adjustments of cement and clinker; 4 beyond level 3; absent without a level 3."""
    points = 100 * clinker_used / product_output - clinker_reference
    high = is_clinker & (site_altitude > constant("1500", unit="m"))
    thin_air = constant("1.179", unit="1") - constant("0.211", unit="1") * site_pressure / constant(
        "101325", unit="Pa"
    )
    shared = is_cement & (clinker_used >= no_clinker)  # cement of unknown clinker share has no adjusted level
    first = choose(
        (shared, coal_equivalent_level_1 + clinker_slope_1 * points), (~is_cement, coal_equivalent_level_1)
    )
    second = choose(
        (shared, coal_equivalent_level_2 + clinker_slope_2 * points), (~is_cement, coal_equivalent_level_2)
    )
    third = choose(
        (shared, coal_equivalent_level_3 + clinker_slope_3 * points),
        (high, coal_equivalent_level_3 * thin_air),
        (~is_cement, coal_equivalent_level_3),
    )
    return choose(
        (coal_equivalent_intensity <= first, 1),
        (coal_equivalent_intensity <= second, 2),
        (coal_equivalent_intensity <= third, 3),
        (coal_equivalent_intensity > third, 4),
    )


@marks.rule(
    unit="1",
    per="site, month, product, purpose",
    label={"zh": "相对标杆与基准水平（标准煤）", "en": "Position to benchmark and baseline, standard coal"},
    adds=False,
)
def coal_equivalent_position(
    coal_equivalent_intensity,
    coal_equivalent_benchmark,
    coal_equivalent_baseline,
    coal_equivalent_benchmark_2023,
    coal_equivalent_baseline_2023,
):
    """1 at or better than the benchmark, 2 up to the baseline, 3 worse."""
    newer = option("benchmark_edition") == "2023"
    benchmark = choose(
        (newer, first_given(coal_equivalent_benchmark_2023, coal_equivalent_benchmark)),
        otherwise=coal_equivalent_benchmark,
    )
    baseline = choose(
        (newer, first_given(coal_equivalent_baseline_2023, coal_equivalent_baseline)),
        otherwise=coal_equivalent_baseline,
    )
    return choose(
        (coal_equivalent_intensity <= benchmark, 1),
        (coal_equivalent_intensity <= baseline, 2),
        (coal_equivalent_intensity > baseline, 3),
    )


@marks.rule(
    unit="tce",
    per="site, month, product, purpose",
    label={"zh": "高于标杆水平的能耗", "en": "Energy above the benchmark level"},
)
def energy_above_benchmark(
    product_energy, coal_equivalent_intensity, coal_equivalent_benchmark, coal_equivalent_benchmark_2023
):
    """What would be saved at the benchmark; below zero where the product is better. Nothing where no energy is charged."""
    newer = option("benchmark_edition") == "2023"
    benchmark = choose(
        (newer, first_given(coal_equivalent_benchmark_2023, coal_equivalent_benchmark)),
        otherwise=coal_equivalent_benchmark,
    )
    return product_energy * (1 - benchmark / coal_equivalent_intensity)

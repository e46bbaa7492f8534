"""Carbon intensity, its level grade L (1 low, 2 middle, 3 high) and the efficiency grade K (1 best … 5) against the sector.

The number in the file's name is the order, not a clause. Grades are numbers and are never added.
"""

from celadon.rules import choose, document, option

code = document("Provincial carbon-efficiency code")
intensity = code.clause(
    {"zh": "碳排放水平等级", "en": "level grade"},
    {
        "zh": "企业碳排放量除以其工业增加值（或产值），单位为吨/万元",
        "en": "Emission of the firm over its added value (or output value), t per 10 000 yuan",
    },
)
level = code.clause(
    {"zh": "碳排放水平等级：阈值", "en": "level grade: thresholds"},
    {
        "zh": "不高于 0.6 为低，不高于 2.0 为中，高于 2.0 为高，单位为吨/万元",
        "en": "Low up to 0.6, middle up to 2.0, high above, t per 10 000 yuan",
    },
)
relative = code.clause(
    {"zh": "碳效等级", "en": "efficiency grade"},
    {
        "zh": "企业碳排放强度与所属行业平均强度之比",
        "en": "Intensity of the firm over the mean intensity of its sector",
    },
)
efficiency = code.clause(
    {"zh": "碳效等级：阈值", "en": "efficiency grade: thresholds"},
    {
        "zh": "不高于 0.6 为 K1，不高于 0.8 为 K2，不高于 1.2 为 K3，不高于 2.0 为 K4，高于 2.0 为 K5",
        "en": "K1 up to 0.6, K2 up to 0.8, K3 up to 1.2, K4 up to 2.0, K5 above",
    },
)


@intensity.rule(
    unit="tCO2/10^4 CNY", per="site, month", label={"zh": "碳排放强度", "en": "Carbon intensity"}, adds=False
)
def carbon_intensity(carbon_emission, industrial_added_value, output_value):
    """Emission ÷ added value, or ÷ output value where the province says so."""
    return carbon_emission / choose(
        (option("denominator") == "output_value", output_value), otherwise=industrial_added_value
    )


@level.rule(
    unit="1", per="site, month", label={"zh": "碳排放水平等级（L）", "en": "Level grade (L)"}, adds=False
)
def level_grade(carbon_intensity, level_low, level_middle):
    """1 low, 2 middle, 3 high; absent where the intensity is."""
    return choose(
        (carbon_intensity <= level_low, 1),
        (carbon_intensity <= level_middle, 2),
        (carbon_intensity > level_middle, 3),
    )


@relative.rule(
    unit="1",
    per="site, month",
    label={"zh": "强度与行业均值之比", "en": "Intensity over the mean of the sector"},
    adds=False,
)
def intensity_over_sector_mean(carbon_intensity, sector_mean_intensity):
    """Firm ÷ sector."""
    return carbon_intensity / sector_mean_intensity


@efficiency.rule(
    unit="1", per="site, month", label={"zh": "碳效等级（K）", "en": "Efficiency grade (K)"}, adds=False
)
def efficiency_grade(intensity_over_sector_mean, efficiency_1, efficiency_2, efficiency_3, efficiency_4):
    """1 (best) to 5; absent where the ratio is."""
    return choose(
        (intensity_over_sector_mean <= efficiency_1, 1),
        (intensity_over_sector_mean <= efficiency_2, 2),
        (intensity_over_sector_mean <= efficiency_3, 3),
        (intensity_over_sector_mean <= efficiency_4, 4),
        (intensity_over_sector_mean > efficiency_4, 5),
    )

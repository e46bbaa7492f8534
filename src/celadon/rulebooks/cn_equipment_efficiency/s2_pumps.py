"""Centrifugal pumps, GB 19762-2025: specific speed, thresholds of the grades, efficiency from flow, head and shaft power."""

from celadon.rules import choose, constant, document, key, ln, power

pumps = document("GB 19762-2025")
speed = pumps.clause(
    {"zh": "式(1)", "en": "formula (1)"},
    {
        "zh": "比转速 ns = 3.65 n √Q / H^(3/4)；n 为转速（r/min），Q 为流量（m3/s，双吸泵取一半），H "
        "为单级扬程（m）",
        "en": "ns = 3.65 n √Q / H^(3/4); n in r/min, Q in m3/s (half of it for double suction), H in m "
        "per stage",
    },
)
formula = pumps.clause(
    {"zh": "式(2)、式(3)，表3", "en": "formulas (2), (3), Table 3"},
    {
        "zh": "η_i = a ln²ns + b ln²Q + c ln ns ln Q + d ln ns + e ln Q − C_i，以百分数计，Q "
        "为整台泵的流量（m3/h）",
        "en": "η_i = a ln²ns + b ln²Q + c ln ns ln Q + d ln ns + e ln Q − C_i, in per cent, Q in m3/h "
        "of the whole pump",
    },
)
tested = pumps.clause(
    {"zh": "泵效率", "en": "pump efficiency"},
    {
        "zh": "泵效率 η = ρ g Q H / P，P 为轴功率，g 取 9.81 m/s2",
        "en": "η = ρ g Q H / P of the shaft, with g 9.81 m/s2",
    },
)
grade = pumps.clause(
    {"zh": "能效等级", "en": "grades"},
    {"zh": "效率不低于该能效等级的限定值", "en": "Efficiency at or above the threshold of the grade"},
)

double_suction = key("purpose") == "pump single-stage double-suction water"
percent = constant("1", unit="%")
none = constant("0", unit="1")


@speed.rule(
    unit="1",
    per="site, month, equipment, purpose",
    label={"zh": "比转速", "en": "Specific speed"},
    adds=False,
)
def specific_speed(pump_speed, pump_flow, pump_head_per_stage):
    """Speed in r/min, flow in m3/s, head in m."""
    flow = pump_flow / constant("1", unit="m3/s")
    through = choose((double_suction, flow / 2), otherwise=flow)
    head = pump_head_per_stage / constant("1", unit="m")
    turns = pump_speed / constant("1", unit="1/min")
    return constant("3.65", unit="1") * turns * power(through, "1/2") / power(head, "3/4")


@formula.rule(
    unit="1",
    per="site, month, equipment, purpose",
    label={"zh": "阈值公式（未减常数）", "en": "Threshold before its constant"},
    adds=False,
)
def pump_curve(specific_speed, pump_flow, pump_a, pump_b, pump_c, pump_d, pump_e):
    """In per cent points."""
    ns = ln(specific_speed)
    flow = ln(pump_flow / constant("1", unit="m3/h"))
    return pump_a * ns * ns + pump_b * flow * flow + pump_c * ns * flow + pump_d * ns + pump_e * flow


@formula.rule(
    unit="%",
    per="site, month, equipment, purpose",
    label={"zh": "1 级阈值", "en": "Threshold of grade 1"},
    adds=False,
)
def pump_threshold_1(pump_curve, pump_flow, pump_band_limit, pump_constant_1_small, pump_constant_1_large):
    """Curve less the constant of the flow's band."""
    constant_of_band = choose(
        (pump_flow <= pump_band_limit, pump_constant_1_small),
        (pump_flow > pump_band_limit, pump_constant_1_large),
    )
    return (pump_curve - constant_of_band) * percent


@formula.rule(
    unit="%",
    per="site, month, equipment, purpose",
    label={"zh": "2 级阈值", "en": "Threshold of grade 2"},
    adds=False,
)
def pump_threshold_2(pump_curve, pump_flow, pump_band_limit, pump_constant_2_small, pump_constant_2_large):
    """Curve less the constant of the flow's band."""
    constant_of_band = choose(
        (pump_flow <= pump_band_limit, pump_constant_2_small),
        (pump_flow > pump_band_limit, pump_constant_2_large),
    )
    return (pump_curve - constant_of_band) * percent


@formula.rule(
    unit="%",
    per="site, month, equipment, purpose",
    label={"zh": "3 级阈值", "en": "Threshold of grade 3"},
    adds=False,
)
def pump_threshold_3(pump_curve, pump_flow, pump_band_limit, pump_constant_3_small, pump_constant_3_large):
    """Curve less the constant of the flow's band."""
    constant_of_band = choose(
        (pump_flow <= pump_band_limit, pump_constant_3_small),
        (pump_flow > pump_band_limit, pump_constant_3_large),
    )
    return (pump_curve - constant_of_band) * percent


@tested.rule(
    unit="kW",
    per="site, month, equipment, purpose",
    label={"zh": "水力功率", "en": "Hydraulic power"},
    adds=False,
)
def hydraulic_power(pump_flow, pump_head):
    """Water of 1000 kg/m3."""
    return constant("9810", unit="J/(m3*m)") * pump_flow * pump_head


@tested.rule(
    unit="%",
    per="site, month, equipment, purpose",
    label={"zh": "泵效率", "en": "Pump efficiency"},
    adds=False,
)
def pump_efficiency(tested_efficiency, hydraulic_power, shaft_power):
    """As tested, else hydraulic power over shaft power."""
    return choose((tested_efficiency >= none, tested_efficiency), otherwise=hydraulic_power / shaft_power)


@grade.rule(
    unit="1",
    per="site, month, equipment, purpose",
    label={"zh": "泵能效等级", "en": "Grade of the pump"},
    adds=False,
)
def pump_grade(pump_efficiency, pump_threshold_1, pump_threshold_2, pump_threshold_3):
    """1, 2, 3, or 4 below the minimum."""
    return choose(
        (pump_efficiency >= pump_threshold_1, 1),
        ((pump_efficiency >= pump_threshold_2) & (pump_efficiency < pump_threshold_1), 2),
        ((pump_efficiency >= pump_threshold_3) & (pump_efficiency < pump_threshold_2), 3),
        (pump_efficiency < pump_threshold_3, 4),
    )

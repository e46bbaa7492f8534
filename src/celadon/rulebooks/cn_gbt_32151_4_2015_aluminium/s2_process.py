"""Anodes, anode effects, limestone and soda ash. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import constant, document, first_given, key, sum_of, total

standard = document("GB/T 32151.4-2015")
anode = standard.clause(
    {"zh": "核算方法（炭阳极消耗排放）", "en": "accounting method (carbon anodes)"},
    {
        "zh": "E = P × NC × (1 − S − A) × 44/12：原铝产量 × 炭阳极净耗 × （1 − 含硫量 − 灰分）× 44/12",
        "en": "E = P × NC × (1 − S − A) × 44/12",
    },
)
effect = standard.clause(
    {"zh": "核算方法（阳极效应排放）", "en": "accounting method (anode effects)"},
    {
        "zh": "E = P × (EF_CF4 × GWP_CF4 + EF_C2F6 × GWP_C2F6)；斜率法：EF_CF4 = 0.143 × "
        "AEM（阳极效应持续时间），EF_C2F6 = 0.1 × EF_CF4",
        "en": "E = P × (EF_CF4 × GWP_CF4 + EF_C2F6 × GWP_C2F6); by slope EF_CF4 = 0.143 × AEM, EF_C2F6 "
        "= 0.1 × EF_CF4",
    },
)
calcination = standard.clause(
    {"zh": "核算方法（石灰石与纯碱分解排放）", "en": "accounting method (limestone and soda ash)"},
    {"zh": "E = Σ AD × EF：石灰石与纯碱消耗量 × 排放因子", "en": "E = Σ AD × EF"},
)


@anode.rule(
    unit="t",
    per="site, month, product",
    label={"zh": "原铝产量", "en": "Primary aluminium made"},
    when=key("product") == "aluminium",
)
def aluminium_output(product_output):
    """The output booked as aluminium."""
    return product_output


@anode.rule(
    unit="tCO2/t",
    per="site, month",
    label={"zh": "阳极排放因子", "en": "Factor of anodes"},
    adds=False,
)
def anode_emission_factor(
    net_anode_consumption,
    default_net_anode_consumption,
    anode_sulphur_content,
    default_anode_sulphur_content,
    anode_ash_content,
    default_anode_ash_content,
):
    """Net anode carbon per tonne × the share that is neither sulphur nor ash × 44/12."""
    consumption = first_given(net_anode_consumption, default_net_anode_consumption)
    sulphur = first_given(anode_sulphur_content, default_anode_sulphur_content)
    ash = first_given(anode_ash_content, default_anode_ash_content)
    return consumption * (1 - sulphur - ash) * constant("44/12", unit="tCO2/tC")


@anode.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "阳极消耗排放", "en": "Carbon anodes"},
)
def anode_emission(aluminium_output, anode_emission_factor):
    """Aluminium made × factor of anodes."""
    return total(aluminium_output, over="product") * anode_emission_factor


@effect.rule(
    unit="kg/t",
    per="site, month",
    label={"zh": "四氟化碳因子", "en": "CF4 per tonne"},
    adds=False,
)
def carbon_tetrafluoride_factor(
    anode_effect_minutes, anode_effect_slope, default_carbon_tetrafluoride_factor
):
    """Slope × minutes of anode effect per cell-day, else the default."""
    return first_given(anode_effect_slope * anode_effect_minutes, default_carbon_tetrafluoride_factor)


@effect.rule(
    unit="kg/t",
    per="site, month",
    label={"zh": "六氟乙烷因子", "en": "C2F6 per tonne"},
    adds=False,
)
def hexafluoroethane_factor(
    anode_effect_minutes, anode_effect_slope, hexafluoroethane_ratio, default_hexafluoroethane_factor
):
    """A tenth of CF4 by slope, else the default 0.0034 (never 0.034)."""
    by_slope = hexafluoroethane_ratio * (anode_effect_slope * anode_effect_minutes)
    return first_given(by_slope, default_hexafluoroethane_factor)


@effect.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "阳极效应排放", "en": "Anode effects"},
)
def anode_effect_emission(
    aluminium_output,
    carbon_tetrafluoride_factor,
    carbon_tetrafluoride_gwp,
    hexafluoroethane_factor,
    hexafluoroethane_gwp,
):
    """Aluminium made × (CF4 × its warming potential + C2F6 × its own)."""
    warming = (
        carbon_tetrafluoride_factor * carbon_tetrafluoride_gwp
        + hexafluoroethane_factor * hexafluoroethane_gwp
    )
    return total(aluminium_output, over="product") * warming


@calcination.rule(
    unit="tCO2",
    per="site, month, material",
    label={"zh": "石灰石、纯碱分解排放", "en": "Limestone and soda ash"},
    when=key("material").isin("limestone", "soda_ash"),
)
def carbonate_emission(material_consumed, carbonate_factor):
    """Amount × factor."""
    return material_consumed * carbonate_factor


@calcination.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "工业生产过程排放", "en": "Process emission"},
    not_negative=True,
)
def process_emission(anode_emission, anode_effect_emission, carbonate_emission):
    """Anodes, anode effects and carbonates."""
    warming = constant("1", unit="tCO2e/tCO2")
    return sum_of(
        anode_emission * warming,
        anode_effect_emission,
        total(carbonate_emission, over="material") * warming,
    )

"""Limestone and wastewater. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import document, key

standard = document("NDRC guideline 2015 (paper)")
limestone = standard.clause(
    {"zh": "核算方法（石灰石分解排放）", "en": "accounting method (limestone)"},
    {"zh": "E = L × EF：石灰石消耗量 × 排放因子", "en": "E = L × EF"},
)
wastewater = standard.clause(
    {"zh": "废水厌氧处理一章", "en": "wastewater chapter"},
    {
        "zh": "E = (TOW − S) × Bo × MCF − R，TOW = W × (COD进 − COD出)：仅计厌氧处理",
        "en": "E = (TOW − S) × Bo × MCF − R, TOW = W × (COD_in − COD_out): anaerobic treatment only",
    },
)


@limestone.rule(
    unit="tCO2",
    per="site, month, material",
    label={"zh": "石灰石分解排放", "en": "Limestone"},
    when=key("material") == "limestone",
)
def limestone_emission(material_consumed, limestone_factor):
    """Limestone used × factor."""
    return material_consumed * limestone_factor


@wastewater.rule(
    unit="kg",
    per="site, month",
    label={"zh": "厌氧去除的有机物", "en": "Organics removed by anaerobic treatment"},
)
def removed_organics(wastewater_volume, oxygen_demand_in, oxygen_demand_out):
    """Water × the drop of its chemical oxygen demand."""
    return wastewater_volume * (oxygen_demand_in - oxygen_demand_out)


@wastewater.rule(
    unit="kgCH4",
    per="site, month",
    label={"zh": "废水厌氧处理甲烷", "en": "CH4 of wastewater"},
)
def wastewater_methane(
    removed_organics, sludge_organics, methane_capacity, methane_correction, methane_recovered
):
    """Organics less those in sludge × capacity × correction, less what is recovered."""
    return (removed_organics - sludge_organics) * methane_capacity * methane_correction - methane_recovered


@wastewater.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "废水厌氧处理排放", "en": "Wastewater"},
    not_negative=True,
)
def wastewater_emission(wastewater_methane, methane_gwp):
    """CH4 × warming potential."""
    return wastewater_methane * methane_gwp

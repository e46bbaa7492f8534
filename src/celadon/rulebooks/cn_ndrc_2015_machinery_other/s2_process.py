"""Carbonates, wastewater, incineration, leakage; CO2 recovered. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import constant, document, first_given, key, sum_of, total

standard = document("NDRC guideline 2015 (other industry)")
provincial = document("MEE provincial inventory guideline 2025")
calcination = standard.clause(
    {"zh": "核算方法（碳酸盐使用过程排放）", "en": "accounting method (carbonates)"},
    {"zh": "E = Σ AD_i × EF_i × PUR_i：碳酸盐消耗量 × 排放因子 × 纯度", "en": "E = Σ AD_i × EF_i × PUR_i"},
)
wastewater = provincial.clause(
    {"zh": "废弃物处理一章（工业废水厌氧处理）", "en": "waste chapter (wastewater)"},
    {
        "zh": "E = (TOW − S) × Bo × MCF − R，TOW = W × (COD进 − COD出)：去除的有机物扣除污泥带走部分，"
        "减去甲烷回收量",
        "en": "E = (TOW − S) × Bo × MCF − R, TOW = W × (COD_in − COD_out)",
    },
)
incineration = provincial.clause(
    {"zh": "废弃物处理一章（焚烧）", "en": "waste chapter (incineration)"},
    {
        "zh": "E = Σ IW_i × CCW_i × FCF_i × CE_i × 44/12：焚烧量 × 含碳量 × 矿物碳比例 × 碳氧化率 × 44/12",
        "en": "E = Σ IW_i × CCW_i × FCF_i × CE_i × 44/12",
    },
)
leakage = document("NDRC guideline 2015 (machinery)").clause(
    {"zh": "核算方法（含氟气体泄漏）", "en": "accounting method (fluorinated gases)"},
    {"zh": "E = Σ 泄漏量 × GWP", "en": "E = Σ leaked × GWP"},
)
recovery = standard.clause(
    {"zh": "核算方法（二氧化碳回收利用）", "en": "accounting method (recovery of CO2)"},
    {"zh": "R = Q × PUR × 密度：回收且外供的二氧化碳体积 × 纯度 × 密度", "en": "R = Q × PUR × density"},
)

carbonate = key("material").isin(
    "limestone", "magnesite", "soda_ash", "sodium_bicarbonate", "siderite", "rhodochrosite", "barium_carbonate",
    "lithium_carbonate", "potassium_carbonate", "strontium_carbonate", "dolomite",
)  # fmt: skip


@calcination.rule(
    unit="tCO2",
    per="site, month, material",
    label={"zh": "碳酸盐使用排放", "en": "Carbonates"},
    when=carbonate,
)
def carbonate_emission(material_consumed, carbonate_factor, material_purity):
    """Carbonate used × factor × purity; taken as pure where it was not analysed, shown as a default."""
    return material_consumed * carbonate_factor * first_given(material_purity, constant("1", unit="1"))


@wastewater.rule(
    unit="kgCH4",
    per="site, month, treatment",
    label={"zh": "工业废水处理甲烷", "en": "CH4 of industrial wastewater"},
)
def wastewater_methane(
    wastewater_volume, oxygen_demand_in, oxygen_demand_out, methane_capacity, methane_correction
):
    """Water × the drop of its chemical oxygen demand × capacity × correction of the treatment."""
    removed = wastewater_volume * (oxygen_demand_in - oxygen_demand_out)
    return removed * methane_capacity * methane_correction


@wastewater.rule(
    unit="kgCH4",
    per="site, month, treatment",
    label={"zh": "生活污水处理甲烷", "en": "CH4 of domestic wastewater"},
)
def domestic_wastewater_methane(
    domestic_wastewater_volume,
    domestic_oxygen_demand_in,
    domestic_oxygen_demand_out,
    domestic_methane_capacity,
    methane_correction,
):
    """Water × the drop of its biochemical oxygen demand × capacity × correction of the treatment."""
    removed = domestic_wastewater_volume * (domestic_oxygen_demand_in - domestic_oxygen_demand_out)
    return removed * domestic_methane_capacity * methane_correction


@wastewater.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "废水处理排放", "en": "Wastewater"},
    not_negative=True,
)
def wastewater_emission(wastewater_methane, domestic_wastewater_methane, methane_recovered, methane_gwp):
    """CH4 made less CH4 recovered, × warming potential."""
    made = sum_of(
        total(wastewater_methane, over="treatment"),
        total(domestic_wastewater_methane, over="treatment"),
        -methane_recovered,
    )
    return made * methane_gwp


@incineration.rule(
    unit="tCO2",
    per="site, month, waste",
    label={"zh": "废弃物焚烧排放", "en": "Waste incineration"},
)
def waste_incineration_emission(
    waste_incinerated, waste_carbon_content, waste_fossil_share, waste_combustion_efficiency
):
    """Waste × carbon × fossil share × burnt share × 44/12."""
    return (
        waste_incinerated
        * waste_carbon_content
        * waste_fossil_share
        * waste_combustion_efficiency
        * constant("44/12", unit="tCO2/t")
    )


@leakage.rule(
    unit="tCO2e",
    per="site, month, gas",
    label={"zh": "含氟气体泄漏排放", "en": "Fluorinated gases leaked"},
)
def leakage_emission(refrigerant_leaked, gas_gwp):
    """Leaked mass × warming potential."""
    return refrigerant_leaked * gas_gwp


@recovery.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "二氧化碳回收量（扣减）", "en": "CO2 recovered (subtracted)"},
)
def carbon_dioxide_recovery(carbon_dioxide_recovered, carbon_dioxide_purity, carbon_dioxide_density):
    """Volume recovered for outside use × purity × density."""
    return carbon_dioxide_recovered * carbon_dioxide_purity * carbon_dioxide_density

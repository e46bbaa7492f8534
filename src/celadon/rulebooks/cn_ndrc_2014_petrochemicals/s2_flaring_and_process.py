"""Flaring, catalyst coke, hydrogen, bitumen; CO2 recovered. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import constant, document, first_given, sum_of, total

standard = document("NDRC guideline 2014 (petrochemicals)")
flaring = standard.clause(
    {"zh": "核算方法（火炬燃烧排放）", "en": "accounting method (flaring)"},
    {
        "zh": "E = Σ Q × (CC非CO2 × OF × 44/12 + V_CO2 × 密度)：火炬气流量 × "
        "（除二氧化碳外的含碳量氧化部分 + 所含二氧化碳）",
        "en": "E = Σ Q × (CC_non-CO2 × OF × 44/12 + V_CO2 × density)",
    },
)
catalyst = standard.clause(
    {
        "zh": "核算方法（工业生产过程：催化剂烧焦）",
        "en": "accounting method (process: coke burnt off catalysts)",
    },
    {
        "zh": "E = MC × CF × OF × 44/12：烧焦量 × 焦层含碳量 × 碳氧化率 × 44/12",
        "en": "E = MC × CF × OF × 44/12",
    },
)
hydrogen = standard.clause(
    {"zh": "核算方法（工业生产过程：制氢）", "en": "accounting method (process: hydrogen)"},
    {
        "zh": "E = (Σ 原料 × 含碳量 − Σ 合成气 × 含碳量 − Σ 残渣 × 含碳量) × 44/12",
        "en": "E = (Σ feed × C − Σ product gas × C − Σ residue × C) × 44/12",
    },
)
bitumen = standard.clause(
    {"zh": "核算方法（工业生产过程：沥青氧化）", "en": "accounting method (process: bitumen blowing)"},
    {"zh": "E = Q × EF：产量 × 排放因子", "en": "E = Q × EF"},
)
recovery = standard.clause(
    {"zh": "核算方法（二氧化碳回收利用）", "en": "accounting method (recovery of CO2)"},
    {"zh": "R = Q × PUR × 密度：回收且外供的二氧化碳体积 × 纯度 × 密度", "en": "R = Q × PUR × density"},
)


@flaring.rule(
    unit="tCO2",
    per="site, month, flare",
    label={"zh": "火炬燃烧排放", "en": "Flaring"},
)
def flaring_emission(
    flared_gas,
    flared_gas_carbon_content,
    flare_oxidation_rate,
    flared_gas_carbon_dioxide_share,
    carbon_dioxide_density,
):
    """Carbon burnt, and CO2 that was in the gas and only passes through."""
    burnt = flared_gas * flared_gas_carbon_content * flare_oxidation_rate * constant("44/12", unit="tCO2/tC")
    passed = flared_gas * flared_gas_carbon_dioxide_share * carbon_dioxide_density
    return burnt + passed


@catalyst.rule(
    unit="tCO2",
    per="site, month, installation",
    label={"zh": "催化剂烧焦排放", "en": "Coke burnt off catalysts"},
)
def catalyst_coke_emission(
    catalyst_coke_burnt, coke_carbon_content, default_coke_carbon_content, coke_oxidation_rate
):
    """Coke burnt × its carbon (measured, else all carbon) × share oxidised × 44/12."""
    carbon = catalyst_coke_burnt * first_given(coke_carbon_content, default_coke_carbon_content)
    return carbon * coke_oxidation_rate * constant("44/12", unit="tCO2/tC")


@hydrogen.rule(
    unit="tC",
    per="site, month, material",
    label={"zh": "制氢原料含碳", "en": "Carbon of hydrogen feed"},
)
def hydrogen_feed_carbon(hydrogen_feed, material_carbon_content):
    """Feed × its carbon."""
    return hydrogen_feed * material_carbon_content


@hydrogen.rule(
    unit="tC",
    per="site, month, material",
    label={"zh": "制氢产物及残渣含碳", "en": "Carbon of gas and residue of hydrogen making"},
)
def hydrogen_output_carbon(hydrogen_carbon_output, material_carbon_content):
    """Synthesis gas and residue × their carbon."""
    return hydrogen_carbon_output * material_carbon_content


@hydrogen.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "制氢排放", "en": "Hydrogen"},
    not_negative=True,
)
def hydrogen_emission(hydrogen_feed_carbon, hydrogen_output_carbon):
    """Carbon fed less carbon that left in gas and residue, × 44/12."""
    balance = sum_of(
        total(hydrogen_feed_carbon, over="material"), -total(hydrogen_output_carbon, over="material")
    )
    return balance * constant("44/12", unit="tCO2/tC")


@bitumen.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "沥青氧化排放", "en": "Bitumen blowing"},
)
def bitumen_emission(bitumen_blown, bitumen_factor):
    """Bitumen blown × factor."""
    return bitumen_blown * bitumen_factor


@recovery.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "二氧化碳回收量（扣减）", "en": "CO2 recovered (subtracted)"},
)
def carbon_dioxide_recovery(carbon_dioxide_recovered, carbon_dioxide_purity, carbon_dioxide_density):
    """Volume recovered for outside use × purity × density."""
    return carbon_dioxide_recovered * carbon_dioxide_purity * carbon_dioxide_density


@catalyst.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "工业生产过程排放", "en": "Process emission"},
)
def process_emission(catalyst_coke_emission, hydrogen_emission, bitumen_emission):
    """Catalysts, hydrogen and bitumen."""
    return sum_of(total(catalyst_coke_emission, over="installation"), hydrogen_emission, bitumen_emission)

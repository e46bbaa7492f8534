"""Calcination of lime. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import choose, constant, document, key, option

standard = document("IPCC 2006 Volume 3")
analysis = standard.clause(
    {"zh": "第2章（石灰，按成分分析）", "en": "Ch 2 (lime, by analysis)"},
    {
        "zh": "E = Q × (CaO × 44/56 + MgO × 44/40)，扣除产品或粉尘中未分解的碳酸盐",
        "en": "E = Q × (CaO × 44/56 + MgO × 44/40) less carbonate left in product or dust",
    },
)
defaults = standard.clause(
    {"zh": "第2章 表2.4", "en": "Ch 2, Table 2.4"},
    {
        "zh": "E = Q × 化学计量比 × 含量；未单独计量窑灰时乘以 1.02",
        "en": "E = Q × stoichiometric ratio × content × 1.02 where kiln dust is not counted",
    },
)

lime = key("product").isin("high_calcium_lime", "dolomitic_lime", "hydraulic_lime")


@analysis.rule(
    unit="tCO2/t",
    per="site, month, product",
    label={"zh": "石灰排放因子（分析）", "en": "Factor of lime by analysis"},
    adds=False,
)
def lime_analysis_factor(lime_cao_content, lime_mgo_content, lime_residual_carbon_dioxide):
    """Oxides × their ratios, less the CO2 still bound in the product."""
    released = lime_cao_content * constant("44/56", unit="tCO2/t") + lime_mgo_content * constant(
        "44/40", unit="tCO2/t"
    )
    return released - lime_residual_carbon_dioxide


@defaults.rule(
    unit="tCO2/t",
    per="site, month, product",
    label={"zh": "石灰排放因子（缺省）", "en": "Factor of lime by default"},
    adds=False,
)
def lime_default_factor(lime_stoichiometric_ratio, lime_oxide_content, lime_kiln_dust_correction):
    """Ratio × content of Table 2.4, with the dust correction where the account asks for it."""
    pure = lime_stoichiometric_ratio * lime_oxide_content
    return choose((option("kiln_dust") == "corrected", pure * lime_kiln_dust_correction), otherwise=pure)


@analysis.rule(
    unit="tCO2",
    per="site, month, product",
    label={"zh": "石灰生产过程排放", "en": "Lime"},
    when=lime,
    not_negative=True,
)
def lime_emission(product_output, lime_analysis_factor, lime_default_factor):
    """Lime made × its factor, by analysis or by Table 2.4."""
    by_default = product_output * lime_default_factor
    return choose(
        (option("lime_factor") == "analysis", product_output * lime_analysis_factor), otherwise=by_default
    )

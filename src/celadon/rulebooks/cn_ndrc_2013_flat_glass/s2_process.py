"""Carbon powder and carbonates of the batch. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import constant, document, first_given, key, sum_of, total

standard = document("NDRC guideline 2013 (flat glass)")
powder = standard.clause(
    {"zh": "核算方法（原料配料中碳粉氧化排放）", "en": "accounting method (carbon powder)"},
    {"zh": "E = Q × C × 44/12：碳粉消耗量 × 含碳量 × 44/12", "en": "E = Q × C × 44/12"},
)
carbonate = standard.clause(
    {"zh": "核算方法（原料碳酸盐分解排放）", "en": "accounting method (carbonates of the batch)"},
    {
        "zh": "E = Σ M_i × EF_i × PUR_i × F_i：碳酸盐原料消耗量 × 排放因子 × 纯度 × 煅烧比例；排放因子按纯碳酸盐计",
        "en": "E = Σ M_i × EF_i × PUR_i × F_i: raw material × factor of the pure carbonate × purity × share calcined",
    },
)

is_powder = key("material") == "carbon_powder"


@powder.rule(
    unit="tCO2",
    per="site, month, material",
    label={"zh": "碳粉氧化排放", "en": "Carbon powder"},
    when=is_powder,
)
def carbon_powder_emission(material_consumed, material_carbon_content, default_carbon_powder_content):
    """Carbon powder × its carbon (measured, else all of it) × 44/12."""
    carbon = material_consumed * first_given(material_carbon_content, default_carbon_powder_content)
    return carbon * constant("44/12", unit="tCO2/t")


@carbonate.rule(
    unit="tCO2",
    per="site, month, material",
    label={"zh": "碳酸盐分解排放", "en": "Carbonates"},
    when=~is_powder,
)
def carbonate_emission(
    material_consumed, material_purity, carbonate_factor, calcined_share, default_calcined_share
):
    """Raw material × purity × factor × share calcined; taken as pure where it was not analysed, shown as a default."""
    carbonate = material_consumed * first_given(material_purity, constant("1", unit="1"))
    return carbonate * carbonate_factor * first_given(calcined_share, default_calcined_share)


@carbonate.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "工业生产过程排放", "en": "Process emission"},
)
def process_emission(carbon_powder_emission, carbonate_emission):
    """Carbon powder and carbonates."""
    return sum_of(total(carbon_powder_emission, over="material"), total(carbonate_emission, over="material"))

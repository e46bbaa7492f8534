"""Dolomite and own ferrosilicon. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import document, first_given, key, sum_of, total

standard = document("NDRC guideline 2013 (magnesium)")
dolomite = standard.clause(
    {"zh": "核算方法（白云石煅烧分解排放）", "en": "accounting method (dolomite calcination)"},
    {"zh": "E = D × PUR × EF：白云石消耗量 × 纯度 × 排放因子", "en": "E = D × PUR × EF"},
)
ferrosilicon = standard.clause(
    {"zh": "核算方法（自产硅铁排放）", "en": "accounting method (own ferrosilicon)"},
    {"zh": "E = Q × EF：产量 × 排放因子", "en": "E = Q × EF"},
)


@dolomite.rule(
    unit="tCO2",
    per="site, month, material",
    label={"zh": "白云石煅烧排放", "en": "Dolomite"},
    when=key("material") == "dolomite",
)
def dolomite_emission(material_consumed, material_purity, default_purity, process_factor):
    """Dolomite × purity (measured, else the default) × factor."""
    return material_consumed * first_given(material_purity, default_purity) * process_factor


@ferrosilicon.rule(
    unit="tCO2",
    per="site, month, product",
    label={"zh": "自产硅铁排放", "en": "Own ferrosilicon"},
    when=key("product") == "ferrosilicon",
)
def ferrosilicon_emission(product_output, own_ferrosilicon_factor):
    """Ferrosilicon made on site × factor; what is bought emits at its maker."""
    return product_output * own_ferrosilicon_factor


@dolomite.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "工业生产过程排放", "en": "Process emission"},
)
def process_emission(dolomite_emission, ferrosilicon_emission):
    """Dolomite and own ferrosilicon."""
    return sum_of(total(dolomite_emission, over="material"), total(ferrosilicon_emission, over="product"))

"""Calcination and non-fuel carbon. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import constant, document, first_given, key, option, sum_of, total

standard = document("NDRC guideline 2013 (cement)")
calcination = standard.clause(
    {
        "zh": "核算方法（过程排放：原料碳酸盐分解）",
        "en": "accounting method (process emissions: calcination)",
    },
    {
        "zh": "E = (Q熟料 + Q窑头粉尘 + Q旁路粉尘) × [(CaO − CaO_nc) × 44/56 + (MgO − MgO_nc) × "
        "44/40]，扣除不来源于碳酸盐分解的氧化钙与氧化镁",
        "en": "E = (Q_clinker + Q_kiln dust + Q_bypass dust) × [(CaO − CaO_nc) × 44/56 + (MgO − "
        "MgO_nc) × 44/40]",
    },
)
facility = document("MEE cement facility guideline 2024").clause(
    {"zh": "过程排放（缺省因子）", "en": "process emissions (default)"},
    {
        "zh": "E = 熟料产量 × 缺省因子，无化学分析时采用",
        "en": "E = clinker × default factor where there is no analysis",
    },
)
organic = standard.clause(
    {
        "zh": "核算方法（过程排放：生料中非燃料碳煅烧）",
        "en": "accounting method (process emissions: non-fuel carbon)",
    },
    {
        "zh": "E = Q生料 × FR0 × 44/12：生料消耗量 × 非燃料碳含量 × 44/12",
        "en": "E = Q_raw meal × FR0 × 44/12",
    },
)


@calcination.rule(
    unit="t",
    per="site, month, product",
    label={"zh": "熟料产量", "en": "Clinker made"},
    when=key("product") == "clinker",
)
def clinker_output(product_output):
    """The output booked as clinker."""
    return product_output


@calcination.rule(
    unit="t",
    per="site, month",
    label={"zh": "参与分解的物料量", "en": "Calcined material"},
)
def calcined_output(clinker_output, kiln_dust, bypass_dust):
    """Clinker, kiln dust and bypass dust that leave the kiln system."""
    return sum_of(total(clinker_output, over="product"), kiln_dust, bypass_dust)


@calcination.rule(
    unit="tCO2/t",
    per="site, month",
    label={"zh": "熟料分解排放因子", "en": "Calcination factor of the clinker"},
    adds=False,
)
def calcination_factor(
    clinker_cao_content,
    clinker_mgo_content,
    clinker_noncarbonate_cao_content,
    clinker_noncarbonate_mgo_content,
):
    """Oxides that came from carbonates; MgO goes with 44/40, never with 44/56."""
    cao = (clinker_cao_content - clinker_noncarbonate_cao_content) * constant("44/56", unit="tCO2/t")
    mgo = (clinker_mgo_content - clinker_noncarbonate_mgo_content) * constant("44/40", unit="tCO2/t")
    return cao + mgo


@calcination.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "碳酸盐分解排放", "en": "Calcination"},
    when=option("calcination") == "analysis",
)
def calcination_emission(calcined_output, calcination_factor):
    """Calcined material × the factor of its clinker, by analysis."""
    return calcined_output * calcination_factor


@facility.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "碳酸盐分解排放", "en": "Calcination"},
    when=~(option("calcination") == "analysis"),
)
def calcination_emission(clinker_output, clinker_default_factor):
    """Clinker × the default that the account names; the IPCC value is there to compare with."""
    return total(clinker_output, over="product") * clinker_default_factor


@organic.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "生料非燃料碳煅烧排放", "en": "Non-fuel carbon of raw meal"},
)
def non_fuel_carbon_emission(raw_meal_consumed, raw_meal_carbon_content, default_raw_meal_carbon):
    """Raw meal × its carbon (measured, else the default of its kind) × 44/12."""
    carbon = raw_meal_consumed * first_given(raw_meal_carbon_content, default_raw_meal_carbon)
    return carbon * constant("44/12", unit="tCO2/t")


@calcination.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "工业生产过程排放", "en": "Process emission"},
    not_negative=True,
)
def process_emission(calcination_emission, non_fuel_carbon_emission):
    """Calcination and non-fuel carbon."""
    return sum_of(calcination_emission, non_fuel_carbon_emission)

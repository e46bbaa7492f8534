"""Process emissions: carbon balance, carbonates, natural soda ash, acids; CO2 recovered. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import choose, constant, document, first_given, key, sum_of, total

standard = document("GB/T 32151.10-2015")
balance = standard.clause(
    {"zh": "核算方法（过程排放：碳质量平衡）", "en": "accounting method (process emissions: carbon balance)"},
    {
        "zh": "E = [Σ AD_r × CC_r − Σ AD_p × CC_p − Σ AD_w × CC_w] × 44/12："
        "原料含碳量减去产品含碳量与废弃物含碳量",
        "en": "E = [Σ AD_r × CC_r − Σ AD_p × CC_p − Σ AD_w × CC_w] × 44/12: feedstock less products "
        "less carbon in waste",
    },
)
calcination = standard.clause(
    {"zh": "核算方法（过程排放：碳酸盐使用）", "en": "accounting method (process emissions: carbonates)"},
    {"zh": "E = Σ AD_i × EF_i × PUR_i：碳酸盐消耗量 × 排放因子 × 纯度", "en": "E = Σ AD_i × EF_i × PUR_i"},
)
trona = document("IPCC 2006 Volume 3").clause(
    {"zh": "第3章 式3.14", "en": "Ch 3, equation 3.14"},
    {"zh": "E = 天然碱用量 × EF：天然碱法制纯碱", "en": "E = trona × EF: natural soda ash"},
)
acid = standard.clause(
    {
        "zh": "核算方法（过程排放：硝酸与己二酸生产）",
        "en": "accounting method (process emissions: nitric and adipic acid)",
    },
    {
        "zh": "E = Σ AD_j × EF_j × (1 − η_j × μ_j) × GWP：产量 × 排放因子，扣除尾气处理设施的去除率 η "
        "与使用率 μ",
        "en": "E = Σ AD_j × EF_j × (1 − η_j × μ_j) × GWP",
    },
)
recovery = standard.clause(
    {"zh": "核算方法（二氧化碳回收利用）", "en": "accounting method (recovery of CO2)"},
    {"zh": "R = Q × PUR × 密度：回收且外供的二氧化碳体积 × 纯度 × 密度", "en": "R = Q × PUR × density"},
)

fuel = ~key("carrier").isin(
    "electricity", "heat", "fresh_water", "softened_water", "deaerated_water", "compressed_air", "blast_air", "oxygen",
    "nitrogen_byproduct", "nitrogen_main", "argon", "carbon_dioxide_gas", "acetylene", "calcium_carbide",
)  # fmt: skip
carbonate = key("material").isin(
    "limestone", "magnesite", "soda_ash", "sodium_bicarbonate", "siderite", "rhodochrosite", "barium_carbonate",
    "lithium_carbonate", "potassium_carbonate", "strontium_carbonate", "dolomite",
)  # fmt: skip
raw_material = ~carbonate & ~(key("material") == "trona")
feedstock = fuel & (key("purpose") == "feedstock")
carbon_free = key("product").isin(
    "ammonia", "nitric_acid", "hydrogen", "oxygen", "sulphur", "sulphuric_acid", "chlorine", "caustic_soda"
)


@balance.rule(
    unit="tC",
    per="site, month, carrier, purpose",
    label={"zh": "作原料的化石燃料含碳", "en": "Carbon of fossil feedstock"},
    when=feedstock,
)
def feedstock_carbon(
    energy_consumed, carbon_content_by_mass, applied_net_calorific_value, applied_carbon_content
):
    """Coal, naphtha or gas that reacts: measured carbon, else calorific value × carbon per heat."""
    by_heat = energy_consumed * applied_net_calorific_value * applied_carbon_content
    measured_there = carbon_content_by_mass >= constant("0", unit="tC/carrier_unit")
    return choose((measured_there, energy_consumed * carbon_content_by_mass), otherwise=by_heat)


@balance.rule(
    unit="tC",
    per="site, month, material",
    label={"zh": "其他含碳原料含碳", "en": "Carbon of other raw materials"},
    when=raw_material,
)
def raw_material_carbon(material_consumed, material_carbon_content, default_material_carbon_content):
    """Raw material × its carbon, measured, else of the appendix."""
    return material_consumed * first_given(material_carbon_content, default_material_carbon_content)


@balance.rule(
    unit="tC",
    per="site, month, product",
    label={"zh": "产品含碳", "en": "Carbon of products"},
)
def product_carbon(product_output, product_carbon_content, default_product_carbon_content):
    """Product × its carbon; ammonia, acids and the like hold none."""
    measured = first_given(product_carbon_content, default_product_carbon_content)
    return product_output * choose((carbon_free, constant("0", unit="tC/t")), otherwise=measured)


@balance.rule(
    unit="tC",
    per="site, month, material",
    label={"zh": "含碳废物含碳", "en": "Carbon of waste"},
)
def waste_carbon(carbon_waste_output, material_carbon_content, default_material_carbon_content):
    """Slag, ash and other waste × its carbon."""
    return carbon_waste_output * first_given(material_carbon_content, default_material_carbon_content)


@balance.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "原料碳氧化排放", "en": "Carbon balance"},
)
def carbon_balance_emission(feedstock_carbon, raw_material_carbon, product_carbon, waste_carbon):
    """What went in less what left in products and waste; CO2 in urea is in the urea."""
    balance = sum_of(
        total(feedstock_carbon, over="carrier, purpose"),
        total(raw_material_carbon, over="material"),
        -total(product_carbon, over="product"),
        -total(waste_carbon, over="material"),
    )
    return balance * constant("44/12", unit="tCO2/tC")


@calcination.rule(
    unit="tCO2",
    per="site, month, material",
    label={"zh": "碳酸盐使用排放", "en": "Carbonates"},
    when=carbonate,
)
def carbonate_emission(material_consumed, carbonate_factor, material_purity):
    """Carbonate used × factor × purity; taken as pure where it was not analysed, shown as a default."""
    return material_consumed * carbonate_factor * first_given(material_purity, constant("1", unit="1"))


@trona.rule(
    unit="tCO2",
    per="site, month, material",
    label={"zh": "天然碱法纯碱排放", "en": "Natural soda ash"},
    when=key("material") == "trona",
)
def trona_emission(material_consumed, trona_factor):
    """Trona used × factor."""
    return material_consumed * trona_factor


@balance.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "原料与碳酸盐的二氧化碳排放", "en": "CO2 of raw materials and carbonates"},
    not_negative=True,
)
def raw_material_emission(carbon_balance_emission, carbonate_emission, trona_emission):
    """The balance may be below zero alone: soda ash keeps carbon that limestone brought in. Together they cannot."""
    return sum_of(
        carbon_balance_emission,
        total(carbonate_emission, over="material"),
        total(trona_emission, over="material"),
    )


@acid.rule(
    unit="tN2O",
    per="site, month, technology",
    label={"zh": "硝酸、己二酸氧化亚氮", "en": "N2O of nitric and adipic acid"},
)
def acid_nitrous_oxide(acid_output, acid_factor, abatement_efficiency, abatement_utilisation):
    """Acid by technology × factor × what the abatement lets through."""
    return acid_output * acid_factor * (1 - abatement_efficiency * abatement_utilisation)


@acid.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "硝酸、己二酸生产排放", "en": "Nitric and adipic acid"},
    not_negative=True,
)
def acid_emission(acid_nitrous_oxide, nitrous_oxide_gwp):
    """N2O × warming potential of the account's report."""
    return total(acid_nitrous_oxide, over="technology") * nitrous_oxide_gwp


@recovery.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "二氧化碳回收量（扣减）", "en": "CO2 recovered (subtracted)"},
)
def carbon_dioxide_recovery(carbon_dioxide_recovered, carbon_dioxide_purity, carbon_dioxide_density):
    """Volume recovered for outside use × purity × density."""
    return carbon_dioxide_recovered * carbon_dioxide_purity * carbon_dioxide_density

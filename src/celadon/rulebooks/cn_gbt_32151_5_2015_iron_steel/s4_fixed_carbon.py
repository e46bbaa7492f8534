"""Carbon that leaves in products. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import constant, document, key, sum_of, total

standard = document("GB/T 32151.5-2015")
fixed = standard.clause(
    {"zh": "核算方法（固碳产品隐含的排放）", "en": "accounting method (fixed carbon)"},
    {
        "zh": "R = Σ AD_j × EF_j：粗钢按产量，生铁、甲醇等含碳产品按外销量，外售副产煤气、焦油与粗苯按其燃烧含碳量",
        "en": "R = Σ AD_j × EF_j: crude steel made; pig iron, methanol and other carbon products sold; "
        "by-product gas, tar and benzol sold at their combustion carbon",
    },
)

by_product = key("carrier").isin(
    "blast_furnace_gas", "converter_gas", "coke_oven_gas", "coal_tar", "crude_benzol"
)


@fixed.rule(
    unit="tCO2",
    per="site, month, product",
    label={"zh": "粗钢固碳", "en": "Carbon kept in crude steel"},
    when=key("product") == "crude_steel",
)
def crude_steel_fixed_carbon(product_output, fixed_carbon_factor):
    """Crude steel made × fixed-carbon factor."""
    return product_output * fixed_carbon_factor


@fixed.rule(
    unit="tCO2",
    per="site, month, product",
    label={"zh": "外销固碳产品", "en": "Carbon kept in products sold"},
    when=key("product").isin("pig_iron", "methanol", "coal_tar", "crude_benzol"),
)
def sold_product_fixed_carbon(product_sold, fixed_carbon_factor):
    """Only what leaves: pig iron used inside keeps no carbon away from the air; steel sold is counted as crude steel."""
    return product_sold * fixed_carbon_factor


@fixed.rule(
    unit="tCO2",
    per="site, month, carrier",
    label={"zh": "外销副产煤气、焦油与粗苯", "en": "By-product gas, tar and benzol sold"},
    when=by_product,
)
def sold_gas_fixed_carbon(
    energy_exported, applied_net_calorific_value, applied_carbon_content, oxidation_rate
):
    """Sold as fuel × what it would have emitted here."""
    carbon = energy_exported * applied_net_calorific_value * applied_carbon_content
    return carbon * oxidation_rate * constant("44/12", unit="tCO2/tC")


@fixed.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "固碳产品隐含的排放（扣减）", "en": "Fixed carbon (subtracted)"},
)
def fixed_carbon(crude_steel_fixed_carbon, sold_product_fixed_carbon, sold_gas_fixed_carbon):
    """Crude steel, products sold and gas sold."""
    return sum_of(
        total(crude_steel_fixed_carbon, over="product"),
        total(sold_product_fixed_carbon, over="product"),
        total(sold_gas_fixed_carbon, over="carrier"),
    )

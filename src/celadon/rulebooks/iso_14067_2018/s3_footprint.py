"""Clauses 6.3.3, 6.4.2 and 7: the footprint per declared unit, with materials and own intermediates. The number is the order."""

from celadon.rules import at_key, choose, constant, document, sum_of, total

standard = document("ISO 14067:2018")
materials = standard.clause(
    "6.4.2",
    {
        "zh": "外购原材料采用供应商声明的碳足迹，否则采用平均值",
        "en": "Materials bought carry the footprint their supplier states, else an average one",
    },
)
chain = standard.clause(
    {"zh": "6.4.2（相连过程）", "en": "6.4.2 (connected processes)"},
    {
        "zh": "过程传递给下一产品的中间品携带其碳足迹",
        "en": "What a process passes on carries its footprint into the next product",
    },
)
declared = standard.clause(
    {"zh": "6.3.3、7.2", "en": "6.3.3 and 7.2"},
    {
        "zh": "每声明单位的碳足迹；化石、生物质与土地利用分别列出",
        "en": "Footprint per declared unit; fossil, biogenic and land use are told apart",
    },
)
balance = standard.clause(
    {"zh": "6.4.6.1（合计）", "en": "6.4.6.1 (sum)"},
    {
        "zh": "随产品离开工厂的碳足迹，等于工厂排放与原材料带入之和",
        "en": "What leaves the plant with its products is what was emitted and what came in with materials",
    },
)

no_factor = constant("0", unit="tCO2e/product_unit")


@materials.rule(
    unit="tCO2e",
    per="site, month, product, purpose",
    label={"zh": "外购材料化石足迹", "en": "Fossil footprint of materials"},
)
def material_fossil_emission(material_used, supplier_factor, average_factor):
    """Amount × the supplier's factor, else the average one."""
    return material_used * choose((supplier_factor >= no_factor, supplier_factor), otherwise=average_factor)


@materials.rule(
    unit="tCO2e",
    per="site, month, purpose",
    label={"zh": "材料带入产品的化石足迹", "en": "Fossil footprint of materials, by product"},
)
def material_fossil_inflow(material_fossil_emission):
    """Over the materials that go into the product."""
    return total(material_fossil_emission, over="product")


@chain.rule(
    unit="tCO2e",
    per="site, month, purpose",
    label={"zh": "中间品带入产品的化石足迹", "en": "Fossil footprint of own products, by product"},
    adds=False,
)
def own_fossil_inflow(product_used, fossil_footprint):
    """Own products used × their footprint."""
    return total(product_used * fossil_footprint, over="product")


@declared.rule(
    unit="tCO2e/product_unit",
    per="site, month, product",
    label={"zh": "化石足迹（每声明单位）", "en": "Fossil footprint per declared unit"},
    adds=False,
)
def fossil_footprint(allocated_fossil_emission, material_fossil_inflow, own_fossil_inflow, product_output):
    """Allocated emission, materials and own products used, over the output."""
    carried = (
        allocated_fossil_emission
        + at_key(material_fossil_inflow, purpose="product")
        + at_key(own_fossil_inflow, purpose="product")
    )
    return carried / product_output


@materials.rule(
    unit="tCO2e",
    per="site, month, purpose",
    label={"zh": "材料带入产品的生物源足迹", "en": "Biogenic footprint of materials, by product"},
)
def material_biogenic_inflow(material_biogenic_emission):
    """Over the materials that go into the product."""
    return total(material_biogenic_emission, over="product")


@chain.rule(
    unit="tCO2e",
    per="site, month, purpose",
    label={"zh": "中间品带入产品的生物源足迹", "en": "Biogenic footprint of own products, by product"},
    adds=False,
)
def own_biogenic_inflow(product_used, biogenic_footprint):
    """Own products used × their footprint."""
    return total(product_used * biogenic_footprint, over="product")


@declared.rule(
    unit="tCO2e/product_unit",
    per="site, month, product",
    label={"zh": "生物源足迹（每声明单位）", "en": "Biogenic footprint per declared unit"},
    adds=False,
)
def biogenic_footprint(
    allocated_biogenic_emission, material_biogenic_inflow, own_biogenic_inflow, product_output
):
    """Allocated emission, materials and own products used, over the output."""
    carried = (
        allocated_biogenic_emission
        + at_key(material_biogenic_inflow, purpose="product")
        + at_key(own_biogenic_inflow, purpose="product")
    )
    return carried / product_output


@materials.rule(
    unit="tCO2e",
    per="site, month, purpose",
    label={"zh": "材料带入产品的土地利用足迹", "en": "Land use footprint of materials, by product"},
)
def material_land_use_inflow(material_land_use_emission):
    """Over the materials that go into the product."""
    return total(material_land_use_emission, over="product")


@chain.rule(
    unit="tCO2e",
    per="site, month, purpose",
    label={"zh": "中间品带入产品的土地利用足迹", "en": "Land use footprint of own products, by product"},
    adds=False,
)
def own_land_use_inflow(product_used, land_use_footprint):
    """Own products used × their footprint."""
    return total(product_used * land_use_footprint, over="product")


@declared.rule(
    unit="tCO2e/product_unit",
    per="site, month, product",
    label={"zh": "土地利用足迹（每声明单位）", "en": "Land use footprint per declared unit"},
    adds=False,
)
def land_use_footprint(material_land_use_inflow, own_land_use_inflow, product_output):
    """Materials and own products used, over the output."""
    carried = at_key(material_land_use_inflow, purpose="product") + at_key(
        own_land_use_inflow, purpose="product"
    )
    return carried / product_output


@declared.rule(
    unit="tCO2e/product_unit",
    per="site, month, product",
    label={"zh": "产品碳足迹（每声明单位）", "en": "Footprint per declared unit"},
    adds=False,
)
def product_footprint(fossil_footprint, biogenic_footprint, land_use_footprint):
    """Fossil, biogenic and land use."""
    return sum_of(fossil_footprint, biogenic_footprint, land_use_footprint)


@balance.rule(
    unit="product_unit",
    per="site, month, product",
    label={"zh": "净产量", "en": "Net output"},
    adds=False,
)
def net_output(product_output, product_used):
    """What was made less what went into other products."""
    return product_output - total(product_used, over="purpose")


@balance.rule(
    unit="tCO2e",
    per="site, month, product",
    label={"zh": "随产品离厂的排放", "en": "Emission that leaves with a product"},
    adds=False,
)
def carried_out_emission(net_output, product_footprint):
    """Net output × footprint."""
    return net_output * product_footprint


@balance.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "产品系统排放合计", "en": "Emission of the product system"},
)
def system_emission(
    process_fossil_emission,
    process_biogenic_emission,
    material_fossil_inflow,
    material_biogenic_inflow,
    material_land_use_inflow,
):
    """Of all processes and all materials: what the products together carry out."""
    return sum_of(
        process_fossil_emission,
        process_biogenic_emission,
        total(material_fossil_inflow, over="purpose"),
        total(material_biogenic_inflow, over="purpose"),
        total(material_land_use_inflow, over="purpose"),
    )

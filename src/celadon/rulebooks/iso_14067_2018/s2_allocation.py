"""Clause 6.4.6: allocation. What goes to the products is what the processes emit, to the last kilogram. The number is the order."""

from celadon.rules import choose, constant, document, option, total

standard = document("ISO 14067:2018")
keys = standard.clause(
    "6.4.6.2",
    {
        "zh": "输入与输出按质量或其他物理关系分配，否则按经济价值分配",
        "en": "Inputs and outputs are shared by mass or another physical relationship, else by value",
    },
)
subdivided = standard.clause(
    "6.4.6.1",
    {
        "zh": "过程的排放归于该过程的产品：先细分，后分配",
        "en": "A process's emission goes to the products of that process: subdivision before allocation",
    },
)
shared = standard.clause(
    {"zh": "6.4.6.1（合计）", "en": "6.4.6.1 (sum)"},
    {
        "zh": "分配后的排放之和等于分配前的排放",
        "en": "The allocated emissions add to those before allocation",
    },
)

nothing = constant("0", unit="tCO2e")
by_mass = option("allocation") == "mass"
by_property = option("allocation") == "physical"


@keys.rule(
    unit="t", per="process, month, product", label={"zh": "产品质量", "en": "Mass of products"}, when=by_mass
)
def output_mass(product_output, product_mass):
    """Output × mass of one unit."""
    return product_output * product_mass


@keys.rule(
    unit="GJ",
    per="process, month, product",
    label={"zh": "产品物理属性量", "en": "Physical property of products"},
    when=by_property,
)
def output_property(product_output, product_property):
    """Output × property of one unit."""
    return product_output * product_property


@keys.rule(
    unit="CNY",
    per="process, month, product",
    label={"zh": "产品价值", "en": "Value of products"},
    when=option("allocation") == "economic",
)
def output_value(product_output, product_price):
    """Output × value of one unit."""
    return product_output * product_price


@keys.rule(
    unit="1",
    per="process, month, product",
    label={"zh": "工序内分配比例", "en": "Share of a product in its process"},
    adds=False,
)
def process_share(output_mass, output_property, output_value):
    """The product's mass, property or value over that of all products of the process."""
    return choose(
        (by_mass, output_mass / total(output_mass, over="product")),
        (by_property, output_property / total(output_property, over="product")),
        otherwise=output_value / total(output_value, over="product"),
    )


@keys.rule(
    unit="1",
    per="site, month, product",
    label={"zh": "全场分配比例", "en": "Share of a product in the site"},
    adds=False,
)
def site_share(output_mass, output_property, output_value):
    """As in a process, over all products of the site."""
    return choose(
        (by_mass, output_mass / total(output_mass, over="product")),
        (by_property, output_property / total(output_property, over="product")),
        otherwise=output_value / total(output_value, over="product"),
    )


@subdivided.rule(
    unit="tCO2e",
    per="process, month, product",
    label={"zh": "工序内分配的化石排放", "en": "Fossil emission given to a product by its process"},
)
def attributed_fossil_emission(process_fossil_emission, process_share):
    """The process's emission × the product's share; a month in which the process emits nothing gives nothing."""
    emitted = choose(
        (process_fossil_emission >= nothing, process_fossil_emission),
        (process_fossil_emission < nothing, process_fossil_emission),
        otherwise=nothing,
    )
    return emitted * process_share


@subdivided.rule(
    unit="tCO2e",
    per="process, month, product",
    label={"zh": "工序内分配的生物源排放", "en": "Biogenic emission given to a product by its process"},
)
def attributed_biogenic_emission(process_biogenic_emission, process_share):
    """The process's emission × the product's share; a month in which the process emits nothing gives nothing."""
    emitted = choose(
        (process_biogenic_emission >= nothing, process_biogenic_emission),
        (process_biogenic_emission < nothing, process_biogenic_emission),
        otherwise=nothing,
    )
    return emitted * process_share


@shared.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "待全场分摊的化石排放", "en": "Fossil emission that no product's process carries"},
)
def common_fossil_emission(process_fossil_emission, attributed_fossil_emission):
    """All that is emitted less what processes gave to their products."""
    return process_fossil_emission - total(attributed_fossil_emission, over="product")


@shared.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "待全场分摊的生物源排放", "en": "Biogenic emission that no product's process carries"},
)
def common_biogenic_emission(process_biogenic_emission, attributed_biogenic_emission):
    """All that is emitted less what processes gave to their products."""
    return process_biogenic_emission - total(attributed_biogenic_emission, over="product")


@shared.rule(
    unit="tCO2e",
    per="site, month, product",
    label={"zh": "分配给产品的化石排放", "en": "Fossil emission allocated to a product"},
    adds=False,
)
def allocated_fossil_emission(attributed_fossil_emission, common_fossil_emission, site_share):
    """From its own process, and its share of what is common."""
    return attributed_fossil_emission + common_fossil_emission * site_share


@shared.rule(
    unit="tCO2e",
    per="site, month, product",
    label={"zh": "分配给产品的生物源排放", "en": "Biogenic emission allocated to a product"},
    adds=False,
)
def allocated_biogenic_emission(attributed_biogenic_emission, common_biogenic_emission, site_share):
    """From its own process, and its share of what is common."""
    return attributed_biogenic_emission + common_biogenic_emission * site_share

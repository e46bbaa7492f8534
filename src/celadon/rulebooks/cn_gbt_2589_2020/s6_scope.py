"""Chapter 6, scope of calculation: what enters the boundary, and which media count.

Chapter 6 of the 2020 edition was chapter 4 in 2008. Numbers below the chapter are not cited: the text was not seen.
"""

from celadon.rules import choose, document, key, option, total

standard = document("GB/T 2589-2020")
scope = standard.clause(
    "6",
    {
        "zh": "统计报告期内能源输入量减去能源输出量；不重计、不漏计；边界内回收利用的能源已含在输入量中",
        "en": "Energy input less energy output over the statistical period; nothing counted twice and "
        "nothing left out; what is recovered inside the boundary is already in the input",
    },
)
media = standard.clause(
    {"zh": "6、附录B", "en": "6, Annex B"},
    {
        "zh": "外购的耗能工质按生产该工质所消耗的能源计入",
        "en": "Media count where they are supplied from outside, with the energy spent on making them",
    },
)

medium = key("carrier").isin(
    "fresh_water", "softened_water", "deaerated_water", "compressed_air", "blast_air", "oxygen", "nitrogen_byproduct",
    "nitrogen_main", "argon", "carbon_dioxide_gas", "acetylene", "calcium_carbide",
)  # fmt: skip


@scope.rule(
    unit="carrier_unit",
    per="site, month, carrier, purpose",
    label={"zh": "计入的能源消耗量", "en": "Energy consumed that counts"},
    when=~medium & ((option("feedstock") == "counted") | ~(key("purpose") == "feedstock")),
)
def energy_counted(energy_consumed):
    """What is consumed, feedstock included unless the account leaves it out."""
    return energy_consumed


@scope.rule(
    unit="carrier_unit",
    per="site, month, carrier",
    label={"zh": "输入能源量", "en": "Energy input"},
    when=~medium,
)
def energy_input(energy_counted, energy_generated, energy_product_output):
    """What enters the boundary: consumed (exports and resales already off) less what was made inside without fuel, and less
    energy that was made out of energy (coke, tar and gas out of coal)."""
    net = total(energy_counted, over="purpose") - energy_product_output
    return choose((option("own_generation") == "counted", net), otherwise=net - energy_generated)


@media.rule(
    unit="carrier_unit",
    per="site, month, carrier",
    label={"zh": "外购耗能工质量", "en": "Media from outside"},
    when=medium & (option("media") == "counted"),
)
def medium_input(energy_purchased):
    """Media count only when the account says so, and only what comes from outside."""
    return energy_purchased

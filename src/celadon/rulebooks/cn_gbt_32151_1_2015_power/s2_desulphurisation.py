"""Desulphurisation. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import document, first_given

standard = document("GB/T 32151.1-2015")
desulphurisation = standard.clause(
    {"zh": "核算方法（脱硫过程排放）", "en": "accounting method (desulphurisation)"},
    {
        "zh": "E = Σ 脱硫剂消耗量 × 碳酸盐含量 × EF × 转化率",
        "en": "E = Σ carbonate × share of CaCO3 × EF × conversion",
    },
)


@desulphurisation.rule(
    unit="tCO2",
    per="site, month, material",
    label={"zh": "脱硫过程排放", "en": "Desulphurisation"},
)
def desulphurisation_emission(
    material_consumed,
    material_purity,
    desulphurisation_share,
    desulphurisation_factor,
    desulphurisation_conversion,
):
    """Limestone × its share of carbonate (measured, else the default) × factor × conversion."""
    carbonate = material_consumed * first_given(material_purity, desulphurisation_share)
    return carbonate * desulphurisation_factor * desulphurisation_conversion

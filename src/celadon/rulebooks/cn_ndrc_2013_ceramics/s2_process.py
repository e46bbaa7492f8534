"""Carbonates of the ceramic body. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import document

standard = document("NDRC guideline 2013 (ceramics)")
process = standard.clause(
    {"zh": "过程排放公式", "en": "process formula"},
    {
        "zh": "E = Σ M × η × (CaCO3 × EF + MgCO3 × EF)：原料消耗量 × 利用率 × 碳酸钙、"
        "碳酸镁含量及各自排放因子",
        "en": "E = Σ M × η × (CaCO3 × EF + MgCO3 × EF)",
    },
)


@process.rule(
    unit="tCO2/t",
    per="site, month, material",
    label={"zh": "原料碳酸盐排放因子", "en": "Factor of raw material"},
    adds=False,
)
def raw_material_factor(
    calcium_carbonate_content,
    calcium_carbonate_factor,
    magnesium_carbonate_content,
    magnesium_carbonate_factor,
):
    """Content of each carbonate × its factor."""
    return (
        calcium_carbonate_content * calcium_carbonate_factor
        + magnesium_carbonate_content * magnesium_carbonate_factor
    )


@process.rule(
    unit="tCO2",
    per="site, month, material",
    label={"zh": "原料煅烧排放", "en": "Raw material"},
)
def raw_material_emission(material_consumed, utilisation_rate, raw_material_factor):
    """Raw material × utilisation × carbonates × factors."""
    return material_consumed * utilisation_rate * raw_material_factor

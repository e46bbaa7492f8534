"""Carbon balance of the coke ovens. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import choose, constant, document, key, sum_of, total

standard = document("GB/T 32151.13-2023")
balance = standard.clause(
    {"zh": "炼焦碳质量平衡", "en": "carbon balance of coking"},
    {
        "zh": "E = [Σ 炼焦原料煤 × 含碳量 − Σ（焦炭、煤焦油、粗苯、焦炉煤气）× 含碳量] × 44/12",
        "en": "E = [Σ coal × C − Σ (coke, tar, benzol, gas) × C] × 44/12",
    },
)

fuel = ~key("carrier").isin(
    "electricity", "heat", "fresh_water", "softened_water", "deaerated_water", "compressed_air", "blast_air", "oxygen",
    "nitrogen_byproduct", "nitrogen_main", "argon", "carbon_dioxide_gas", "acetylene", "calcium_carbide",
)  # fmt: skip
feedstock = fuel & (key("purpose") == "feedstock")


@balance.rule(
    unit="tC",
    per="site, month, carrier, purpose",
    label={"zh": "炼焦煤含碳", "en": "Carbon of coking coal"},
    when=feedstock,
)
def coking_coal_carbon(
    energy_consumed, carbon_content_by_mass, applied_net_calorific_value, applied_carbon_content
):
    """Coal charged (purpose feedstock): measured carbon, else calorific value × carbon per heat."""
    by_heat = energy_consumed * applied_net_calorific_value * applied_carbon_content
    measured_there = carbon_content_by_mass >= constant("0", unit="tC/carrier_unit")
    return choose((measured_there, energy_consumed * carbon_content_by_mass), otherwise=by_heat)


@balance.rule(
    unit="tC",
    per="site, month, carrier",
    label={"zh": "焦化产品含碳", "en": "Carbon of coking products"},
    when=fuel,
)
def coking_product_carbon(
    energy_product_output, carbon_content_by_mass, applied_net_calorific_value, applied_carbon_content
):
    """Coke, tar, benzol and all gas made: measured carbon, else by heat."""
    by_heat = energy_product_output * applied_net_calorific_value * applied_carbon_content
    measured_there = carbon_content_by_mass >= constant("0", unit="tC/carrier_unit")
    return choose((measured_there, energy_product_output * carbon_content_by_mass), otherwise=by_heat)


@balance.rule(
    unit="tCO2",
    per="site, month",
    label={"zh": "炼焦过程排放", "en": "Coking"},
    not_negative=True,
)
def coking_emission(coking_coal_carbon, coking_product_carbon):
    """Carbon charged less carbon made into products, × 44/12."""
    balance = sum_of(
        total(coking_coal_carbon, over="carrier, purpose"), -total(coking_product_carbon, over="carrier")
    )
    return balance * constant("44/12", unit="tCO2/tC")

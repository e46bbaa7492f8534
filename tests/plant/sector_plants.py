"""Twelve plants as a consultant would write them: one plant file, one register of monthly figures, made-up amounts.

Each figure is booked in December 2022 and again in January 2023, so that only the grid's factor changes between the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MONTHS = (("2022-12-01", "2022-12-31"), ("2023-01-01", "2023-01-31"))


@dataclass(frozen=True)
class SectorPlant:
    """One plant: where it is, what it makes, its rulebook, and its figures of a month."""

    region: str
    rulebook: str
    products: tuple[str, ...]
    process: tuple[str, ...]
    """Results of its rulebook that are process emission to the GHG Protocol."""
    figures: str
    """Lines of `quantity item value unit [purpose]`; `-` stands for no item."""


PLANTS = {
    "coking": SectorPlant(
        "CN-SX",
        "cn_gbt_32151_13_2023_coking",
        ("coke",),
        ("coking_emission",),
        """
        energy_consumed cleaned_coal 100000 t feedstock
        carbon_content_by_mass cleaned_coal 80 %
        energy_product_output coke 74000 t
        carbon_content_by_mass coke 0.86 tC/t
        energy_product_output coal_tar 3500 t
        energy_product_output crude_benzol 1000 t
        energy_product_output coke_oven_gas 30000000 m3
        energy_consumed coke_oven_gas 14000000 m3
        energy_purchased electricity 3000 MWh
        energy_exported electricity 1000 MWh
        energy_exported heat 20000 GJ
        product_output coke 74000 t
        """,
    ),
    "steel": SectorPlant(
        "CN-HE",
        "cn_gbt_32151_5_2015_iron_steel",
        ("crude_steel", "pig_iron"),
        (),
        """
        energy_consumed cleaned_coal 50000 t
        energy_consumed bituminous 20000 t
        energy_consumed coke 60000 t
        energy_generated coke 36000 t
        energy_consumed natural_gas 1000000 m3
        energy_consumed blast_furnace_gas 100000000 m3
        energy_exported blast_furnace_gas 50000000 m3
        material_consumed limestone 10000 t
        material_purity limestone 95 %
        material_consumed dolomite 5000 t
        material_consumed graphite_electrode 20 t
        material_consumed steel_scrap 8000 t
        product_output crude_steel 120000 t
        product_sold pig_iron 2000 t
        energy_purchased electricity 40000 MWh
        energy_exported electricity 5000 MWh
        """,
    ),
    "aluminium": SectorPlant(
        "CN-YN",
        "cn_gbt_32151_4_2015_aluminium",
        ("aluminium",),
        ("process_emission",),
        """
        energy_consumed bituminous 30000 t
        net_calorific_value bituminous 21.5 GJ/t
        product_output aluminium 20000 t
        anode_effect_minutes - 0.3 min
        material_consumed limestone 500 t
        energy_purchased electricity 150000 MWh
        energy_generated electricity 90000 MWh
        """,
    ),
    "glass": SectorPlant(
        "CN-HE",
        "cn_ndrc_2013_flat_glass",
        ("flat_glass",),
        ("process_emission",),
        """
        energy_consumed natural_gas 4000000 m3
        material_consumed soda_ash 3000 t
        material_purity soda_ash 99 %
        material_consumed dolomite 2000 t
        material_purity dolomite 100 %
        material_consumed limestone 600 t
        material_purity limestone 96 %
        material_consumed carbon_powder 15 t
        product_output flat_glass 14000 t
        energy_purchased electricity 2500 MWh
        """,
    ),
    "ammonia": SectorPlant(
        "CN-SX",
        "cn_gbt_32151_10_2015_chemicals",
        ("ammonia", "urea"),
        ("raw_material_emission",),
        """
        energy_consumed anthracite 40000 t feedstock
        carbon_content_by_mass anthracite 0.75 tC/t
        energy_consumed bituminous 12000 t
        product_output ammonia 30000 t
        product_output urea 50000 t
        carbon_waste_output gasifier_slag 6000 t
        material_carbon_content gasifier_slag 12 %
        carbon_dioxide_recovered - 1000000 m3
        carbon_dioxide_purity - 98 %
        energy_purchased electricity 20000 MWh
        energy_purchased heat 10000 GJ
        """,
    ),
    "carbide": SectorPlant(
        "CN-NM",
        "cn_gbt_32151_10_2015_chemicals",
        ("calcium_carbide",),
        ("raw_material_emission",),
        """
        energy_consumed coke 12000 t feedstock
        material_consumed electrode_paste 300 t
        material_carbon_content electrode_paste 0.80 tC/t
        material_consumed limestone 32000 t
        material_purity limestone 96 %
        product_output calcium_carbide 20000 t
        energy_purchased electricity 66000 MWh
        """,
    ),
    "soda": SectorPlant(
        "CN-QH",
        "cn_gbt_32151_10_2015_chemicals",
        ("soda_ash",),
        ("raw_material_emission",),
        """
        material_consumed limestone 60000 t
        material_purity limestone 93 %
        energy_consumed coke 4500 t feedstock
        energy_consumed bituminous 25000 t
        product_output soda_ash 50000 t
        product_carbon_content soda_ash 0.1124 tC/t
        energy_purchased electricity 4000 MWh
        """,
    ),
    "refinery": SectorPlant(
        "CN-LN",
        "cn_ndrc_2014_petrochemicals",
        ("gasoline",),
        ("flaring_emission", "process_emission"),
        """
        energy_consumed refinery_dry_gas 9000 t
        energy_consumed fuel_oil 2000 t
        catalyst_coke_burnt fcc 12000 t
        coke_carbon_content fcc 0.93 tC/t
        catalyst_coke_burnt reformer 40 t
        hydrogen_feed natural_gas_feed 5000 t
        material_carbon_content natural_gas_feed 0.74 tC/t
        hydrogen_carbon_output tail_gas 300 t
        material_carbon_content tail_gas 0.5 tC/t
        flared_gas flare1 200000 m3
        flared_gas_carbon_content flare1 6.5 tC/10^4Nm3
        flared_gas_carbon_dioxide_share flare1 2 %
        bitumen_blown - 5000 t
        energy_purchased electricity 15000 MWh
        energy_exported heat 30000 GJ
        """,
    ),
    "lime": SectorPlant(
        "CN-AH",
        "cn_ipcc_2006_lime",
        ("dolomitic_lime", "high_calcium_lime"),
        ("lime_emission",),
        """
        energy_consumed anthracite 1500 t
        product_output dolomitic_lime 4000 t
        lime_cao_content dolomitic_lime 55 %
        lime_mgo_content dolomitic_lime 36 %
        lime_residual_carbon_dioxide dolomitic_lime 3 %
        product_output high_calcium_lime 6000 t
        lime_cao_content high_calcium_lime 92 %
        lime_mgo_content high_calcium_lime 1.5 %
        energy_purchased electricity 300 MWh
        """,
    ),
    "ceramics": SectorPlant(
        "CN-GD",
        "cn_ndrc_2013_ceramics",
        ("tiles",),
        ("raw_material_emission",),
        """
        energy_consumed natural_gas 1500000 m3
        energy_consumed diesel 20 t mobile
        material_consumed body_clay 30000 t
        utilisation_rate body_clay 92 %
        calcium_carbonate_content body_clay 4 %
        magnesium_carbonate_content body_clay 1.5 %
        product_output tiles 25000 t
        energy_purchased electricity 3500 MWh
        """,
    ),
    "paper": SectorPlant(
        "CN-SD",
        "cn_ndrc_2015_paper",
        ("paper",),
        ("limestone_emission", "wastewater_emission"),
        """
        energy_consumed bituminous 8000 t
        energy_consumed black_liquor 20000 t
        net_calorific_value black_liquor 11.8 GJ/t
        material_consumed limestone 900 t
        wastewater_volume - 600000 m3
        oxygen_demand_in - 3.2 kg/m3
        oxygen_demand_out - 0.4 kg/m3
        sludge_organics - 50000 kg
        methane_recovered - 120000 kg
        product_output paper 30000 t
        energy_purchased electricity 9000 MWh
        energy_exported heat 5000 GJ
        """,
    ),
    "power": SectorPlant(
        "CN-JS",
        "cn_gbt_32151_1_2015_power",
        ("ash",),
        ("desulphurisation_emission",),
        """
        energy_consumed bituminous 100000 t
        carbon_content_by_mass bituminous 56 %
        energy_consumed diesel 50 t
        material_consumed limestone 3000 t
        material_purity limestone 91 %
        energy_purchased electricity 200 MWh
        energy_exported electricity 240000 MWh
        energy_exported heat 200000 GJ
        """,
    ),
}


def write(folder: Path, name: str) -> Path:
    """The plant's folder: plant.yaml and register.csv."""
    plant = PLANTS[name]
    folder.mkdir(parents=True)
    products = "".join(f"  - {{id: {product}, unit: t}}\n" for product in plant.products)
    (folder / "plant.yaml").write_text(
        f"celadon: 1\nenterprise: {{id: {name}}}\nsites: [{{id: works, region: {plant.region}}}]\n"
        f"products:\n{products}{_derived(plant)}"
        "sources:\n  - id: register\n    role: records\n    files: register.csv\n"
        "    fields: {start: from, end: to, quantity: quantity, item: item, purpose: purpose, value: value, unit: unit}\n",
        "utf-8",
    )
    (folder / "register.csv").write_text(
        "from,to,quantity,item,purpose,value,unit\n" + "".join(_rows(plant)), "utf-8"
    )
    return folder


def _derived(plant: SectorPlant) -> str:
    """Process emission for the GHG Protocol, out of the sector's own account."""
    lines = [
        f"  - {{quantity: other_direct_emission, item: {result}, rulebook: {plant.rulebook}, of: {result}}}\n"
        for result in plant.process
    ]
    return "derived:\n" + "".join(lines) if lines else ""


def _rows(plant: SectorPlant) -> Iterator[str]:
    for first, last in MONTHS:
        for line in plant.figures.split("\n"):
            if words := line.split():
                quantity, item, value, unit, *purpose = words
                item = "" if item == "-" else item
                yield f"{first},{last},{quantity},{item},{''.join(purpose)},{value},{unit}\n"

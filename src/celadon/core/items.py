"""Names of what facts are about beside energy carriers: process materials and gases; and of any item of a plant."""

from __future__ import annotations

from collections.abc import Mapping

from celadon.core.carriers import CARRIERS
from celadon.core.model import Plant
from celadon.core.text import Text, same

_MATERIALS = (
    ("acetonitrile", "acetonitrile", "乙腈"),
    ("acrylonitrile", "acrylonitrile", "丙烯腈"),
    ("ammonium_bicarbonate", "ammonium bicarbonate", "碳酸氢铵"),
    ("ankerite", "ankerite", "铁白云石"),
    ("barium_carbonate", "barium carbonate", "碳酸钡"),
    ("blast_furnace_ferromanganese", "blast-furnace ferromanganese", "高炉锰铁"),
    ("butadiene", "butadiene", "丁二烯"),
    ("calcium_carbonate", "calcium carbonate", "碳酸钙"),
    ("carbon_black", "carbon black", "炭黑"),
    ("carbon_powder", "carbon powder", "碳粉"),
    ("chrome_iron", "ferrochrome", "铬铁合金"),
    ("clay", "clay", "黏土"),
    ("direct_reduced_iron", "direct reduced iron", "直接还原铁"),
    ("dolomite", "dolomite", "白云石"),
    ("dry_gas", "dry gas", "干气"),
    ("ethane", "ethane", "乙烷"),
    ("ethylene", "ethylene", "乙烯"),
    ("ethylene_dichloride", "ethylene dichloride", "二氯乙烷"),
    ("ethylene_glycol", "ethylene glycol", "乙二醇"),
    ("ethylene_oxide", "ethylene oxide", "环氧乙烷"),
    ("ferrosilicon", "ferrosilicon", "硅铁"),
    ("graphite_electrode", "graphite electrodes", "石墨电极"),
    ("high_carbon_ferrochrome", "high-carbon ferrochrome", "高碳铬铁"),
    ("high_carbon_ferromanganese", "high-carbon ferromanganese", "高碳锰铁"),
    ("hydrogen_cyanide", "hydrogen cyanide", "氰化氢"),
    ("lime", "lime", "石灰"),
    ("limestone", "limestone", "石灰石"),
    ("lithium_carbonate", "lithium carbonate", "碳酸锂"),
    ("low_carbon_silicomanganese", "low-carbon silicomanganese", "低碳锰硅合金"),
    ("magnesite", "magnesite", "菱镁矿"),
    ("magnesium_carbonate", "magnesium carbonate", "碳酸镁"),
    ("methane", "methane", "甲烷"),
    ("micro_carbon_ferromanganese", "extra-low-carbon ferromanganese", "微碳锰铁"),
    ("molybdenum_iron", "ferromolybdenum", "钼铁合金"),
    ("nickel_iron", "ferronickel", "镍铁合金"),
    ("pig_iron", "pig iron", "生铁"),
    ("potassium_carbonate", "potassium carbonate", "碳酸钾"),
    ("propane", "propane", "丙烷"),
    ("propylene", "propylene", "丙烯"),
    ("rhodochrosite", "rhodochrosite", "菱锰矿"),
    ("siderite", "siderite", "菱铁矿"),
    ("silicomanganese", "silicomanganese", "锰硅合金"),
    ("slag", "slag", "炉渣"),
    ("soda_ash", "soda ash", "纯碱"),
    ("sodium_bicarbonate", "sodium bicarbonate", "碳酸氢钠"),
    ("steel_scrap", "steel scrap", "废钢"),
    ("strontium_carbonate", "strontium carbonate", "碳酸锶"),
    ("trona", "trona", "天然碱"),
    ("urea", "urea", "尿素"),
    ("vinyl_chloride", "vinyl chloride", "氯乙烯"),
    ("waste_glass_fibre", "waste glass-fibre plastic", "废玻璃钢"),
    ("waste_leather", "waste leather", "废皮革"),
    ("waste_oil", "waste oil", "废油"),
    ("waste_plastic", "waste plastic", "废塑料"),
    ("waste_solvent", "waste solvent", "废溶剂"),
    ("waste_tyres", "waste tyres", "废轮胎"),
)
_GASES = (
    ("CO2", "carbon dioxide", "二氧化碳"),
    ("carbon_dioxide", "carbon dioxide", "二氧化碳"),
    ("CH4", "methane", "甲烷"),
    ("CH4_fossil", "methane, fossil", "甲烷（化石）"),
    ("CH4_non_fossil", "methane, not fossil", "甲烷（非化石）"),
    ("N2O", "nitrous oxide", "氧化亚氮"),
    ("NF3", "nitrogen trifluoride", "三氟化氮"),
    ("SF6", "sulphur hexafluoride", "六氟化硫"),
    ("CF4", "tetrafluoromethane", "四氟化碳"),
    ("C2F6", "hexafluoroethane", "六氟乙烷"),
    ("C3F8", "octafluoropropane", "八氟丙烷"),
    ("c-C4F8", "octafluorocyclobutane", "八氟环丁烷"),
)
MATERIALS: Mapping[str, Text] = {word: Text(en, zh) for word, en, zh in _MATERIALS}
"""Process materials by the words that rulebooks' tables know them by; Chinese terms are the standards' own."""
GASES: Mapping[str, Text] = {word: Text(en, zh) for word, en, zh in _GASES}
"""Greenhouse gases; refrigerants (HFC-134a, R-410A) have the same name in every language."""


_COMMON: Mapping[str, Text] = {
    **GASES,
    **MATERIALS,
    **{name: one.label for name, one in CARRIERS.items()},
}


def word_name(word: str) -> Text:
    """What a common item is called; any other word by itself."""
    return _COMMON.get(word, same(word))


def item_names(plant: Plant) -> dict[str, Text]:
    """Every known item of a plant by its word: the plant's own products and carriers before the common ones."""
    found = dict(_COMMON)
    found |= {one.id: one.label for one in plant.carriers}
    return found | {one.id: one.name for one in plant.products}


def item_name(word: str, plant: Plant) -> Text:
    """What an item is called; one that nobody has named (a contract, a refrigerant, a work order) by its own word."""
    return item_names(plant).get(word, same(word))

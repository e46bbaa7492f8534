"""Energy carriers: id, labels, the one unit each is kept in, and the words files use for them.

Facts of a carrier are kept in its own unit; rulebook tables state their factors per that unit or one that converts to it.
Codes follow the default tables of the Chinese standards (GB/T 2589 Annex A, the sector guidelines' fuel tables).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from celadon.core.dataclass import dataclass
from celadon.core.text import Text
from celadon.core.units import Unit, parse_unit


@dataclass(frozen=True, slots=True)
class Carrier:
    """One energy carrier or medium; `kind`: electricity, heat, solid, liquid, gas or medium."""

    id: str
    label: Text
    kind: str
    unit: Unit
    aliases: tuple[str, ...] = ()
    biogenic: bool = False
    density: Unit | None = None
    """Mass per volume where a convention fixes it: cold water, which registers show in m3, is 1 t/m3."""

    def counted(self, unit: Unit) -> Unit:
        """The unit an amount of this carrier counts in: `unit`, or the mass it stands for where the density is fixed."""
        return unit * self.density if self.density is not None and unit.same_kind(_CUBIC_METRE) else unit


_CUBIC_METRE = parse_unit("m3")
_T, _M3 = "t", "m3"
_ROWS: tuple[tuple[str, str, str, str, str, str], ...] = (
    ("electricity", "electricity", "电力", "electricity", "MWh", "power,电,用电"),
    ("heat", "heat", "热力", "heat", "GJ", "steam_heat,热"),
    ("steam_1mpa", "steam of the 1.0 MPa grade, by mass", "1.0 MPa 级蒸汽", "heat", _T, ""),
    ("low_temperature_heat", "low-temperature heat", "低温热", "heat", "GJ", ""),
    ("raw_coal", "raw coal", "原煤", "solid", _T, "coal,煤,煤炭"),
    ("anthracite", "anthracite", "无烟煤", "solid", _T, ""),
    ("bituminous", "bituminous coal", "烟煤", "solid", _T, "bituminous_coal"),
    ("lignite", "lignite", "褐煤", "solid", _T, ""),
    ("cleaned_coal", "cleaned coal", "洗精煤", "solid", _T, ""),
    ("other_washed_coal", "other washed coal", "其他洗煤", "solid", _T, ""),
    ("middlings", "middlings", "洗中煤", "solid", _T, ""),
    ("slime", "coal slime", "煤泥", "solid", _T, ""),
    ("gangue", "coal gangue used as energy", "煤矸石", "solid", _T, ""),
    ("briquette", "briquette and other coal products", "型煤", "solid", _T, "other_coal_products"),
    ("coke", "coke", "焦炭", "solid", _T, ""),
    ("petroleum_coke", "petroleum coke", "石油焦", "solid", _T, "petcoke"),
    ("coal_tar", "coal tar", "煤焦油", "liquid", _T, ""),
    ("crude_benzol", "crude benzol", "粗苯", "liquid", _T, ""),
    ("crude_oil", "crude oil", "原油", "liquid", _T, ""),
    ("fuel_oil", "fuel oil", "燃料油", "liquid", _T, ""),
    ("gasoline", "gasoline", "汽油", "liquid", _T, "petrol"),
    ("kerosene", "kerosene", "煤油", "liquid", _T, ""),
    ("diesel", "diesel oil", "柴油", "liquid", _T, "diesel_oil"),
    ("naphtha", "naphtha", "石脑油", "liquid", _T, ""),
    ("residue", "residual oil", "渣油", "liquid", _T, ""),
    ("methanol", "methanol used as fuel", "甲醇", "liquid", _T, ""),
    ("ethanol", "ethanol used as fuel", "乙醇", "liquid", _T, ""),
    ("lng", "liquefied natural gas", "液化天然气", "liquid", _T, ""),
    ("lpg", "liquefied petroleum gas", "液化石油气", "liquid", _T, ""),
    ("natural_gas", "natural gas", "天然气", "gas", _M3, "gas"),
    ("oilfield_gas", "oilfield natural gas", "油田天然气", "gas", _M3, ""),
    ("gasfield_gas", "gas-field natural gas", "气田天然气", "gas", _M3, ""),
    ("coalmine_gas", "coal-mine gas", "煤矿瓦斯气", "gas", _M3, ""),
    ("refinery_fuel_gas", "refinery fuel gas", "炼厂燃料气", "gas", _T, ""),
    ("refinery_dry_gas", "refinery dry gas", "炼厂干气", "gas", _T, ""),
    ("coke_oven_gas", "coke oven gas", "焦炉煤气", "gas", _M3, "cog"),
    ("blast_furnace_gas", "blast furnace gas", "高炉煤气", "gas", _M3, "bfg"),
    ("converter_gas", "converter gas", "转炉煤气", "gas", _M3, "ldg"),
    ("producer_gas", "producer gas", "发生炉煤气", "gas", _M3, ""),
    ("water_gas", "water gas", "水煤气", "gas", _M3, ""),
    ("cracked_gas_catalytic", "heavy-oil catalytic cracking gas", "重油催化裂解煤气", "gas", _M3, ""),
    ("cracked_gas_thermal", "heavy-oil thermal cracking gas", "重油热裂解煤气", "gas", _M3, ""),
    ("coke_made_gas", "gas from coke", "焦炭制气", "gas", _M3, ""),
    ("pressure_gasification_gas", "pressure gasification gas", "压力气化煤气", "gas", _M3, ""),
    ("other_coal_gas", "other coal gas", "其他煤气", "gas", _M3, "other_gas"),
    ("carbide_gas", "calcium carbide furnace gas", "密闭电石炉炉气", "gas", _M3, ""),
    ("hydrogen", "hydrogen used as fuel", "氢气", "gas", _M3, ""),
    ("biogas", "biogas", "沼气", "gas", _M3, ""),
    ("biomass", "biomass used as fuel", "生物质", "solid", _T, "wood,wood_pellets"),
    ("black_liquor", "black liquor", "黑液", "liquid", _T, ""),
    ("fresh_water", "fresh water", "新水", "medium", _T, "water"),
    ("softened_water", "softened water", "软化水", "medium", _T, ""),
    ("deaerated_water", "deaerated water", "除氧水", "medium", _T, ""),
    ("compressed_air", "compressed air", "压缩空气", "medium", _M3, ""),
    ("oxygen", "oxygen", "氧气", "medium", _M3, ""),
    ("nitrogen_byproduct", "nitrogen as by-product", "氮气（副产品）", "medium", _M3, "nitrogen"),
    ("nitrogen_main", "nitrogen as main product", "氮气（主产品）", "medium", _M3, ""),
    ("argon", "argon", "氩气", "medium", _M3, ""),
    ("carbon_dioxide_gas", "carbon dioxide gas", "二氧化碳气", "medium", _M3, ""),
    ("acetylene", "acetylene", "乙炔", "medium", _M3, ""),
    ("calcium_carbide", "calcium carbide", "电石", "medium", _T, ""),
)  # fmt: skip
_BIOGENIC = {"biogas", "biomass", "black_liquor", "ethanol"}
_COLD_WATER = {
    "fresh_water",
    "softened_water",
}  # deaerated water is hot: 5 % lighter, so it needs its density

CARRIERS: dict[str, Carrier] = {
    row[0]: Carrier(
        row[0],
        Text(en=row[1], zh=row[2]),
        row[3],
        parse_unit(row[4]),
        tuple(a for a in row[5].split(",") if a),
        row[0] in _BIOGENIC,
        parse_unit("t/m3") if row[0] in _COLD_WATER else None,
    )
    for row in _ROWS
}


PURPOSES = {
    "combustion": Text("combustion", "固定燃烧"),
    "mobile": Text("mobile sources", "移动源"),
    "feedstock": Text("feedstock", "原料"),
}
"""What a fuel is used for, as the plant file's `purpose` says it."""


def find_carrier(word: str, extra: Iterable[Carrier] = ()) -> Carrier | None:
    """The carrier whose id, alias or label is `word` (case ignored); plant-defined carriers first."""
    wanted = word.strip().lower()
    own = next((carrier for carrier in extra if wanted in _names(carrier)), None)
    return own or _by_name().get(wanted)


def _names(carrier: Carrier) -> list[str]:
    return [name.lower() for name in (carrier.id, *carrier.aliases, carrier.label.en, carrier.label.zh)]


@cache
def _by_name() -> dict[str, Carrier]:
    """The common carriers by every name; of two with one name the first."""
    return {name: one for one in reversed(CARRIERS.values()) for name in _names(one)}

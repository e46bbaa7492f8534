"""The code lists a registry is checked against: industries (GB/T 4754-2017) and administrative regions (GB/T 2260)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files as resources
from types import MappingProxyType

from celadon.core.dataclass import dataclass
from celadon.core.text import Text


@dataclass(frozen=True, slots=True)
class Industry:
    """One code of GB/T 4754-2017; `level`: 2 division, 3 group, 4 class."""

    code: str
    level: int
    name: Text
    high_energy: bool


@dataclass(frozen=True, slots=True)
class Area:
    """One administrative code; `level`: province, prefecture or county_direct; `grid`: as in grid-factor tables, CN-SD."""

    code: str
    level: str
    name: Text
    parent: str
    grid: str


def _rows(name: str) -> list[dict[str, str]]:
    text = resources("celadon.region").joinpath("tables", f"{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def industries() -> Mapping[str, Industry]:
    """Every industry by code."""
    found = {
        row["code"]: Industry(
            row["code"], int(row["level"]), Text(row["name_en"] or row["name_zh"], row["name_zh"]),
            row["high_energy_sector"] == "yes",
        )
        for row in _rows("industries")
    }  # fmt: skip
    return MappingProxyType(found)


@cache
def regions() -> Mapping[str, Area]:
    """Every province, prefecture and directly governed county by code."""
    found = {
        row["code"]: Area(
            row["code"], row["level"], Text(row["name_en"] or row["name_zh"], row["name_zh"]), row["parent_code"],
            row["grid_region"],
        )
        for row in _rows("regions")
    }  # fmt: skip
    return MappingProxyType(found)


def area_of(code: str) -> Area | None:
    """The smallest listed area that holds an administrative code of six digits (counties are not listed)."""
    known = regions()
    for listed in (code, f"{code[:4]}00", f"{code[:2]}0000"):
        if listed in known:
            return known[listed]
    return None

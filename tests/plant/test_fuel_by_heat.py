"""Fuels metered or bought by their heat: the calorific value stands in the unit."""

from __future__ import annotations

from pathlib import Path

import pytest

import celadon

_PLANT = """\
celadon: 1
enterprise: {id: x, name: X}
sites: [{id: s, name: S, region: CN-SD}]
meters:
  - {id: G, kind: register, carrier: natural_gas, flow: purchased, site: s, unit: "GJ/(40 MJ/m3)", digits: 6, decimals: 1}
sources:
  - {id: gas, role: readings, files: gas.csv, time: {column: time}, wide: {gas GJ: G}}
  - id: fuel
    role: records
    files: fuel.csv
    quantity: fuel_consumed
    fields: {date: date, item: =lpg, value: heat, unit: unit, site: =s}
"""


def test_heat_over_the_calorific_value_of_its_unit_is_the_amount(tmp_path: Path) -> None:
    (tmp_path / "plant.yaml").write_text(_PLANT, encoding="utf-8")
    (tmp_path / "gas.csv").write_text("time,gas GJ\n2024-01-01 00:00,10\n2024-02-01 00:00,754\n")
    (tmp_path / "fuel.csv").write_text("date,heat,unit\n2024-01-09,100,GJ/(50 MJ/kg)\n")
    with celadon.open_plant(tmp_path) as plant:
        plant.load()
        coal = plant.account("cn_gbt_2589_2020", period="2024-01").value(
            "standard_coal_equivalent", item="lpg"
        )
        burnt = plant.account("cn_gbt_32150_2015", period="2024-01").value(
            "fuel_combustion_emission", item="natural_gas"
        )
    # 100 GJ / 50 MJ/kg = 2 t; GB/T 2589-2020, table A.1
    assert coal == pytest.approx(2 * 1.7143)
    # 744 GJ / 40 MJ/m3 = 18,600 m3, at the document's 389.31 GJ/10^4 m3, 15.3 tC/TJ, 99 %
    assert burnt == pytest.approx(1.86 * 389.31 * 0.0153 * 0.99 * 44 / 12)

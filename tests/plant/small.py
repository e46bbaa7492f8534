"""A small plant that tests write: two meters in a tree, hourly registers, diesel by records."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import celadon

PLANT = """\
celadon: 1
enterprise: {id: acme, name: {zh: 甲厂, en: Acme}, industry: "3120"}
zone: Asia/Shanghai
grid: 1h
sites:
  - id: works
    name: {zh: 厂区, en: Works}
    region: CN-SD
    processes: [{id: melt, name: {zh: 熔炼, en: Melting}}]
meters:
  - {id: E1, name: {zh: 总表, en: Incoming}, carrier: electricity, flow: purchased, unit: kWh, digits: 6, decimals: 1, max_rate: 500 kW}
  - {id: E2, name: {zh: 炉, en: Furnace}, carrier: electricity, parent: E1, process: melt, unit: kWh, digits: 6, decimals: 1, max_rate: 500 kW}
sources:
  - id: meters
    role: readings
    files: [data/*.csv]
    time: {column: time}
    wide: {E1: E1, E2: E2}
  - id: fuel
    role: records
    files: [fuel/*.csv]
    fields: {date: date, item: fuel, quantity: kind, value: amount, unit: unit, note: number, site: =works, purpose: =mobile}
    map: {quantity: {opening: fuel_opening_stock, bought: fuel_purchased, closing: fuel_closing_stock}}
factors:
  - {factor: grid_emission_factor, value: 0.5, unit: kgCO2/kWh, since: 2024-01-01, until: 2024-12-31, source: supplier}
"""
FUEL = "date,kind,fuel,amount,unit,number\n2024-01-01,opening,diesel,1.5,t,\n2024-01-10,bought,diesel,4,t,D1\n2024-01-31,closing,diesel,0.5,t,\n"
START = datetime(2024, 1, 1)
HOURS = 31 * 24


def rows(first: int, last: int, header: bool = True) -> str:
    """Hours `first` to `last` (both included) of January 2024: E1 counts 10 an hour from 1000, E2 4 an hour from 500."""
    lines = ["time,E1,E2"] if header else []
    lines += [
        f"{START + timedelta(hours=hour):%Y-%m-%d %H:%M},{1000 + 10 * hour},{500 + 4 * hour}"
        for hour in range(first, last + 1)
    ]
    return "\n".join(lines) + "\n"


def write(folder: Path, plant: str = PLANT, readings: str | None = None, fuel: str | None = FUEL) -> Path:
    """The plant's folder with its files."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "fuel").mkdir(exist_ok=True)
    (folder / "plant.yaml").write_text(plant, encoding="utf-8")
    (folder / "data" / "january.csv").write_text(
        readings if readings is not None else rows(0, HOURS), encoding="utf-8"
    )
    if fuel is not None:
        (folder / "fuel" / "fuel.csv").write_text(fuel, encoding="utf-8")
    return folder


def loaded(folder: Path, **parts: str) -> celadon.Plant:
    """The plant, written, loaded and open."""
    plant = celadon.open_plant(write(folder, **parts))
    plant.load()
    return plant


def open_again(folder: Path) -> celadon.Plant:
    """The plant that stands there, open."""
    return celadon.open_plant(folder)


def copy(folder: Path, target: Path) -> Path:
    """The same plant and store at another place."""
    shutil.copytree(folder, target)
    return target


def energy(
    plant: celadon.Plant, meter: str = "E1", period: str = "2024-01", as_of: object = None
) -> float | None:
    """What a meter counted in a period, kWh, out of the balance."""
    found = plant.balance(period, as_of=as_of)
    assert found.conserved
    row = next(row for row in found.meters if row.node == meter)
    return None if row.own is None else row.own / 1e6


def emission(plant: celadon.Plant, as_of: object = None, period: str = "2024-01") -> float | None:
    """Purchased electricity's CO2, t."""
    found = plant.account("cn_gbt_32150_2015", period, as_of=as_of)
    return next((row.value for row in found.rows if row.quantity == "purchased_electricity_emission"), None)

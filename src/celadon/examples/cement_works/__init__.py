"""A small cement works: one set of facts that five rulebooks account (see texts/plant.yaml)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from importlib.resources import files

MONTHS = tuple(date(2025 + number // 12, number % 12 + 1, 1) for number in range(18))
"""January 2025 to June 2026."""


def clinker(month: date) -> int:
    """Clinker made, t: 100 000 in January, 1 000 more in each month of the year."""
    return 100_000 + 1_000 * (month.month - 1)


def cement(month: date) -> int:
    """Cement made, t."""
    return 120_000 + 500 * (month.month - 1)


def electricity(month: date) -> dict[str, float]:
    """MWh by meter: 58 kWh/t clinker, 32 kWh/t cement, 30 kWh/t clinker from waste heat, 200 MWh for the rest."""
    kiln, grinding, own = 0.058 * clinker(month), 0.032 * cement(month), 0.03 * clinker(month)
    return {"E0": kiln + grinding + 200 - own, "G1": own, "E1": kiln, "E2": grinding}


def records(month: date) -> Iterator[tuple[str, str, str, str, str, str]]:
    """What the month's books hold: quantity, item, purpose, process, value, unit."""
    made, ground = clinker(month), cement(month)
    yield "energy_consumed", "bituminous", "combustion", "kiln", f"{0.14 * made:.1f}", "t"
    yield "net_calorific_value", "bituminous", "", "", "22.6", "GJ/t"
    yield "carbon_content", "bituminous", "", "", "0.0262", "tC/GJ"
    yield "energy_consumed", "diesel", "mobile", "", "12", "t"
    yield "raw_meal_consumed", "", "", "kiln", f"{1.55 * made:.1f}", "t"
    yield "clinker_cao_content", "", "", "", "65.2", "%"
    yield "clinker_mgo_content", "", "", "", "1.9", "%"
    yield "product_output", "clinker", "", "kiln", str(made), "t"
    yield "product_output", "cement", "", "grinding", str(ground), "t"
    yield "clinker_used", "cement", "", "grinding", f"{0.76 * ground:.1f}", "t"
    yield "produced_quantity", "clinker", "", "kiln", str(made + 400), "t"
    yield "produced_quantity", "cement", "", "grinding", str(ground + 100), "t"
    yield "scrap_quantity", "clinker", "", "kiln", "400", "t"
    yield "scrap_quantity", "cement", "", "grinding", "100", "t"
    yield "rework_quantity", "clinker", "", "kiln", "0", "t"
    yield "rework_quantity", "cement", "", "grinding", "0", "t"
    yield "planned_run_time_per_item", "clinker", "", "", "0.006", "h/t"
    yield "planned_run_time_per_item", "cement", "", "", "0.004", "h/t"
    yield "planned_busy_time", "", "", "", "1440", "h"
    yield "actual_production_time", "", "", "", "1300", "h"
    yield "stream_heat_factor", "2523 10 00 A", "coal", "", "96", "kgCO2e/GJ"
    yield "stream_mass_factor", "2523 10 00 A", "raw_meal", "", "0.34", "tCO2e/t"
    if month.year == 2026:
        yield "goods_imported", "2523 10 00 A", "", "", "2000", "t"


def texts() -> dict[str, str]:
    """The plant file and its two data files by name."""
    plant = files(__name__).joinpath("texts", "plant.yaml").read_text(encoding="utf-8")
    return {"plant.yaml": plant, "readings.csv": _readings(), "records.csv": _records()}


def _readings() -> str:
    meters = ("E0", "G1", "E1", "E2")
    shown = dict.fromkeys(meters, 1000.0)
    lines = [",".join(("time", *meters))]
    for month in MONTHS:
        lines.append(_line(month, shown))
        shown = {meter: shown[meter] + amount for meter, amount in electricity(month).items()}
    lines.append(_line(date(2026, 7, 1), shown))
    return "\n".join([*lines, ""])


def _line(day: date, shown: dict[str, float]) -> str:
    return ",".join((f"{day} 00:00", *(f"{value:.1f}" for value in shown.values())))


def _records() -> str:
    lines = ["date,quantity,item,purpose,process,value,unit"]
    for month in MONTHS:
        lines += [
            f"{month},{quantity},{item},{purpose},{process},{value},{unit}"
            for quantity, item, purpose, process, value, unit in records(month)
        ]
    return "\n".join([*lines, ""])

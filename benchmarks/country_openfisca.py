"""The country's formulas for openfisca-core: one variable each, by person and month. Runs in an environment of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.country_numbers import CARBON, ELECTRICITY, FUELS, HEAT, HEAT_FACTOR, MATERIALS
from benchmarks.measure import Watch

Formula = Callable[[Any, Any], Any]


def formulas(prices: list[float]) -> dict[str, Formula]:
    """Name -> formula(person, period)."""
    found: dict[str, Formula] = {}

    def scaled(name: str, source: str, factor: float) -> None:
        found[name] = lambda person, period: person(source, period) * factor

    def times(name: str, source: str, other: str) -> None:
        found[name] = lambda person, period: person(source, period) * person(other, period)

    def added(name: str, plus: list[str], minus: tuple[str, ...] = ()) -> None:
        found[name] = lambda person, period: (
            sum(person(one, period) for one in plus) - sum(person(one, period) for one in minus)
        )

    for fuel, (heat, carbon, oxidised, coal) in FUELS.items():
        scaled(f"fuel_heat_{fuel}", fuel, heat)
        scaled(f"fuel_emission_{fuel}", f"fuel_heat_{fuel}", carbon * oxidised * CARBON)
        scaled(f"coal_equivalent_{fuel}", fuel, coal)
    for name, source, factor in (
        ("purchased_electricity", "electricity", ELECTRICITY), ("purchased_heat", "heat", HEAT),
        ("exported_electricity", "electricity_sold", ELECTRICITY), ("exported_heat", "heat_sold", HEAT),
        ("heat_emission", "heat", HEAT_FACTOR), ("exported_heat_emission", "heat_sold", HEAT_FACTOR),
    ):  # fmt: skip
        scaled(name, source, factor)
    for name, source in (
        ("electricity_emission", "electricity"),
        ("exported_electricity_emission", "electricity_sold"),
        ("avoided_emission", "solar"),
    ):
        times(name, source, "grid")
    for material, factor in MATERIALS.items():
        scaled(f"process_{material}", material, factor)
    added(
        "direct", [*(f"fuel_emission_{fuel}" for fuel in FUELS), *(f"process_{name}" for name in MATERIALS)]
    )
    added(
        "indirect",
        ["electricity_emission", "heat_emission"],
        ("exported_electricity_emission", "exported_heat_emission"),
    )
    added("emission", ["direct", "indirect"])
    added(
        "energy",
        [*(f"coal_equivalent_{fuel}" for fuel in FUELS), "purchased_electricity", "purchased_heat"],
        ("exported_electricity", "exported_heat"),
    )
    found["intensity"] = lambda person, period: person("emission", period) / person("output_value", period)
    found["relative"] = lambda person, period: person("intensity", period) / person("lim", period)
    for grade, (above, upto) in enumerate(((None, 0.6), (0.6, 1.0), (1.0, 2.0), (2.0, None)), start=1):

        def held(person: Any, period: Any, above: float | None = above, upto: float | None = upto) -> Any:
            own = person("relative", period)
            return (own > (-1e30 if above is None else above)) * (own <= (1e30 if upto is None else upto))

        found[f"grade_{grade}"] = held

    def excess(person: Any, period: Any) -> Any:
        over = person("emission", period) - person("lim", period) * person("output_value", period)
        return over * (over > 0)

    found["excess_emission"] = excess
    found["excess_cost"] = lambda person, period: (
        person("excess_emission", period) * prices[period.start.month - 1] / 10000
    )
    added("whole_cost", ["excess_cost", "electricity_cost"])
    return found


def compute(watch: Watch, folder: str, prices: list[float], inputs: list[str]) -> dict[str, Any]:
    """Sum of the year's emission, energy and cost, after all variables of all months were computed."""
    import numpy
    from openfisca_core.entities import build_entity
    from openfisca_core.periods import MONTH, period
    from openfisca_core.simulations import SimulationBuilder
    from openfisca_core.taxbenefitsystems import TaxBenefitSystem
    from openfisca_core.variables import Variable

    entity = build_entity(key="person", plural="persons", label="", is_person=True)
    system = TaxBenefitSystem([entity])
    wanted = formulas(prices)
    for name, formula in {**dict.fromkeys([*inputs, "grid", "lim"]), **wanted}.items():
        body: dict[str, Any] = {
            "value_type": float,
            "entity": entity,
            "definition_period": MONTH,
            "label": name,
        }
        if formula is not None:
            body["formula"] = _of_two(formula)
        system.add_variable(type(name, (Variable,), body))
    data = {name: numpy.load(Path(folder) / f"{name}.npy") for name in [*inputs, "grid", "lim"]}
    count = data["grid"].shape[0]
    months = [period(f"2023-{month:02d}") for month in range(1, 13)]
    with watch.running():
        simulation = SimulationBuilder().build_default_simulation(system, count)
        sums = dict.fromkeys(("emission", "energy", "whole_cost"), 0.0)
        for number, month in enumerate(months):
            for name, values in data.items():
                simulation.set_input(name, month, values if values.ndim == 1 else values[number])
            for name in wanted:
                values = simulation.calculate(name, month)
                if name in sums:
                    sums[name] += float(values.sum(dtype="float64"))
    return sums


def _of_two(formula: Formula) -> Formula:
    """openfisca counts a formula's arguments, those with defaults too."""

    def computed(person: Any, period: Any) -> Any:
        return formula(person, period)

    return computed

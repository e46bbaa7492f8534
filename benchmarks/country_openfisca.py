"""The country's formulas for openfisca-core: one variable each, by person and month. Runs in an environment of its own."""

from __future__ import annotations

from collections.abc import Callable
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


def compute(
    watch: Watch,
    folder: str,
    enterprises: int,
    prices: list[float],
    factors: dict[str, list[float]],
    inputs: list[str],
) -> dict[str, float]:
    """From the Parquet files to the sum of every variable by industry and region; some sums of those are answered."""
    import duckdb
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
    with duckdb.connect() as con, watch.running():
        sql = f"SELECT industry, region FROM read_parquet('{folder}/registry.parquet') WHERE enterprise < {enterprises} ORDER BY enterprise"
        registry = con.execute(sql).fetchnumpy()
        groups = numpy.unique(
            numpy.array([f"{a} {b}" for a, b in zip(registry["industry"], registry["region"], strict=True)]),
            return_inverse=True,
        )[1]
        fixed = {
            name: numpy.array([factors[region][place] for region in registry["region"]])
            for place, name in enumerate(("grid", "lim"))
        }
        simulation = SimulationBuilder().build_default_simulation(system, enterprises)
        sums = {name: numpy.zeros(groups.max() + 1) for name in wanted}
        columns = ", ".join(f"coalesce({name}, 0) AS {name}" for name in inputs)
        for number in range(1, 13):
            month = period(f"2023-{number:02d}")
            facts = con.execute(
                f"SELECT enterprise, {columns} FROM read_parquet('{folder}/facts.parquet') WHERE month = DATE '2023-{number:02d}-01' "
                f"AND enterprise < {enterprises}"
            ).fetchnumpy()
            # the file is written in this order: nobody would sort it again
            assert (facts.pop("enterprise") == numpy.arange(enterprises)).all()
            for name, values in {**facts, **fixed}.items():
                simulation.set_input(name, month, numpy.asarray(values))
            for name in wanted:
                sums[name] += numpy.bincount(groups, weights=simulation.calculate(name, month))
    return {name: float(sums[name].sum()) for name in ("emission", "energy", "excess_cost", "grade_2")}


def _of_two(formula: Formula) -> Formula:
    """openfisca counts a formula's arguments, those with defaults too."""

    def computed(person: Any, period: Any) -> Any:
        return formula(person, period)

    return computed

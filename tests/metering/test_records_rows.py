"""Records: corrections, words, units, laboratory means, spans."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from celadon.core.carriers import Carrier
from celadon.core.facts import Status
from celadon.core.model import Site
from celadon.core.periods import Grain
from celadon.core.units import parse_unit
from tests.metering.plants import Bench, label, plant


def _facts(bench: Bench, columns: str, period: str = "2024-01", time: Grain = Grain.MONTH) -> list[Any]:
    bench.facts(period, time=time)
    return bench.select(columns)


def _said(bench: Bench) -> list[tuple[str, str]]:
    return [(finding.code, finding.says()) for finding in bench.findings]


def test_two_deliveries_of_a_day_add_and_a_later_batch_corrects_both() -> None:
    bench = Bench(plant([]))
    for value in (2.0, 2.0):
        bench.record("product_output", "steel", "2024-01-05", value, "t")
    assert _facts(bench, "value, source") == [(2.0, "records:1:1:1"), (2.0, "records:1:1:2")]
    bench.record("product_output", "steel", "2024-01-05", 5.0, "t", batch=2)
    assert _facts(bench, "value, source") == [(5.0, "records:2:1:3")]


def test_identical_numbered_rows_count_once_and_different_ones_add() -> None:
    bench = Bench(plant([]))
    for value in (2.0, 2.0, 3.0):
        bench.record("product_output", "steel", "2024-01-05", value, "t", note="N-17")
    assert _facts(bench, "value") == [(2.0,), (3.0,)]


def test_products_convert_to_their_unit_and_words_are_read() -> None:
    bench = Bench(plant([]))
    bench.record("product_output", "steel", "2024-01-05", 1500.0, "kg", process="a")
    bench.record("refrigerant_leaked", "R410A", "2024-01-06", 200.0, "g")
    bench.record("contract_electricity", "green", "2024-01", 5000.0, "kWh")
    bench.record("energy_cost", "电力", "2024-01", 3.5, "万元")
    bench.record("hours_run", "kiln", "2024-01", 12.0, "h")
    assert _facts(bench, "quantity, item, process, value, unit, status") == [
        ("contract_electricity", "green", "", 5.0, "MWh", Status.DECLARED),
        ("energy_cost", "electricity", "", 3.5, "万元", Status.DECLARED),
        ("hours_run", "kiln", "", 12.0, "h", Status.DECLARED),
        ("product_output", "steel", "a", 1.5, "t", Status.DECLARED),
        ("refrigerant_leaked", "R410A", "", 0.2, "kg", Status.DECLARED),
    ]
    assert bench.findings == []


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("10^4 m3", 1.25, 12_500.0),
        ("万m3", 0.1, 1000.0),
        ("Nm3", 7.0, 7.0),
        ("L", 500.0, 0.5),
        ("km3", None, None),
    ],
)
def test_gas_units_are_exact(unit: str, value: float | None, expected: float | None) -> None:
    bench = Bench(plant([]))
    bench.record("fuel_consumed", "natural_gas", "2024-01", value, unit)
    assert _facts(bench, "value, unit") == ([(expected, "m3")] if value is not None else [])


def test_the_plant_s_own_carriers_are_known() -> None:
    own = Carrier("bio_oil", label("bio oil"), "liquid", parse_unit("t"))
    bench = Bench(plant([], carriers=(own,)))
    bench.record("fuel_consumed", "Bio Oil", "2024-01", 300.0, "kg")
    assert _facts(bench, "item, purpose, value") == [("bio_oil", "combustion", 0.3)]


def test_unknown_items_are_found_once_and_left_out() -> None:
    bench = Bench(plant([]))
    bench.record("fuel_consumed", "dilithium", "2024-01", 1.0, "t")
    bench.record("fuel_consumed", "dilithium", "2024-01", 1.0, "kg")
    bench.record("product_output", "steal", "2024-01", 1.0, "t")
    bench.record("fuel_consumed", "coke", "2024-01", 2.0, "t")
    assert _facts(bench, "item, value") == [("coke", 2.0)]
    assert _said(bench) == [
        ("records.item-unknown", "“dilithium” is not a carrier (fuel_consumed, 1 records)."),
        (
            "records.item-unknown",
            "“steal” is not a product (product_output, 1 records) (did you mean “steel”?).",
        ),
    ]
    assert bench.findings[0].where.subject == "records:1:1:2"


def test_litres_of_a_fuel_kept_in_tonnes_need_a_density() -> None:
    bench = Bench(plant([]))
    bench.record("fuel_consumed", "diesel", "2024-01", 1000.0, "L")
    assert _facts(bench, "item, value, coverage, status") == [("diesel", None, 0.0, Status.ABSENT)]
    assert _said(bench) == [
        (
            "records.density-needed",
            "fuel_consumed of diesel oil is in L (1 records), but diesel oil is kept in t: without a "
            "density it stays absent.",
        )
    ]
    bench.con.execute("UPDATE records SET unit = '0.84 kg/L·L'")
    assert _facts(bench, "value") == [(0.84,)]


def test_cold_water_by_volume_and_carbon_as_a_percentage() -> None:
    bench = Bench(plant([]))
    bench.record("energy_purchased", "fresh_water", "2024-01", 1500.0, "m3")
    bench.record("energy_purchased", "deaerated_water", "2024-01", 10.0, "m3")  # hot: needs its density
    bench.record("carbon_content_by_mass", "raw_coal", "2024-01", 58.2, "%")
    bench.record("carbon_content_by_mass", "natural_gas", "2024-01", 75.0, "%")  # a gas kept by volume
    bench.facts("2024-01", time=Grain.MONTH)
    assert bench.select("item, value, unit", "quantity <> 'energy_consumed'") == [
        ("deaerated_water", None, "t"),
        ("fresh_water", 1500.0, "t"),
        ("raw_coal", pytest.approx(0.582), "tC/t"),
    ]
    assert bench.codes() == {"records.density-needed", "records.unit-mismatch"}


def test_units_of_another_kind_and_unknown_units() -> None:
    bench = Bench(plant([]))
    bench.record("energy_purchased", "electricity", "2024-01", 1.0, "t")
    bench.record("product_output", "steel", "2024-01", 1.0, "blob")
    assert _facts(bench, "quantity, value, status") == [
        ("energy_consumed", None, Status.ABSENT), ("energy_purchased", None, Status.ABSENT), ("product_output", None, Status.ABSENT),
    ]  # fmt: skip
    assert _said(bench) == [
        (
            "records.unit-mismatch",
            "energy_purchased of electricity is in t (1 records), which does not convert to MWh: "
            "it stays absent.",
        ),
        ("unit.unknown", "“blob” is not a unit Celadon knows."),
    ]


def test_a_site_that_is_unknown_or_blank_among_several() -> None:
    sites = (Site("S", label("S"), zone="UTC"), Site("T", label("T"), zone="UTC"))
    bench = Bench(plant([], sites=sites))
    bench.record("fuel_consumed", "coke", "2024-01", 1.0, "t")
    bench.record("fuel_consumed", "coke", "2024-01", 2.0, "t", site="U")
    bench.record("fuel_consumed", "coke", "2024-01", 3.0, "t", site="T")
    assert _facts(bench, "site, value") == [("T", 3.0)]
    assert _said(bench) == [
        ("records.site-unknown", "“” is not a site of the plant (1 records); they are left out."),
        ("records.site-unknown", "“U” is not a site of the plant (1 records); they are left out."),
    ]


def test_bills_of_electricity_are_purchase_and_consumption() -> None:
    bench = Bench(plant([]))
    bench.record("energy_purchased", "electricity", "2024-01", 120_000.0, "kWh")
    bench.record("energy_generated", "electricity", "2024-01", 30.0, "MWh")
    bench.record("energy_exported", "electricity", "2024-01", 10.0, "MWh")
    assert _facts(bench, "quantity, value, status") == [
        ("energy_consumed", -10.0, Status.CALCULATED), ("energy_consumed", 30.0, Status.CALCULATED),
        ("energy_consumed", 120.0, Status.CALCULATED), ("energy_exported", 10.0, Status.DECLARED),
        ("energy_generated", 30.0, Status.DECLARED), ("energy_purchased", 120.0, Status.DECLARED),
    ]  # fmt: skip
    bench.record("energy_consumed", "electricity", "2024-01", 140.0, "MWh")
    bench.facts("2024-01")
    assert bench.select("value, purpose", "quantity = 'energy_consumed'") == [(140.0, "")]


def test_laboratory_values_are_weighted_by_batch_mass() -> None:
    bench = Bench(plant([]))
    bench.record(
        "net_calorific_value",
        "raw_coal",
        "2024-01-03",
        20_000.0,
        "kJ/kg",
        weight=100.0,
        weight_unit="t",
        note="B1",
    )
    bench.record(
        "net_calorific_value",
        "raw_coal",
        "2024-01-17",
        25.0,
        "GJ/t",
        weight=300_000.0,
        weight_unit="kg",
        note="B2",
    )
    bench.record("carbon_content", "raw_coal", "2024-01-17", 26.0, "tC/TJ", weight=300.0, weight_unit="t")
    assert _facts(bench, "quantity, item, value, unit, weight, status, source, time_end") == [
        ("carbon_content", "raw_coal", 0.026, "tC/GJ", 300.0, Status.MEASURED, "records:1:1:3", datetime(2024, 2, 1)),
        (
            "net_calorific_value", "raw_coal", 23.75, "GJ/t", 400.0, Status.CALCULATED, "records:1:1:1 records:1:1:2",
            datetime(2024, 2, 1),
        ),
    ]  # fmt: skip
    assert bench.findings == []


def test_laboratory_values_without_mass() -> None:
    bench = Bench(plant([]))
    for item, masses in (("raw_coal", (100.0, None)), ("coke", (None, None)), ("lignite", (None,))):
        for day, mass in enumerate(masses, start=1):
            unit = None if mass is None else "t"
            bench.record(
                "net_calorific_value",
                item,
                f"2024-01-0{day}",
                20.0 + day,
                "GJ/t",
                weight=mass,
                weight_unit=unit,
            )
    assert _facts(bench, "item, value, weight, status") == [
        ("coke", 21.5, None, Status.ESTIMATED), ("lignite", 21.0, None, Status.MEASURED),
        ("raw_coal", 21.0, 100.0, Status.CALCULATED),
    ]  # fmt: skip
    assert _said(bench) == [
        (
            "records.batch-mass-missing",
            "net_calorific_value of coke at S: 2 values have no batch mass; "
            "where no value of a month has one, the plain mean is taken as an estimate.",
        ),
        (
            "records.batch-mass-missing",
            "net_calorific_value of raw coal at S: 1 values have no batch mass; they are left out "
            "of the mean.",
        ),
    ]


@pytest.mark.parametrize(
    ("quantity", "item", "value", "unit", "kept"),
    [
        ("net_calorific_value", "raw_coal", 20934.0, "GJ/t", False),  # the figure is in kJ/kg
        ("net_calorific_value", "raw_coal", 20934.0, "kJ/kg", True),
        ("net_calorific_value", "raw_coal", 0.0, "GJ/t", False),
        ("net_calorific_value", "raw_coal", -20.0, "GJ/t", False),
        ("net_calorific_value", "natural_gas", 38.93, "GJ/m3", False),
        ("net_calorific_value", "natural_gas", 38.93, "MJ/m3", True),
        ("carbon_content", "raw_coal", 26.37, "tC/GJ", False),
        ("carbon_content", "raw_coal", 26.37, "tC/TJ", True),
        ("carbon_content_by_mass", "raw_coal", 1.0, "tC/t", True),
        ("carbon_content_by_mass", "raw_coal", 57.0, "tC/t", False),  # per cent
        ("carbon_content_by_mass", "raw_coal", 0.0, "tC/t", True),
    ],
)
def test_what_no_fuel_can_have_is_left_out(
    quantity: str, item: str, value: float, unit: str, kept: bool
) -> None:
    bench = Bench(plant([]))
    bench.record(quantity, item, "2024-01-05", value, unit)
    assert len(_facts(bench, "value")) == kept
    assert [code for code, _ in _said(bench)] == ([] if kept else ["records.laboratory-impossible"])
    for finding in bench.findings:
        assert (finding.values["value"], finding.values["count"], finding.where.subject) == (
            f"{value:g}",
            1,
            "records:1:1:1",
        )
        assert "不在任何燃料的可能范围内" in finding.says("zh")


def test_batches_weighed_in_a_unit_that_does_not_convert() -> None:
    """Gas is kept by volume: its sample of 10 t keeps its value and loses its weight."""
    bench = Bench(plant([]))
    bench.record(
        "net_calorific_value", "natural_gas", "2024-01-05", 38.0, "MJ/m3", weight=10.0, weight_unit="t"
    )
    assert _facts(bench, "value, weight") == [(0.038, None)]
    [(code, said)] = _said(bench)
    assert code == "records.weight-unit"
    assert said == (
        "The batches of net_calorific_value of natural gas are weighed in t (1 records), which does not convert to m3: "
        "their values count as if they had not been weighed."
    )
    assert "按没有批次质量处理" in bench.findings[0].says("zh")


def test_a_record_gets_the_asked_span_or_keeps_its_own() -> None:
    bench = Bench(plant([]))
    bench.record("product_output", "steel", "2024-01-05", 1.0, "t")
    bench.record("product_output", "steel", "2024-01-20..2024-02-10", 22.0, "t")
    assert _facts(bench, "time_start, time_end, value", "2024-01..2024-02") == [
        (datetime(2024, 1, 1), datetime(2024, 2, 1), 1.0), (datetime(2024, 1, 20), datetime(2024, 2, 11), 22.0),
    ]  # fmt: skip
    assert _facts(bench, "time_start, time_end, value", "2024-01..2024-02", Grain.DAY) == [
        (datetime(2024, 1, 5), datetime(2024, 1, 6), 1.0), (datetime(2024, 1, 20), datetime(2024, 2, 11), 22.0),
    ]  # fmt: skip
    assert bench.findings == []


def test_a_record_beyond_the_period_is_cut_by_time() -> None:
    bench = Bench(plant([]))
    bench.record("product_output", "steel", "2024-01-20..2024-02-08", 20.0, "t")
    rows = _facts(bench, "time_start, time_end, value, estimated, status, basis")
    assert rows == [
        (datetime(2024, 1, 1), datetime(2024, 2, 1), 12.0, 12.0, Status.ESTIMATED, Status.DECLARED)
    ]
    assert _said(bench) == [
        (
            "records.cut",
            "1 records of product_output steel at S reach beyond the period: their part in it is "
            "taken by time, as an estimate.",
        )
    ]


def test_an_instant_belongs_to_the_span_it_opens() -> None:
    bench = Bench(plant([]))
    for edge in (datetime(2024, 1, 1), datetime(2024, 2, 1)):
        bench.record("product_output", "steel", "2024-01", 1.0, "t", start=edge, end=edge)
    assert _facts(bench, "time_start, value") == [(datetime(2024, 1, 1), 1.0)]

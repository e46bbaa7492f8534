"""Activity facts: what counts at a site and below it, spans in local time, absence, and both adding to the same."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celadon.core.facts import FACT_COLUMNS, Status
from celadon.core.model import Flow, Meter, PointKind, Site
from celadon.core.periods import Grain, Period, parse_period
from celadon.core.quantities import Space
from celadon.metering.activity import build_facts
from celadon.metering.amounts import covering_period, site_period
from tests.metering.plants import Bench, hours, label, main_meter, meter, plant, virtual

KWH = 1_000_000


def _whole(bench: Bench, quantity: str = "energy_consumed") -> int:
    """The sum in ticks: facts are in MWh, so 10^9 ticks each."""
    return sum(
        round(value * 1e9)
        for (value,) in bench.select("value", f"quantity = '{quantity}' AND value IS NOT NULL")
    )


def test_the_table_has_the_contract_s_columns() -> None:
    bench = Bench(plant([main_meter("E0")]))
    bench.facts("2024-01")
    described = bench.con.execute("DESCRIBE facts").fetchall()
    assert [(row[0], row[1]) for row in described] == list(FACT_COLUMNS.items())


def test_a_site_is_its_boundary_and_its_parts_add_to_it() -> None:
    bench = Bench(plant([main_meter("E0"), meter("E1", "E0", process="a"), meter("E2", "E1", process="b")]))
    bench.flat("E0", "2024-01", 10 * KWH)
    bench.flat("E1", "2024-01", 4 * KWH)
    bench.flat("E2", "2024-01", 1 * KWH)
    bench.facts("2024-01")
    assert bench.select(
        "quantity, item, purpose, site, process, meter, value, unit, coverage, status, source"
    ) == [
        ("energy_consumed", "electricity", "", "S", "", "E0", 7.44, "MWh", 1.0, Status.MEASURED, "ledger"),
        ("energy_purchased", "electricity", "", "S", "", "E0", 7.44, "MWh", 1.0, Status.MEASURED, "ledger"),
    ]
    assert bench.findings == []
    bench.facts("2024-01", Space.METER)
    assert bench.select("process, meter, value, status", "quantity = 'energy_purchased'") == [
        ("", "E0~rest", 4.464, Status.CALCULATED),
        ("a", "E1~rest", 2.232, Status.CALCULATED),
        ("b", "E2", 0.744, Status.MEASURED),
    ]


def test_what_is_due_and_has_no_data_is_absent_and_named() -> None:
    bench = Bench(plant([main_meter("E0"), meter("E1", "E0")]))
    bench.flat("E0", "2024-01", KWH)
    bench.facts("2024-01", Space.METER)
    assert bench.select("meter, value, coverage, status", "quantity = 'energy_consumed'") == [
        ("E0~rest", 0.744, 1.0, Status.ESTIMATED),
        ("E1", None, 0.0, Status.ABSENT),
    ]
    assert [(f.code, str(f.severity), f.where.subject) for f in bench.findings] == [
        ("activity.meter-absent", "warning", "meter:E1")
    ]
    assert [finding.says() for finding in bench.findings] == [
        "E1 has no data from 2024-01-01 00:00 to 2024-02-01 00:00: its amounts there are absent, not zero."
    ]
    assert (
        bench.findings[0].says("zh")
        == "E1 自 2024-01-01 00:00 至 2024-02-01 00:00 无数据：按缺失处理，不作零。"
    )


def test_a_boundary_meter_without_data_is_absent_not_zero() -> None:
    bench = Bench(plant([main_meter("E0")]))
    bench.flat("E0", "2024-01", KWH)
    bench.facts("2024-01..2024-02")
    assert bench.select(
        "time_start, value, coverage, status", "quantity = 'energy_consumed'", "time_start"
    ) == [
        (datetime(2024, 1, 1), 0.744, 1.0, Status.MEASURED),
        (datetime(2024, 2, 1), None, 0.0, Status.ABSENT),
    ]
    assert [(f.code, f.values["percent"]) for f in bench.findings] == [("activity.meter-gap", "51.67")]


def test_coverage_is_covered_time_over_due_time() -> None:
    bench = Bench(plant([main_meter("E0", installed_at=datetime(2024, 1, 11, tzinfo=UTC))]))
    bench.flat("E0", "2024-01-11..2024-01-25", KWH)
    bench.facts("2024-01")
    share = pytest.approx(15 / 21)
    assert bench.select("value, coverage", "quantity = 'energy_consumed'") == [(0.36, share)]
    assert [f.says() for f in bench.findings] == [
        "E0 has data for 71.43 % of the time it should: the first gap is in the span from 2024-01-01 00:00."
    ]


def test_estimated_parts_are_carried() -> None:
    bench = Bench(plant([main_meter("E0"), meter("E1", "E0")], grid=3600))
    bench.flat("E0", "2024-01-02..2024-01-31", KWH)
    for start in hours("2024-01-01"):
        bench.cell("E0", start, KWH, estimated=KWH)
    bench.flat("E1", "2024-01", KWH // 2)
    bench.facts("2024-01")
    assert bench.select("value, estimated, status, basis", "quantity = 'energy_consumed'") == [
        (0.744, 0.024, Status.ESTIMATED, Status.MEASURED)
    ]
    bench.facts("2024-01", Space.METER)
    assert bench.select("meter, estimated, status, basis", "quantity = 'energy_consumed'") == [
        ("E0~rest", 0.024, Status.ESTIMATED, Status.CALCULATED),
        ("E1", 0.0, Status.MEASURED, Status.MEASURED),
    ]


def test_a_meter_installed_later_leaves_its_part_in_the_remainder_before() -> None:
    later = datetime(2024, 2, 1, tzinfo=UTC)
    bench = Bench(plant([main_meter("E0"), meter("E1", "E0", process="a", installed_at=later)]))
    bench.flat("E0", "2024-01..2024-02", 2 * KWH)
    bench.flat("E1", "2024-02", KWH)
    bench.facts("2024-01..2024-02", Space.PROCESS)
    assert bench.select(
        "time_start, meter, value, status", "quantity = 'energy_consumed'", "time_start, meter"
    ) == [
        (datetime(2024, 1, 1), "E0~rest", 1.488, Status.CALCULATED),
        (datetime(2024, 2, 1), "E0~rest", 0.696, Status.CALCULATED),
        (datetime(2024, 2, 1), "E1", 0.696, Status.MEASURED),
    ]
    assert bench.findings == []


def test_a_meter_without_data_in_between_is_stepped_over() -> None:
    bench = Bench(plant([main_meter("E0"), meter("E1", "E0"), meter("E2", "E1")]))
    bench.flat("E0", "2024-01", 3 * KWH)
    bench.flat("E2", "2024-01", KWH)
    bench.facts("2024-01", Space.METER)
    assert bench.select("meter, value", "quantity = 'energy_consumed'") == [
        ("E0~rest", 1.488), ("E1~rest", None), ("E2", 0.744),
    ]  # fmt: skip
    assert _whole(bench) == 744 * 3 * KWH


def test_export_through_the_site_is_purchased_and_passed_on() -> None:
    bench = Bench(
        plant([main_meter("E0"), meter("X", "E0", flow=Flow.EXPORTED), meter("X1", "X"), meter("E1", "E0")])
    )
    for name, amount in (("E0", 10), ("X", 3), ("X1", 1), ("E1", 5)):
        bench.flat(name, "2024-01-01", amount * KWH)
    bench.facts("2024-01-01", time=Grain.DAY)
    assert bench.select("quantity, meter, value") == [
        ("energy_consumed", "E0", 0.24), ("energy_consumed", "X", -0.072), ("energy_exported", "X", 0.072),
        ("energy_purchased", "E0", 0.24),
    ]  # fmt: skip
    bench.facts("2024-01-01", Space.METER, Grain.DAY)
    assert bench.select("quantity, meter, value") == [
        ("energy_consumed", "E0~rest", 0.048), ("energy_consumed", "E1", 0.12), ("energy_exported", "X", 0.072),
        ("energy_purchased", "E0~rest", 0.048), ("energy_purchased", "E1", 0.12), ("energy_purchased", "X", 0.072),
    ]  # fmt: skip


def _bus() -> Bench:
    bus = virtual("V", {"P": 1, "G": 1, "X": -1})
    meters = [
        main_meter("P", contract="green"), meter("G", flow=Flow.GENERATED), meter("X", flow=Flow.EXPORTED),
        meter("E1", "V", process="a"), meter("E2", "V", process="b"),
    ]  # fmt: skip
    bench = Bench(plant(meters, [bus]))
    for name, amount in (("P", 7), ("G", 5), ("X", 2), ("E1", 6), ("E2", 3)):
        bench.flat(name, "2024-01-01", amount * KWH)
    return bench


def test_below_a_bus_the_purchase_is_split_by_use() -> None:
    bench = _bus()
    bench.facts("2024-01-01", Space.METER, Grain.DAY)
    # 24 h: used 240 kWh, of which purchased 168: each part × 7/10
    assert bench.select("quantity, item, meter, value") == [
        ("contract_electricity", "green", "E1", 0.1008), ("contract_electricity", "green", "E2", 0.0504),
        ("contract_electricity", "green", "V~rest", 0.0168),
        ("energy_consumed", "electricity", "E1", 0.144), ("energy_consumed", "electricity", "E2", 0.072),
        ("energy_consumed", "electricity", "V~rest", 0.024),
        ("energy_exported", "electricity", "X", 0.048), ("energy_generated", "electricity", "G", 0.12),
        ("energy_purchased", "electricity", "E1", 0.1008), ("energy_purchased", "electricity", "E2", 0.0504),
        ("energy_purchased", "electricity", "V~rest", 0.0168),
    ]  # fmt: skip
    bench.facts("2024-01-01", Space.SITE, Grain.DAY)
    assert bench.select("quantity, item, meter, value, unit") == [
        ("contract_electricity", "green", "P", 0.168, "MWh"),
        ("energy_consumed", "electricity", "G", 0.12, "MWh"), ("energy_consumed", "electricity", "P", 0.168, "MWh"),
        ("energy_consumed", "electricity", "X", -0.048, "MWh"),
        ("energy_exported", "electricity", "X", 0.048, "MWh"), ("energy_generated", "electricity", "G", 0.12, "MWh"),
        ("energy_purchased", "electricity", "P", 0.168, "MWh"),
    ]  # fmt: skip


def test_a_bus_needs_all_its_terms_and_a_purchase_without_leaves_stays() -> None:
    bench = _bus()
    bench.con.execute("DELETE FROM ledger WHERE point = ?", [bench.points["G"]])
    bench.facts("2024-01-01", Space.METER, Grain.DAY)
    consumed = bench.select("meter, value", "quantity = 'energy_consumed'")
    assert consumed == [("E1", 0.144), ("E2", 0.072), ("V~rest", None)]
    assert _whole(bench, "energy_purchased") == 24 * 7 * KWH
    bench.con.execute("DELETE FROM ledger WHERE point NOT IN (?)", [bench.points["P"]])
    bench.facts("2024-01-01", Space.METER, Grain.DAY)
    assert bench.select("meter, value", "quantity = 'energy_purchased'") == [("P", 0.168)]


def test_shares_of_virtual_meters_are_rounded_per_cell_and_add_over_time() -> None:
    bench = Bench(plant([meter("E1")], [virtual("V", {"E1": Fraction(1, 3)}, flow=Flow.PURCHASED)]))
    bench.flat("E1", "2024-01-01", 10)  # 10/3 ticks → 3 a cell
    bench.facts("2024-01-01", time=Grain.DAY)
    day = bench.select("value, status", "quantity = 'energy_consumed'")
    assert day == [(72e-9, Status.CALCULATED)]
    bench.facts("2024-01-01", time=Grain.HOUR)
    assert _whole(bench) == 72
    assert len(bench.select("value", "quantity = 'energy_consumed'")) == 24


def test_a_term_removed_from_a_bus_is_not_waited_for() -> None:
    edge = datetime(2024, 1, 2, tzinfo=UTC)
    meters = [main_meter("P1", removed_at=edge), main_meter("P2", installed_at=edge), meter("E1", "V")]
    bench = Bench(plant(meters, [virtual("V", {"P1": 1, "P2": 1})]))
    bench.flat("P1", "2024-01-01", KWH)
    bench.flat("P2", "2024-01-02", 2 * KWH)
    bench.flat("E1", "2024-01-01..2024-01-02", KWH)
    bench.facts("2024-01-01..2024-01-02", Space.METER, Grain.DAY)
    assert bench.select("time_start, meter, value", "quantity = 'energy_consumed'", "time_start, meter") == [
        (datetime(2024, 1, 1), "E1", 0.024), (datetime(2024, 1, 1), "V~rest", 0.0),
        (datetime(2024, 1, 2), "E1", 0.024), (datetime(2024, 1, 2), "V~rest", 0.024),
    ]  # fmt: skip
    assert bench.findings == []


@pytest.mark.parametrize(("day", "length"), [("2024-03-31", 23), ("2024-10-27", 25), ("2024-06-01", 24)])
def test_days_are_local_and_as_long_as_they_are(day: str, length: int) -> None:
    bench = Bench(plant([main_meter("E0")], zone="Europe/Berlin"))
    year = parse_period("2024", "Europe/Berlin")
    bench.flat("E0", "2024", KWH)
    bench.facts(day, time=Grain.DAY)
    assert bench.select("value", "quantity = 'energy_consumed'") == [(length / 1000,)]
    bench.facts(day, time=Grain.HOUR)
    assert len(bench.select("value", "quantity = 'energy_consumed'")) == length
    bench.facts("2024", time=Grain.DAY)
    assert _whole(bench) == int(year.seconds) // 3600 * KWH == 8784 * KWH


def test_months_begin_at_local_midnight() -> None:
    bench = Bench(plant([main_meter("E0")], zone="Asia/Shanghai"))
    bench.flat("E0", "2024-01", KWH)
    bench.facts("2024-01..2024-02")
    rows = bench.select("time_start, time_end, value", "quantity = 'energy_consumed'", "time_start")
    assert rows == [
        (datetime(2023, 12, 31, 16), datetime(2024, 1, 31, 16), 0.744),
        (datetime(2024, 1, 31, 16), datetime(2024, 2, 29, 16), None),
    ]


def test_a_zone_off_the_grid_is_found_and_a_finer_grid_cures_it() -> None:
    coarse = Bench(plant([main_meter("E0")], zone="Asia/Kolkata"))
    coarse.facts("2024-01-01", time=Grain.DAY)
    assert [f.says() for f in coarse.findings if f.code == "activity.zone-off-grid"] == [
        "At site S (Asia/Kolkata) the edge 2024-01-01 00:00 falls inside a ledger cell of 60 "
        "min; the cell counts where it starts."
    ]
    fine = Bench(plant([main_meter("E0")], zone="Asia/Kolkata", grid=1800))
    fine.flat("E0", "2024-01-01", KWH)
    fine.facts("2024-01-01", time=Grain.DAY)
    assert fine.findings == []
    assert fine.select("value", "quantity = 'energy_consumed'") == [(0.048,)]


def test_each_site_has_the_period_of_its_own_calendar() -> None:
    sites = (Site("S", label("S"), zone="UTC"), Site("T", label("T"), zone="Asia/Shanghai"))
    two = plant([main_meter("E0"), main_meter("F0", site="T")], sites=sites)
    day = parse_period("2024-01-02", "UTC")
    assert site_period(day, sites[1]).start == datetime(2024, 1, 1, 16, tzinfo=UTC)
    whole = covering_period(two, day)
    assert (whole.start, whole.end) == (
        datetime(2024, 1, 1, 16, tzinfo=UTC),
        datetime(2024, 1, 3, tzinfo=UTC),
    )
    bench = Bench(two)
    bench.flat("E0", "2024-01-01..2024-01-03", KWH)
    bench.flat("F0", "2024-01-01..2024-01-03", KWH)
    bench.facts("2024-01-02", time=Grain.DAY)
    assert bench.select("site, time_start, value", "quantity = 'energy_consumed'") == [
        ("S", datetime(2024, 1, 2), 0.024), ("T", datetime(2024, 1, 1, 16), 0.024),
    ]  # fmt: skip


def test_fuels_by_meter_are_burnt_in_the_carrier_s_unit() -> None:
    bench = Bench(
        plant(
            [
                main_meter("G0", carrier="natural_gas", unit="10^4 m3"),
                main_meter("H0", carrier="heat", unit="MWh"),
            ]
        )
    )
    bench.flat("G0", "2024-01-01", 50 * KWH)
    bench.flat("H0", "2024-01-01", 2 * KWH)
    bench.facts("2024-01-01", time=Grain.DAY)
    assert bench.select("item, purpose, value, unit", "quantity = 'energy_consumed'") == [
        ("heat", "", 48.0, "GJ"), ("natural_gas", "combustion", 1200.0, "m3"),
    ]  # fmt: skip


def test_points_that_are_no_carrier_keep_their_quantity() -> None:
    bench = Bench(plant([
        Meter("C1", label("C1"), PointKind.COUNT, "S", quantity="product_output", product="steel", unit="kg", process="a"),
        Meter("Q1", label("Q1"), PointKind.REGISTER, "S", quantity="reactive_energy", unit="kvarh"),
        Meter("T1", label("T1"), PointKind.LEVEL, "S", quantity="temperature", unit="degC"),
    ]))  # fmt: skip
    bench.flat("C1", "2024-01-01", 500 * KWH)
    bench.flat("Q1", "2024-01-01", 2 * KWH)
    bench.facts("2024-01-01", time=Grain.DAY)
    assert bench.select("quantity, item, process, meter, value, unit") == [
        ("product_output", "steel", "a", "C1", 12.0, "t"), ("reactive_energy", "", "", "Q1", 48.0, "kvarh"),
    ]  # fmt: skip
    assert bench.findings == []


def test_cold_water_by_volume_counts_a_tonne_per_cubic_metre() -> None:
    bench = Bench(plant([main_meter("W0", carrier="fresh_water", unit="m3")]))
    bench.flat("W0", "2024-01-01", 3 * KWH)  # 3 m3 in every hour
    bench.facts("2024-01-01", time=Grain.DAY)
    assert bench.select("item, value, unit", "quantity = 'energy_consumed'") == [("fresh_water", 72.0, "t")]
    assert bench.findings == []


def test_an_unknown_carrier_and_a_unit_of_another_kind() -> None:
    bench = Bench(
        plant(
            [
                main_meter("W0", carrier="deaerated_water", unit="m3"),
                main_meter("U0", carrier="unobtainium", unit="t"),
            ]
        )
    )
    bench.flat("W0", "2024-01-01", KWH)
    bench.facts("2024-01-01", time=Grain.DAY)
    assert bench.select("item, value, status", "quantity = 'energy_consumed'") == [
        ("deaerated_water", None, Status.ABSENT), ("unobtainium", None, Status.ABSENT),
    ]  # fmt: skip
    said = {f.code: f.says() for f in bench.findings}
    assert (
        said["activity.carrier-unit"]
        == "W0 counts deaerated water in m3, which does not convert to t: its amounts stay absent."
    )
    assert (
        said["activity.carrier-unknown"]
        == "U0 counts “unobtainium”, which is not a carrier: it gives no facts."
    )


def test_a_flat_point_with_an_unreadable_unit_is_found() -> None:
    bench = Bench(
        plant([Meter("C1", label("C1"), PointKind.COUNT, "S", quantity="product_output", unit="blobs")])
    )
    bench.facts("2024-01-01")
    assert bench.codes() == {"unit.unknown"}


_random_trees = st.integers(min_value=0, max_value=2**32)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=_random_trees, bus=st.booleans(), grain=st.sampled_from([Grain.MONTH, Grain.DAY]))
def test_every_space_adds_to_the_same_ticks(seed: int, bus: bool, grain: Grain) -> None:
    """Random trees with meters that lack data, came later, are shared or pass energy on."""
    dice = random.Random(seed)
    heads = ["V", "P"] if bus else ["P"]
    meters = [main_meter("P"), *([meter("G", flow=Flow.GENERATED)] if bus else [])]
    subs: list[str] = []
    for number in range(dice.randint(1, 9)):
        name = f"E{number}"
        parent = dice.choice([heads[0], *subs])
        came = datetime(2024, 1, dice.randint(2, 20), tzinfo=UTC) if dice.random() < 0.3 else None
        flow = Flow.EXPORTED if not bus and dice.random() < 0.1 else Flow.USED
        meters.append(
            meter(name, parent, process=dice.choice([None, "a", "b"]), installed_at=came, flow=flow)
        )
        subs.append(name)
    bench = Bench(plant(meters, [virtual("V", {"P": 1, "G": 1})] if bus else [], grid=86400))
    cells = []
    for item in meters:
        lost = item.id in subs and item.flow is Flow.USED and dice.random() < 0.2
        for day in range(1, 32):
            start = datetime(2024, 1, day, tzinfo=UTC)
            if not lost and (item.installed_at is None or item.installed_at <= start):
                cells.append((item.id, start, dice.randint(0, 10**9)))
    bench.cells(cells)
    sums = []
    for space in (Space.SITE, Space.METER):
        bench.facts("2024-01", space, grain)
        sums.append((_whole(bench), _whole(bench, "energy_purchased")))
    assert sums[0] == sums[1]


@settings(max_examples=10, deadline=None)
@given(seed=_random_trees)
def test_days_add_to_the_month(seed: int) -> None:
    dice = random.Random(seed)
    bench = Bench(plant([main_meter("E0"), meter("E1", "E0"), meter("E2", "E1")], grid=86400))
    for name in ("E0", "E1", "E2"):
        bench.cells(
            (name, datetime(2024, 1, day, tzinfo=UTC), dice.randint(0, 10**12)) for day in range(1, 32)
        )
    by_meter = []
    for grain in (Grain.MONTH, Grain.DAY):
        bench.facts("2024-01", Space.METER, grain)
        by_meter.append(
            bench.select(
                "meter, sum(round(value * 1e9))::HUGEINT", "quantity = 'energy_consumed' GROUP BY meter"
            )
        )
    assert by_meter[0] == by_meter[1]


def test_a_year_is_given_by_months_and_enterprise_as_sites() -> None:
    bench = Bench(plant([main_meter("E0")]))
    bench.flat("E0", "2024-01..2024-12", KWH)
    span: Period = parse_period("2024", "UTC")
    build_facts(
        bench.con,
        bench.plant,
        "ledger",
        "records",
        bench.points,
        span,
        Space.ENTERPRISE,
        Grain.YEAR,
        "yearly",
    )
    rows = bench.con.execute(
        "SELECT count(*), sum(value)::DECIMAL(9, 3)::VARCHAR, min(site) FROM yearly WHERE "
        "quantity = 'energy_consumed'"
    ).fetchall()
    assert rows == [(12, "8.784", "S")]

"""The real steel plant's year, end to end: energy to the last digit, CO2, the bill's hours, and the file's lines."""

import gzip
import json
import math
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

import celadon
from tests.shared_data import shared

PLANT = """\
celadon: 1
enterprise: {id: daewoo, name: {zh: 大宇钢铁, en: DAEWOO Steel}, industry: "3120"}
zone: Asia/Seoul
grid: 15min
sites:
  - {id: gwangyang, name: {zh: 光阳, en: Gwangyang}, region: KR}
meters:
  - {id: E1, name: Main meter, kind: interval, carrier: electricity, flow: purchased, unit: kWh, interval: 15min, stamp: end}
  - {id: Q1, name: Lagging reactive, kind: interval, quantity: reactive_energy, unit: kvarh, interval: 15min, stamp: end}
  - {id: Q2, name: Leading reactive, kind: interval, quantity: leading_reactive_energy, unit: kvarh, interval: 15min, stamp: end}
sources:
  - id: meters
    role: readings
    files: [steel.csv]
    time: {column: date, format: "%d/%m/%Y %H:%M", stamp: end, midnight: closes}
    wide: {Usage_kWh: E1, Lagging_Current_Reactive.Power_kVarh: Q1, Leading_Current_Reactive_Power_kVarh: Q2}
factors:
  - {factor: grid_emission_factor, value: 0.4585, unit: kgCO2/kWh, since: 2018-01-01, until: 2018-12-31, source: the plant's own}
"""
BOOK = "cn_gbt_32150_2015"


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[celadon.Plant]:
    folder = tmp_path_factory.mktemp("steel")
    packed = shared("data/steel_energy/steel_industry_2018.csv.gz")
    (folder / "steel.csv").write_bytes(gzip.decompress(packed.read_bytes()))
    (folder / "plant.yaml").write_text(PLANT, encoding="utf-8")
    with celadon.open_plant(folder) as opened:
        opened.load()
        yield opened


@pytest.fixture(scope="module")
def expected() -> dict:
    return json.loads(shared("data/steel_energy/expected.json").read_text())


def test_energy_is_exact_by_year_and_month(plant: celadon.Plant, expected: dict) -> None:
    year = plant.balance("2018")
    assert year.conserved
    assert year.meters[0].own == 959636_710000
    assert (year.meters[0].coverage, year.meters[0].estimated) == (1.0, 0)
    months = plant.balance("2018", per="month")
    found = {
        f"2018-{number + 1:02}": row.own / 1e6
        for number, row in enumerate(row for row in months.meters if row.node == "E1")
    }
    assert found == expected["energy_kwh"]["by_month_interval_start"]


def test_reactive_energy_is_exact(plant: celadon.Plant, expected: dict) -> None:
    proofs = {item.meter: item for item in plant.balance("2018").proofs}
    factor = expected["power_factor"]
    assert proofs["Q1"].attributed == round(factor["lag_kvarh_total"] * 10**6)
    assert proofs["Q2"].attributed == round(factor["lead_kvarh_total"] * 10**6)
    active, lagging = proofs["E1"].attributed, proofs["Q1"].attributed
    assert 100 * active / math.hypot(active, lagging) == pytest.approx(
        factor["annual_lagging_pf_from_totals_pct"]
    )


def test_days_weekdays_and_the_peak(plant: celadon.Plant, expected: dict) -> None:
    """A quarter-hour belongs to the day it begins in; the peak is the greatest of them, as the bill's demand is."""
    seoul = ZoneInfo("Asia/Seoul")
    days = plant.series(["E1"], "2018", per="day")
    energy = {
        start.astimezone(seoul).date(): value or 0.0
        for start, value in zip(days.starts, days.lines[0].values, strict=True)
    }
    assert len(energy) == 365
    for name, pick in (("max_day", max), ("min_day", min)):
        day = pick(energy, key=lambda day: energy[day])
        assert [day.isoformat(), round(energy[day], 6)] == expected["energy_kwh"][name]
    weekdays: dict[str, float] = {}
    for day, value in energy.items():
        weekdays[f"{day:%A}"] = weekdays.get(f"{day:%A}", 0.0) + value
    assert {name: round(value, 6) for name, value in weekdays.items()} == expected["energy_kwh"]["by_weekday"]
    quarters = plant.series(["E1"], "2018")
    values = [value or 0.0 for value in quarters.lines[0].values]
    want, most = expected["demand"], max(values)
    assert (len(values), most, 4 * most) == (
        expected["rows"],
        want["peak_interval_kwh"],
        want["peak_kw_15min"],
    )
    at = quarters.starts[values.index(most)].astimezone(seoul)
    assert f"{at:%Y-%m-%d %H:%M:%S}" == want["peak_interval_start"]
    mean = expected["energy_kwh"]["total"] / 8760
    assert mean / (4 * most) == pytest.approx(want["load_factor"])


def test_emission_with_the_plants_own_factor(plant: celadon.Plant, expected: dict) -> None:
    found = plant.account(BOOK, "2018")
    value = found.value("total_emission")
    assert value == pytest.approx(expected["co2"]["total_t_unrounded_at_factor"], rel=1e-12)
    assert round(value, 3) == 439.993
    row = next(row for row in found.rows if row.quantity == "total_emission")
    assert (row.unit, row.coverage, row.estimated, row.recalled) == ("tCO2", 1.0, 0.0, 0.0)
    by_month = plant.account(BOOK, "2018", per="month")
    assert sum(row.value for row in by_month.rows if row.quantity == "total_emission") == pytest.approx(
        value, rel=1e-13
    )


def test_the_explanation_reaches_the_files_lines(plant: celadon.Plant) -> None:
    trace = plant.explain("total_emission", BOOK, "2018-11-07")
    readings = [node.detail for node in trace.root.walk() if node.kind == "reading"]
    assert [(item["role"], item["file"], item["line"], item["at"]) for item in readings] == [
        ("first", "steel.csv", 29762, "2018-11-07T00:15+09:00"),
        (
            "last",
            "steel.csv",
            29857,
            "2018-11-08T00:00+09:00",
        ),  # printed 7/11/2018 0:00, the all-zero drop-out
    ]
    lines = (plant.file.parent / "steel.csv").read_text("utf-8-sig").splitlines()
    assert lines[29762 - 1].startswith("7/11/2018 0:15,")
    assert lines[29857 - 1].startswith("7/11/2018 0:00,0,")
    factor = next(
        node
        for node in trace.root.walk()
        if node.kind == "factor" and node.quantity == "grid_emission_factor"
    )
    assert (factor.value, factor.detail["source"], factor.detail["confidence"]) == (
        0.4585,
        "the plant's own",
        "declared",
    )
    assert "grid_emission_factor" in PLANT.splitlines()[factor.detail["line"] - 1]
    assert "GB/T 32150-2015" in trace.render("zh")


def test_by_meter_and_hour_the_year_is_the_same(plant: celadon.Plant) -> None:
    hours = plant.account(BOOK, "2018-01-18", by="meter", per="hour")
    rows = [row for row in hours.rows if row.quantity == "purchased_electricity_emission"]
    assert len(rows) == 24
    assert {row.meter for row in rows} == {"E1"}
    assert sum(row.value for row in rows) == pytest.approx(
        7353.84 * 0.4585 / 1000, rel=1e-12
    )  # the largest day


def test_another_factor_is_seen_in_a_comparison(plant: celadon.Plant) -> None:
    found = plant.compare(
        BOOK,
        "2018",
        before={"options": {"grid_factor": "national_statistical"}},
        after={"options": {"grid_factor": "provincial"}},
    )
    assert found.comparison.lines == ()  # the plant's own factor goes before every series

"""Tables nobody in the project wrote, against the answers computed independently of it (`expected.json`)."""

import gzip
import json
import math
from collections import defaultdict
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from celadon.adapters.tables import TableRow, read_table, sheet_names, sniff
from celadon.core.model import Meter, PointKind, Stamp
from tests.adapters.table_files import Read, at, meter, wide
from tests.shared_data import shared

pytestmark = pytest.mark.shared_data


@cache
def expected(topic: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(shared(f"data/{topic}/expected.json").read_text("utf-8"))
    return answer


def interval(meter_id: str, seconds: int | None = None, **more: Any) -> Meter:
    return meter(meter_id, PointKind.INTERVAL, interval_seconds=seconds, **more)


def local(rows: list[tuple[str, datetime, int, float, int]], zone: str) -> list[tuple[datetime, float]]:
    """(local start of the interval, value)."""
    tz, utc = ZoneInfo(zone), ZoneInfo("UTC")
    return [
        ((end - timedelta(seconds=span)).replace(tzinfo=utc).astimezone(tz).replace(tzinfo=None), value)
        for _, end, span, value, _ in rows
    ]


# --- steel_energy ---------------------------------------------------------------------------------------------

STEEL = "data/steel_energy/steel_industry_2018.csv.gz"


@cache
def steel() -> Read:
    points = [interval("E", 900), interval("C", 900, unit="tCO2"), interval("Q", 900, unit="kvarh")]
    source = wide(
        ("Usage_kWh", "E"),
        ("CO2(tCO2)", "C"),
        ("Lagging_Current_Reactive.Power_kVarh", "Q"),
        time_column="date",
        time_format="%d/%m/%Y %H:%M",
        midnight="closes",
        stamp=Stamp.END,
        zone="Asia/Seoul",
    )
    return Read(shared(STEEL), source, points)


def test_steel_every_interval_in_its_place() -> None:
    read, want = steel(), expected("steel_energy")
    energy = [row for row in read.rows if row[0] == "E"]
    starts = [start for start, _ in local(energy, "Asia/Seoul")]
    assert (read.codes, read.report.rows_bad, len(energy)) == ([], 0, want["rows"])
    assert starts[0] == datetime.fromisoformat(want["timestamp"]["first_interval_start"])
    assert starts[-1] + timedelta(minutes=15) == datetime.fromisoformat(
        want["timestamp"]["last_interval_end"]
    )
    assert starts == [starts[0] + timedelta(minutes=15 * n) for n in range(want["rows"])]
    assert [row[4] for row in energy] == list(range(2, want["rows"] + 2))


def test_steel_energy_to_the_last_digit() -> None:
    want = expected("steel_energy")["energy_kwh"]
    energy = local([row for row in steel().rows if row[0] == "E"], "Asia/Seoul")
    assert round(math.fsum(value for _, value in energy), 2) == want["total"] == 959636.71
    months: dict[str, list[float]] = defaultdict(list)
    for start, value in energy:
        months[f"{start:%Y-%m}"].append(value)
    assert {month: round(math.fsum(values), 2) for month, values in months.items()} == want[
        "by_month_interval_start"
    ]


def test_steel_lines_and_missing_co2() -> None:
    want = expected("steel_energy")["co2"]
    rows = {(point, line): (value, end) for point, end, _, value, line in steel().rows}
    with gzip.open(shared(STEEL), "rt", encoding="utf-8-sig") as stream:
        lines = stream.read().splitlines()
    lost = [
        n
        for (point, n), (value, _) in rows.items()
        if point == "C" and value != round(0.0004585 * rows["E", n][0] + 1e-12, 2)
    ]
    stamps = [lines[n - 1].split(",")[0] for n in sorted(lost)]
    assert stamps == want["those_rows"]["printed_stamps"]
    assert len(stamps) == 47
    assert all(rows["C", n][0] == 0.0 for n in lost)
    assert round(math.fsum(rows["E", n][0] for n in lost), 2) == want["those_rows"]["kwh_sum"]
    assert all(float(lines[n - 1].split(",")[1]) == rows["E", n][0] for n in range(2, 35042, 97))
    zero = expected("steel_energy")["anomalies"]["all_zero_rows"][0]
    n = next(n for n, line in enumerate(lines, 1) if line.startswith(f"{zero['printed']},"))
    assert (rows["E", n][0], rows["E", n][1]) == (0.0, at("2018-11-07 15:00"))


def test_steel_is_recognised() -> None:
    found = sniff(shared(STEEL))
    assert (found.format, found.encoding, found.delimiter, found.header_row) == ("csv", "utf-8", ",", 1)
    assert found.columns[:2] == ("date", "Usage_kWh")


# --- power_series ---------------------------------------------------------------------------------------------


def test_german_days_keep_blanks_absent() -> None:
    want = expected("power_series")["opsd_germany_daily"]
    names = ("Consumption", "Wind", "Solar", "Wind+Solar")
    points = [interval(name, 86_400, unit="GWh") for name in names]
    source = wide(*names, time_column="Date", stamp=Stamp.START, zone="Europe/Berlin")
    read = Read(shared("data/power_series/opsd_germany_daily.csv"), source, points)
    sums: dict[tuple[str, int], list[float]] = defaultdict(list)
    weekdays: dict[str, list[float]] = defaultdict(list)
    for name in names:
        rows = [row for row in read.rows if row[0] == name]
        assert len(rows) == want["rows"] - want["nulls"][name]
        for start, value in local(rows, "Europe/Berlin"):
            assert start.hour == 0
            sums[name, start.year].append(value)
            if name == "Consumption":
                weekdays[f"{start:%A}"].append(value)
    for year, answers in want["year_sums_GWh"].items():
        for name, answer in answers.items():
            assert math.fsum(sums[name, int(year)]) == pytest.approx(answer, rel=1e-12)
    means = {day: math.fsum(values) / len(values) for day, values in weekdays.items()}
    assert means == pytest.approx(want["weekday_mean_consumption"], rel=1e-12)
    assert not sums["Solar", 2010]
    assert read.report.rows_bad == 0


def test_the_transformer_hour_by_hour() -> None:
    want = expected("power_series")["ETTh1"]
    points = [
        meter(
            name, PointKind.LEVEL if name == "OT" else PointKind.RATE, unit="degC" if name == "OT" else "kW"
        )
        for name in want["mean"]
    ]
    source = wide(*want["mean"], time_column="date", zone="Asia/Shanghai")
    read = Read(shared("data/power_series/ETTh1.csv.gz"), source, points)
    months: dict[str, list[float]] = defaultdict(list)
    for name, mean in want["mean"].items():
        rows = [row for row in read.rows if row[0] == name]
        values = [value for _, value in local(rows, "Asia/Shanghai")]
        assert (len(values), sum(value < 0 for value in values)) == (want["rows"], want["negative"][name])
        assert math.fsum(values) / len(values) == pytest.approx(mean, rel=1e-12)
        if name == "OT":
            stamps = [start for start, _ in local(rows, "Asia/Shanghai")]
            assert (str(stamps[0]), str(stamps[-1])) == (want["first"], want["last"])
            for start, value in local(rows, "Asia/Shanghai"):
                months[f"{start:%Y-%m}"].append(value)
    assert {m: math.fsum(v) / len(v) for m, v in months.items()} == pytest.approx(
        want["monthly_mean_OT"], rel=1e-12
    )


# --- mv_meters ------------------------------------------------------------------------------------------------


def mv(name: str, point: Meter) -> Read:
    source = wide(
        ("value", point.id),
        time_column="start",
        stamp=Stamp.START,
        missing=("", "nan"),
        zone="America/Chicago",
    )
    return Read(shared(f"data/mv_meters/{name}.csv.gz"), source, [point])


@pytest.mark.parametrize(("name", "unit"), [("il-electricity-cdd-hdd", "kWh"), ("il-gas-hdd-only", "therm")])
def test_days_with_offsets(name: str, unit: str) -> None:
    """The windows of the independent fit: local days, 365 each, and their totals."""
    want = expected("mv_meters")[f"{name}-daily"]
    read = mv(f"{name}-daily", interval("E", 86_400, unit=unit))
    days = {start.date().isoformat(): value for start, value in local(read.rows, "America/Chicago")}
    assert (read.codes, len(days)) == ([], len(read.rows))
    for window, total in (("baseline_window", "baseline_total"), ("reporting_window", "reporting_total")):
        first, last = want[window]
        assert (
            round(math.fsum(value for day, value in days.items() if first <= day <= last), 2) == want[total]
        )


@pytest.mark.parametrize(
    "name",
    [
        "il-electricity-cdd-hdd-billing_monthly",
        "il-gas-hdd-only-billing_monthly",
        "il-electricity-cdd-hdd-billing_bimonthly",
    ],
)
def test_bills_last_until_the_next_one(name: str) -> None:
    with gzip.open(shared(f"data/mv_meters/{name}.csv.gz"), "rt") as stream:
        lines = [line.split(",") for line in stream.read().splitlines()[1:]]
    read = mv(name, interval("E"))
    stamps = [datetime.fromisoformat(line[0]) for line in lines]
    assert lines[-1][1] == "nan"
    assert (read.codes, len(read.rows)) == ([], len(lines) - 1)
    for n, (_, end, span, value, line) in enumerate(read.rows):
        assert (end.replace(tzinfo=ZoneInfo("UTC")), value, line) == (
            stamps[n + 1],
            float(lines[n][1]),
            n + 2,
        )
        assert timedelta(seconds=span) == stamps[n + 1] - stamps[n]


def test_hours_with_offsets() -> None:
    read = mv("il-electricity-cdd-hdd-hourly", interval("E", 3600))
    days = mv("il-electricity-cdd-hdd-daily", interval("E", 86_400))
    sums: dict[str, list[float]] = defaultdict(list)
    for start, value in local(read.rows, "America/Chicago"):
        sums[f"{start:%Y-%m-%d}"].append(value)
    assert read.report.rows_bad == 0
    ends = [row[1] for row in read.rows]
    assert len(set(ends)) == len(ends)
    # The samples' days are rounded from their hours.
    close = sum(
        abs(math.fsum(sums[f"{start:%Y-%m-%d}"]) - value) < 0.13
        for start, value in local(days.rows, "America/Chicago")
    )
    assert close == len(days.rows)


def test_temperatures_and_the_office() -> None:
    source = wide(("tempF", "T"), time_column="dt", zone="America/Chicago")
    temperature = Read(
        shared("data/mv_meters/il-tempF.csv.gz"), source, [meter("T", PointKind.LEVEL, unit="degF")]
    )
    assert (temperature.codes, temperature.values[:2]) == ([], [21.01, 20.35])
    office = Read(
        shared("data/mv_meters/nmecr_eload_daily.csv"),
        wide(("eload", "E"), stamp=Stamp.START, zone="UTC"),
        [interval("E", 86_400)],
    )
    want = expected("mv_meters")["nmecr_slr_independent"]
    days = {start.date().isoformat(): value for start, value in local(office.rows, "UTC")}
    assert len(days) == want["rows_all"]
    total = math.fsum(value for day, value in days.items() if "2014-03-01" <= day <= "2015-02-28")
    assert total == pytest.approx(want["performance_total"], rel=1e-12)


# --- emission_factors -----------------------------------------------------------------------------------------

EPA = "data/emission_factors/us_epa_supply_chain_factors_v1.2_usd2021.csv"
DESNZ = "data/emission_factors/uk_desnz_ghg_factors_2024_full_v1_1.xlsx"


def test_epa_factors_add_up() -> None:
    want = expected("emission_factors")["epa_v1.2"]
    rows = read_table(shared(EPA))
    assert (len(rows), list(rows[0].values)) == (want["rows"], want["columns"])
    _, _, _, _, without, margin, both, _ = want["columns"]
    gaps = [abs(number(row, without) + number(row, margin) - number(row, both)) for row in rows]
    assert max(gaps) == pytest.approx(want["margin_identity_max_abs_diff"], abs=1e-12)
    assert math.fsum(number(row, both) for row in rows) / len(rows) == pytest.approx(
        want["mean_with_margins"], rel=1e-12
    )
    codes = {row[want["columns"][0]]: row for row in rows}
    assert [number(codes[331110.0], name) for name in (without, margin, both)] == want["steel_331110"]
    assert [number(codes[327310.0], name) for name in (without, margin, both)] == want["cement_327310"]
    top = sorted(rows, key=lambda row: -number(row, both))[:5]
    assert [[row[want["columns"][0]], row[want["columns"][1]], row[both]] for row in top] == want[
        "top5_with_margins"
    ]


def number(row: TableRow, column: str) -> float:
    value = row.number(column)
    assert value is not None
    return value


GASES = ("kg CO2e", "kg CO2e of CO2 per unit", "kg CO2e of CH4 per unit", "kg CO2e of N2O per unit")


def desnz(sheet: str, *keys: str) -> list[TableRow]:
    rows = read_table(
        shared(DESNZ),
        sheet=sheet,
        columns=(*keys, *GASES),
        fill=[key for key in keys if key not in ("Unit", "Year")],
    )
    return [row for row in rows if row.number("kg CO2e") is not None]


def test_desnz_fuels_with_merged_cells() -> None:
    want = expected("emission_factors")["desnz_2024"]
    rows = desnz("Fuels", "Activity", "Fuel", "Unit")
    assert sheet_names(shared(DESNZ)) == want["sheets"]
    assert len(rows) == want["fuels_rows"]

    def of(fuel: str, unit: str) -> list[list[float]]:
        return [
            [number(row, gas) for gas in GASES] for row in rows if (row["Fuel"], row["Unit"]) == (fuel, unit)
        ]

    assert of("Natural gas", "kWh (Gross CV)") == want["natural_gas_kWh_gross"]
    assert of("Natural gas", "kWh (Net CV)") == want["natural_gas_kWh_net"]
    assert [gases[0] for gases in of("Natural gas", "cubic metres")] == want["natural_gas_m3"]
    coal = [
        [row["Fuel"], row["kg CO2e"]]
        for row in rows
        if str(row["Fuel"]).startswith("Coal (industrial)") and row["Unit"] == "tonnes"
    ]
    assert coal == want["coal_industrial_t"]
    gaps = [
        abs(number(row, GASES[0]) - math.fsum(number(row, gas) for gas in GASES[1:]))
        for row in rows
        if row.number(GASES[3]) is not None
    ]
    assert max(gaps) < 1e-3
    assert {row["Activity"] for row in rows} >= {"Gaseous fuels", "Liquid fuels", "Solid fuels"}


def test_desnz_electricity() -> None:
    want = expected("emission_factors")["desnz_2024"]["uk_electricity_rows"]
    rows = desnz("UK electricity", "Activity", "Country", "Unit", "Year")
    assert [
        [row["Activity"], row["Country"], row["Unit"], *(f"{row[key]:g}" for key in ("Year", *GASES))]
        for row in rows
    ] == want


# --- china_co2 ------------------------------------------------------------------------------------------------

NATION = "data/china_co2/ceads_china_1997_2019.xlsx"
PROVINCES = "data/china_co2/ceads_30_provinces_2018.xlsx"
TOTALS = ("Total Consumption", "TotalEmissions")


def inventory(path: str, sheet: str) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """(total row, sector rows) of a sheet: name -> fuel -> Mt CO2; names as printed, without blanks around them."""
    rows = read_table(shared(path), sheet=sheet, header_row=1)
    label = next(iter(rows[0].values))
    found = {
        str(row[label]).strip(): row for row in rows if row.number(next(reversed(_fuels(row)))) is not None
    }
    values = {name: {fuel: number(row, fuel) for fuel in _fuels(row)} for name, row in found.items()}
    total = next(name for name in values if name in TOTALS)
    return values.pop(total), values


def _fuels(row: TableRow) -> list[str]:
    """The fuel columns: after the label, up to the Scope 1 total."""
    names = list(row.values)
    last = next(n for n, name in enumerate(names) if name.replace("_", " ") == "Scope 1 Total")
    return names[1 : last + 1]


def check_inventory(path: str, sheet: str, want: dict[str, Any]) -> float:
    total, sectors = inventory(path, sheet)
    scope1 = next(name for name in total if name.replace("_", " ") == "Scope 1 Total")
    assert len(sectors) == want["sectors"] == 47
    assert total[scope1] == pytest.approx(want["scope1_total_Mt"], rel=1e-12)
    assert math.fsum(row[scope1] for row in sectors.values()) == pytest.approx(
        want["sum_of_sectors_Mt"], rel=1e-12
    )
    worst = max(abs(total[fuel] - math.fsum(row[fuel] for row in sectors.values())) for fuel in total)
    assert worst < 1e-9
    burnt = [name for name in total if name != scope1 and not name.replace("_", " ").startswith("Scope 2")]
    for row in (total, *sectors.values()):
        assert row[scope1] == pytest.approx(math.fsum(row[name] for name in burnt), abs=1e-9)
    assert total["Process"] == pytest.approx(want["process_Mt"], rel=1e-12)
    return total[scope1]


@pytest.mark.parametrize("year", ["1997", "2008", "2019"])
def test_the_nation_adds_up(year: str) -> None:
    check_inventory(NATION, year, expected("china_co2")["national"][year])


def test_sectors_of_2018() -> None:
    want = expected("china_co2")["national"]["2018"]
    _, sectors = inventory(NATION, "2018")
    scope1 = next(reversed(sectors["Smelting and Pressing of Ferrous Metals"]))
    assert sectors["Smelting and Pressing of Ferrous Metals"][scope1] == pytest.approx(
        want["ferrous_smelting_Mt"], rel=1e-12
    )
    assert sectors["Nonmetal Mineral Products"][scope1] == pytest.approx(
        want["nonmetal_mineral_Mt"], rel=1e-12
    )


def test_the_provinces_do_not_add_up_to_the_nation() -> None:
    want = expected("china_co2")
    sheets = [name for name in sheet_names(shared(PROVINCES)) if name in want["provinces_2018"]]
    assert len(sheets) == len(want["provinces_2018"]) == 30
    totals = [check_inventory(PROVINCES, sheet, want["provinces_2018"][sheet]) for sheet in sheets]
    assert math.fsum(totals) == pytest.approx(want["provinces_2018_sum_Mt"], rel=1e-12)
    assert math.fsum(totals) / want["national_2018_Mt"] == pytest.approx(1.094, abs=5e-4)

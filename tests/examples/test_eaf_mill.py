"""The example plant: the same for everybody, physically sensible, and true to its own truth."""

import csv
import os
import re
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from celadon.examples.eaf_mill import ExampleTruth, digest, generate, read_truth
from celadon.examples.eaf_mill import meters as table
from tests.examples.conftest import lines_of

MONTHS = [f"2024-{month:02d}" for month in range(1, 13)]


def test_the_same_plant_everywhere(mill, tmp_path):
    command = [sys.executable, "-m", "celadon.examples.eaf_mill", str(tmp_path / "again")]
    path = os.pathsep.join(entry for entry in sys.path if entry)
    run = subprocess.run(
        command,
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "75 meters, 2230352 readings, 26 faults" in run.stdout
    assert digest(tmp_path / "again") == digest(mill.directory)


def test_another_seed_is_another_plant(mill, tmp_path):
    seen: list[tuple[int, int, str]] = []
    other = generate(
        tmp_path, 2025, seed=5, progress=lambda done, total, what: seen.append((done, total, what))
    )
    assert digest(tmp_path) != digest(mill.directory)
    assert other.meters["E01"].keys() == {f"2025-{month:02d}" for month in range(1, 13)}
    assert [done for done, _, _ in seen] == list(range(1, seen[0][1] + 1))
    assert seen[-1][2] == "truth.json"
    assert "2024" not in (tmp_path / "plant.yaml").read_text(encoding="utf-8")


def test_a_year_without_known_holidays_is_refused(tmp_path):
    with pytest.raises(ValueError, match="knows the public holidays of 2023, 2024, 2025, not of 1999"):
        generate(tmp_path / "none", 1999)
    assert not (tmp_path / "none").exists()


def test_truth_reads_back(mill):
    again = read_truth(mill.directory)
    assert again == mill
    (mill.directory / "other").mkdir(exist_ok=True)
    (mill.directory / "other" / "truth.json").write_text('{"format": "other/1"}')
    with pytest.raises(ValueError, match="is not celadon-example-truth/1"):
        read_truth(mill.directory / "other")


def displays(truth: ExampleTruth) -> dict[str, dict[str, list[Decimal]]]:
    """Meter → local month → values in the order of the files (registers: the month's displays)."""
    out: dict[str, dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted((truth.directory / "data" / "scada").glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                month = row.pop("time")[:7]
                for tag, value in row.items():
                    out[tag.split("_")[0]][month].append(Decimal(value))
    for path in sorted((truth.directory / "data" / "gateway").glob("*.csv")):
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            time, meter, value, unit = line.split(",")
            assert unit == "kWh"
            out[meter][time[:7].replace("/", "-")].append(Decimal(value))
    utilities = truth.directory / "data" / "utilities" / f"utilities-{truth.year}.csv"
    with utilities.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            month = row.pop("时间")[:7]
            for meter, value in row.items():
                out[meter][month].append(Decimal(value.replace(",", "")))
    return out


def test_registers_without_faults_count_exactly_the_truth(clean_mill):
    """Last display − first display, × multiplier, + modulus at the roll-over: the month's true amount to the last digit."""
    shown = displays(clean_mill)
    for meter in (*table.SCADA, *table.GATEWAY, *table.UTILITIES):
        if meter in ("E2011", "E305"):
            continue  # exchanged in the year: the next test
        display = table.display_of(meter)
        for number, month in enumerate(MONTHS):
            own = shown[meter][month]
            after = shown[meter][MONTHS[number + 1]][0] if number < 11 else shown[meter]["2025-01"][0]
            steps = [b - a for a, b in zip(own, [*own[1:], after], strict=True)]
            turns = sum(step < 0 for step in steps)
            counted = (sum(steps) + turns * 10**display.digits) * display.multiplier
            assert counted == Decimal(str(clean_mill.meters[meter][month])), (meter, month)
            assert turns == (1 if (meter, month) == ("E3053", "2024-05") else 0)


def test_exchanged_meters_count_exactly_the_truth(clean_mill):
    shown = displays(clean_mill)
    plant_file = (clean_mill.directory / "plant.yaml").read_text(encoding="utf-8")
    removed = Decimal(re.search(r"removed_register: ([\d.]+)", plant_file)[1])
    old = [value for month in MONTHS[:5] for value in shown["E2011"][month]]
    at = next(n for n in range(1, len(old)) if old[n] < old[n - 1])
    assert at == (31 + 29 + 31 + 30 + 19) * 96 + 10 * 4 + 1  # the first reading after 20 May 10:05
    last = shown["E2011"]["2025-01"][0]
    assert ((removed - old[0]) + last) * 2000 == Decimal(str(clean_mill.total("E2011")))
    air = [value for month in (*MONTHS, "2025-01") for value in shown["E305"][month]]
    change = (31 + 29 + 31 + 30 + 31 + 30 + 31 + 7) * 96 + 9 * 4  # 8 August 9:00
    assert (air[change] - air[0]) * 80 + (air[-1] - air[change]) * 120 == Decimal(
        str(clean_mill.total("E305"))
    )


def test_intervals_and_office(clean_mill):
    gas: dict[str, int] = defaultdict(int)
    for quarter in range(1, 5):
        heading, *lines = lines_of(clean_mill, f"data/gas/gas-2024-Q{quarter}.csv")
        names = [name.split(" ")[0] for name in heading.split(";")[1:]]
        for line in lines:
            for name, value in zip(names, line.split(";")[1:], strict=True):
                gas[name] += int(value.replace(",", "")) if value and name != "N01" else 0
    for name in ("N11", "N12", "N13", "N14", "N15"):
        assert Decimal(gas[name]) / 10 == Decimal(str(clean_mill.total(name)))
    office = lines_of(clean_mill, "data/office/office-2024.csv")
    assert office[1].startswith("2024-01-01 01:00,")
    assert office[24].startswith("2024-01-01 24:00,")
    assert office[-1].startswith("2024-12-31 24:00,")
    assert len(office) == 1 + 366 * 24
    used = sum(Decimal(line.split(",")[1]) for line in office[1:])
    assert used == Decimal(str(clean_mill.total("E90")))


def test_meters_add_up(clean_mill):
    """Energy bought and generated is what the sections take and the losses; no child takes more than its parent."""
    total = clean_mill.total
    bus = total("E01") + total("E02") + total("G01") + total("G02") - total("E03")
    sections = total("E10") + total("E20") + total("E30")
    assert 0.003 < (bus - sections) / bus < 0.015
    for parent, (children, _, _) in table.PARENTS.items():
        share = sum(map(total, children)) / total(parent)
        assert 0.94 < share <= 1.0, parent
    heat = total("H01") + total("H03") - total("H02")
    assert heat >= total("H11") + total("H12") + total("H13")


def test_the_mill_is_sensible(mill):
    made = sum(mill.records["production"]["billet"].values())
    assert 280_000 < made < 320_000
    assert 370 < mill.total("E101") / made < 420  # kWh/t of an arc furnace
    assert 28 < mill.total("O11") / made < 40  # m3/t
    assert mill.meters["E101"]["2024-02"] < 0.7 * mill.meters["E101"]["2024-03"]  # the overhaul
    assert mill.meters["G01"]["2024-05"] > 1.5 * mill.meters["G01"]["2024-12"]
    assert mill.meters["E03"]["2024-02"] > 100_000  # export while the mill stands still
    assert mill.meters["H12"]["2024-01"] > 10 * mill.meters["H12"]["2024-07"]
    assert all(41_000 < peak["kW"] < 45_000 for peak in mill.demand.values())
    assert mill.total("E01") + mill.total("E02") == pytest.approx(
        sum(sum(month.values()) for month in mill.tariff.values()), rel=1e-12
    )


def test_size(mill):
    files = [path for path in Path(mill.directory).rglob("*.*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 40e6
    assert len(mill.meters) == 75
    assert mill.readings == 2_230_352


def test_fuel_ledger_in_gbk(mill):
    rows = [line.split(",") for line in lines_of(mill, "data/fuel/fuel-2024.csv", "gbk")]
    assert rows[0] == ["日期", "单据", "品种", "用途", "数量", "单位", "单号", "往来单位"]
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows[1:]:
        if row[2] == "焦炭" and row[0].startswith("2024-05"):
            sums[row[1]] += Decimal(row[4])
    consumed = sums["期初"] + sums["购入"] - sums["期末"] - sums["外售"]
    assert float(consumed) == mill.records["fuel"]["coke"]["2024-05"]["consumed"]
    for carrier, months in mill.records["fuel"].items():
        values = list(months.values())
        assert [month["closing"] for month in values[:-1]] == [month["opening"] for month in values[1:]], (
            carrier
        )
        assert all(month["closing"] > 0 and month["consumed"] > 0 for month in values), carrier


def test_workbooks_have_merged_headings_and_formulas(mill):
    production = mill.directory / "data/production/production-2024.xlsx"
    formulas, values = openpyxl.load_workbook(production), openpyxl.load_workbook(production, data_only=True)
    heats = formulas["炼钢"]
    assert {str(area) for area in heats.merged_cells.ranges} == {"A1:G1", "A2:D2", "E2:G2"}
    assert [cell.value for cell in heats[3]] == [
        "日期",
        "炉号",
        "钢种",
        "出钢时刻",
        "废钢 t",
        "合格坯 t",
        "收得率 %",
    ]
    assert heats["G4"].value == "=F4/E4*100"
    last = heats.max_row
    assert heats.cell(last, 1).value == "合计"
    assert heats.cell(last, 6).value == f"=SUM(F4:F{last - 1})"
    shown = values["炼钢"]
    made = sum(Decimal(str(shown.cell(row, 6).value)) for row in range(4, last))
    assert made == Decimal(str(shown.cell(last, 6).value))
    assert float(made) == pytest.approx(sum(mill.records["production"]["billet"].values()), rel=1e-12)
    assert last - 4 == mill.records["heats"]


def test_laboratory_means_are_weighted_by_batch_mass(mill):
    book = openpyxl.load_workbook(mill.directory / "data/laboratory/laboratory-2024.xlsx", data_only=True)[
        "化验"
    ]
    heat = mass = Decimal(0)
    units = set()
    for row in book.iter_rows(min_row=4, values_only=True):
        day, _, item, batch, value, unit, _, _ = row
        if item == "无烟煤" and day.month == 4:
            units.add(unit)
            value = Decimal(str(value)) * (Decimal("0.0041868") if unit == "kcal/kg" else 1)
            heat, mass = heat + value * Decimal(str(batch)), mass + Decimal(str(batch))
    truth = mill.records["laboratory"]["anthracite"]["2024-04"]
    assert float(heat / mass) == pytest.approx(truth["net_calorific_value"], rel=1e-12)
    assert units == {"MJ/kg", "kcal/kg"}
    assert set(MONTHS) - set(mill.records["laboratory"]["anthracite"]) == {"2024-03", "2024-08"}
    assert max(mill.records["laboratory"]["coke"]) == "2024-06"


def test_materials_are_unicode_text(mill):
    content = (mill.directory / "data/materials/materials-2024.txt").read_bytes()
    assert content.startswith(b"\xff\xfe")
    assert content.decode("utf-16").splitlines()[0] == "开始\t结束\t物料\t消耗量\t单位"

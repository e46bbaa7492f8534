"""Tables of trading, quotas, border adjustment and equipment against the reference: each value once, what is left out named."""

import csv
from pathlib import Path

import pytest

from tests.shared_data import shared
from tools import import_tables
from tools.import_policy_tables import ORIGINS, POLICY_LEFT_OUT, SEGMENTS, dated

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def folder() -> Path:
    return shared("reference/energy_carbon/ets.csv").parent


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table(rulebook: str, name: str) -> list[dict[str, str]]:
    return rows_of(import_tables.RULEBOOKS / rulebook / "tables" / f"{name}.csv")


def test_power_benchmarks_row_by_row_and_no_draft(folder):
    made = table("cn_national_ets", "power_benchmarks")
    raw = [row for row in rows_of(folder / "ets.csv") if row["topic"] in ("power_benchmark", "power_balance")]
    for row, item in zip(raw, made, strict=False):
        assert (item["segment"], item["value"], item["unit"]) == (
            SEGMENTS[row["segment"]],
            row["value"],
            row["unit"],
        )
        assert dated(row).items() <= item.items()
    extra = made[len(raw) :]
    assert {(row["kind"], row["value"], row["valid_from"]) for row in extra} == {
        ("balance", "", "2022-01-01")
    }
    assert len(extra) == 6
    assert not [row for row in made if "DRAFT" in row["note"] or row["valid_from"] >= "2025"]
    assert ("ets", "power_benchmark_draft") in POLICY_LEFT_OUT


def test_2023_benchmarks_are_the_final_ones_and_no_balance_values():
    made = table("cn_national_ets", "power_benchmarks")
    final = {row["value"] for row in made if row["kind"] == "benchmark"}
    assert {"0.795", "0.809", "0.791", "0.8049"} <= final
    assert not {"0.7861", "0.7984", "0.7822", "0.7944", "0.8155"} & final


def test_quota_levels_row_by_row(folder):
    raw = rows_of(folder / "efficiency_levels.csv")
    quotas = [row for row in raw if row["scheme"] == "GB quota"]
    made = table("cn_product_energy_quota", "quota_levels")
    assert len(quotas) == len(made)
    for row, item in zip(quotas, made, strict=True):
        for name in ("level1", "level2", "level3", "source", "clause", "confidence", "process", "edition"):
            assert item[name] == row[name]
    keys = [(row["product"], row["indicator"]) for row in made]
    assert len(set(keys)) == len(keys)
    marks = [row for row in raw if row["scheme"] != "GB quota"]
    listed = table("cn_product_energy_quota", "benchmark_levels")
    assert (
        len(listed) == len(marks) - 1 + 1
    )  # without the added fields; one furnace row stands for two classes
    by_process = {(row["process"], row["edition"], row["sector"]): row for row in listed}
    for row in marks:
        if row["benchmark"]:
            item = by_process[row["process"], row["edition"], row["sector"]]
            assert (item["benchmark"], item["baseline"], item["confidence"]) == (
                row["benchmark"],
                row["baseline"],
                row["confidence"],
            )


def test_default_values_of_the_shipped_origins(folder):
    raw = [row for row in rows_of(folder / "cbam_defaults.csv") if row["country"] in ORIGINS]
    made = table("eu_cbam", "default_values")
    assert [
        [row[name] for name in ("country", "direct", "indirect", "total", "confidence")] for row in raw
    ] == [[row[name] for name in ("country", "direct", "indirect", "total", "confidence")] for row in made]
    assert all(item["cn_code"].startswith(row["cn_code"]) for row, item in zip(raw, made, strict=True))
    keys = [(row["country"], row["cn_code"]) for row in made]
    assert len(set(keys)) == len(keys)


def test_benchmarks_of_goods(folder):
    raw = rows_of(folder / "cbam_benchmarks.csv")
    made = table("eu_cbam", "benchmarks_b")
    assert [
        (f"{row['cn_code']} {row['route']}".strip(), row["footnote"] or "none", row["value"]) for row in raw
    ] == [(row["cn_code"], row["footnote"], row["value"]) for row in made]
    column_a = {(row["cn_code"], row["footnote"]): row["value"] for row in table("eu_cbam", "benchmarks_a")}
    assert column_a["7207 11 11 C", "none"] == "0.188"
    assert column_a["7207 11 90 C", "none"] == "0.453"  # forged
    assert column_a["7208", "none"] == "0.044"
    stored = [
        row
        for row in rows_of(folder / "cbam.csv")
        if row["topic"] == "benchmark" and "column A" in row["key"]
    ]
    assert {row["value"] for row in stored} == set(column_a.values())


def test_equipment_row_by_row(folder):
    raw = rows_of(folder / "equipment_efficiency.csv")
    graded, pumps = (
        table("cn_equipment_efficiency", "grades"),
        table("cn_equipment_efficiency", "pump_constants"),
    )
    assert len(graded) + len(pumps) == len(raw)
    for row, item in zip(raw, [*graded, *pumps], strict=True):
        names = ("grade1", "grade2", "grade3", "source", "clause", "confidence", "note")
        assert [item[name] for name in names] == [row[name] for name in names]
        assert item["valid_from"] == row["effective_from"]
    keys = [(row["class"], row["measure"]) for row in graded]
    assert len(set(keys)) == len(keys)

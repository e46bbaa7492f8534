"""One set of facts under every rulebook: the example cement works, its results made by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import celadon
from celadon.core.findings import Severity
from celadon.examples import cement_works
from celadon.plant.new import new_plant

# Sums of 2025: clinker 12 × 100 000 + 66 × 1 000, cement 12 × 120 000 + 66 × 500; of the first half of 2026 clinker.
CLINKER, CEMENT, HALF = 1_266_000, 1_473_000, 615_000
COAL, KILN = 0.14 * CLINKER, 0.058 * CLINKER
BOUGHT = KILN + 0.032 * CEMENT + 12 * 200 - 0.03 * CLINKER
BURNT = COAL * 22.6 * 0.0262 * 0.93 * 44 / 12  # the kiln's coal; oxidation 93 % of the appendix
MOBILE = 144 * 43.33 * 0.0202 * 0.98 * 44 / 12
CALCINED = CLINKER * (0.652 * 44 / 56 + 0.019 * 44 / 40) + 1.55 * CLINKER * 0.001 * 44 / 12
CEMENT_BOOK, QUOTA, ETS = "cn_ndrc_2013_cement", "cn_product_energy_quota", "cn_national_ets"
GOOD = "2523 10 00 A"


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[celadon.Plant]:
    folder = tmp_path_factory.mktemp("cement")
    new_plant(folder, contents=cement_works.texts())
    with celadon.open_plant(folder) as plant:
        done = plant.load()
        assert (done.readings, done.records) == (76, 18 * 22 + 6)
        assert not done.findings.errors
        yield plant


def test_the_national_account(works: celadon.Plant) -> None:
    found = works.account(CEMENT_BOOK, "2025")
    assert found.value("fuel_combustion_emission", item="bituminous") == pytest.approx(BURNT, rel=1e-12)
    assert found.value("process_emission") == pytest.approx(CALCINED, rel=1e-12)
    assert found.value("purchased_electricity_emission") == pytest.approx(BOUGHT * 0.5306, rel=1e-12)
    total = BURNT + MOBILE + CALCINED + BOUGHT * 0.5306
    assert found.value("total_emission") == pytest.approx(total, rel=1e-12)
    assert not [item for item in found.findings if item.severity is Severity.ERROR]


def test_the_trading_position_follows_from_the_account(works: celadon.Plant) -> None:
    emitted = BURNT + CALCINED
    intensity = emitted / CLINKER
    allocated = emitted * (1 + 0.15 * (0.86 - intensity) / 0.86)  # A = E (1 + 0.15 (B − I) / B), within ± 3 %
    found = works.account(ETS, "2025")
    assert found.value("total_allocation") == pytest.approx(allocated, rel=1e-12)
    assert found.value("surrender_obligation") == pytest.approx(emitted, rel=1e-12)
    assert found.value("allowance_position") == pytest.approx(allocated - emitted, rel=1e-9)
    assert [book.id for book in found.calculated_by] == [CEMENT_BOOK]
    assert "factor.unchecked" in {item.code for item in found.findings}  # of the account it rests on
    assert not [
        item for item in found.findings if item.severity is Severity.ERROR and item.code != "factor.gap"
    ]


def test_the_border_certificates(works: celadon.Plant) -> None:
    direct = (0.14 * HALF * 22.6 * 0.096 + 1.55 * HALF * 0.34) / HALF
    embedded = 12_000 * (direct + 0.058 * 0.55)
    found = works.account("eu_cbam", "2026-01..2026-06")
    assert found.value("embedded_emission", item=GOOD) == pytest.approx(embedded, rel=1e-12)
    free = 12_000 * 0.975 * 0.666  # CBAM factor of 2026 × benchmark; subtracted
    assert found.value("certificates_due", item=GOOD) == pytest.approx(embedded - free, rel=1e-12)


def test_the_quota_grade(works: celadon.Plant) -> None:
    energy = COAL * 22.6 / 29.3076 + KILN * 0.1229
    found = works.account(QUOTA, "2025")
    row = {"item": "clinker", "purpose": "comprehensive_energy"}
    assert found.value("coal_equivalent_intensity", **row) == pytest.approx(
        1000 * energy / CLINKER, rel=1e-12
    )
    assert found.value("coal_equivalent_grade", **row) == 3  # 100 / 107 / 117 kgce/t
    assert (
        found.value("electricity_grade", item="clinker", purpose="electricity") == 3
    )  # 58: 48 / 57 / 61 kWh/t
    assert not [item for item in found.findings if item.severity is Severity.ERROR]
    # clinker has a quota for electricity, but neither list has a benchmark for it
    told = [item for item in found.findings if item.code == "factor.unpublished"]
    assert {(str(item.values["key"]), item.to_json()["values"]["rule"]) for item in told} == {
        ("clinker, electricity", "electricity_position")
    }
    assert all("不形成" in item.says("zh") and "electricity_position" not in item.says("zh") for item in told)


def test_the_equipment_effectiveness(works: celadon.Plant) -> None:
    found = works.account("mfg_operations_kpi", "2025")
    effective = (0.006 * CLINKER + 0.004 * CEMENT) / (12 * 1440)
    assert found.value("overall_equipment_effectiveness") == pytest.approx(effective, rel=1e-12)


def test_why_two_rulebooks_differ_to_the_last_kilogram(works: celadon.Plant) -> None:
    found = works.reconcile((CEMENT_BOOK, "cn_gbt_32150_2015"), "2025").reconciliation
    totals = [works.account(book, "2025").rows[0].value for book in (CEMENT_BOOK, "cn_gbt_32150_2015")]
    assert [found.before_total, found.after_total] == pytest.approx(totals, abs=1e-6)
    assert sum(line.difference for line in found.lines) == pytest.approx(found.difference, abs=1e-6)
    assert found.difference == pytest.approx(totals[1] - totals[0], abs=1e-6)  # type: ignore[operator]


def test_a_calculated_fact_is_explained_down_to_the_meter(works: celadon.Plant) -> None:
    where = {"site": "works", "product": "clinker", "purpose": "comprehensive_energy"}
    trace = works.explain("coal_equivalent_intensity", QUOTA, "2025-03", where=where)
    nodes = list(trace.root.walk())
    below = next(node for node in nodes if node.detail.get("rulebook") == "cn_gbt_2589_2020")
    assert below.quantity == "comprehensive_energy"
    assert below.value == pytest.approx(14_280 * 22.6 / 29.3076 + 5_916 * 0.1229, rel=1e-12)
    ends = [
        (node.value, node.detail["file"], node.detail["line"]) for node in nodes if node.kind == "reading"
    ]
    assert ends == [(12_658.0, "readings.csv", 4), (18_574.0, "readings.csv", 5)]
    records = [node.detail["date"] for node in nodes if node.kind == "record"]
    assert set(records) == {"2025-03-01"}  # the neighbouring month's record is no evidence
    year = works.explain("coal_equivalent_intensity", QUOTA, "2025", where=where)
    assert "← cn_gbt_2589_2020 comprehensive_energy --period 2025-04" in year.render("en")


def test_a_verified_value_goes_before_the_calculated_one(tmp_path: Path) -> None:
    new_plant(tmp_path, contents=cement_works.texts())
    with celadon.open_plant(tmp_path) as plant:
        plant.load()
        text = "date,quantity,item,purpose,process,value,unit\n"
        text += "".join(
            f"{month},verified_line_emission,K1,cement,,85000,tCO2e\n" for month in cement_works.MONTHS[:12]
        )
        (tmp_path / "records.csv").write_text((tmp_path / "records.csv").read_text() + text.split("\n", 1)[1])
        plant.load()
        found = plant.account(ETS, "2025")
        assert found.value("surrender_obligation") == pytest.approx(12 * 85_000)
        told = [item for item in found.findings if item.code == "derived.recorded"]
        assert [item.values["value"] for item in told] == [f"{BURNT:.6g}", f"{CALCINED:.6g}"]
        assert all(item.values["count"] == 12 for item in told)


FAULTS = {
    "derived.nothing": ("of: clinker_output}", "of: clinker_output, where: {product: slag}}"),
    "derived.several": (
        "of: applied_net_calorific_value, where: {carrier: bituminous}",
        "of: applied_net_calorific_value",
    ),
    "account.quantity": ("of: raw_meal_consumed", "of: raw_meal_eaten"),
}


@pytest.mark.parametrize("code", ["derived.nothing", "derived.several", "account.quantity"])
def test_what_cannot_be_calculated_is_a_finding_at_its_line(tmp_path: Path, code: str) -> None:
    files = cement_works.texts()
    old, new = FAULTS[code]
    assert old in files["plant.yaml"]
    files["plant.yaml"] = files["plant.yaml"].replace(old, new)
    new_plant(tmp_path, contents=files)
    with celadon.open_plant(tmp_path) as plant:
        plant.load()
        found = plant.account("eu_cbam", "2026-01..2026-06")
        told = next(item for item in found.findings if item.code == code)
        assert told.where.line is not None
        line = files["plant.yaml"].splitlines()[told.where.line - 1]
        assert "rulebook: cn_ndrc_2013_cement" in line
        row = found.result.rows_of("embedded_emission")[0]
        assert row.value is None or row.coverage < 0.99  # absent, never left out in silence
        if code == "derived.several":
            assert told.values["count"] == 2  # coal and diesel


def test_a_circle_of_calculated_facts_is_a_finding(tmp_path: Path) -> None:
    files = cement_works.texts()
    circle = (
        "derived:\n  - {quantity: energy_consumed, item: bituminous, purpose: combustion, rulebook: cn_product_energy_quota, "
        "of: product_energy}\n"
    )
    files["plant.yaml"] = files["plant.yaml"].replace("derived:\n", circle)
    new_plant(tmp_path, contents=files)
    with celadon.open_plant(tmp_path) as plant:
        plant.load()
        found = plant.account(QUOTA, "2025")
        told = next(item for item in found.findings if item.code == "derived.circle")
        assert told.values["path"] == "cn_product_energy_quota → cn_gbt_2589_2020 → cn_product_energy_quota"

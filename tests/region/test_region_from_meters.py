"""A park of metered firms: registers of each, made monthly facts, are accounted by the region as by the plant, to 1e-9."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import celadon
from celadon.cli import main
from celadon.cli.shapes import problems
from celadon.plant.monthly import MonthlyFacts, _Sum
from celadon.region.facade import open_region

RULEBOOKS = ("cn_gbt_32150_2015", "cn_gbt_2589_2020")
PLANT = """\
celadon: 1
enterprise: {id: park, name: Park}
zone: Asia/Shanghai
sites:
  - {id: A, name: Alpha, region: CN-SD}
  - {id: B, name: Beta, region: CN-HE}
  - {id: C, name: Gamma, region: CN-SD}
meters:
  - {id: EA, carrier: electricity, flow: purchased, site: A, unit: kWh, digits: 6, decimals: 1, multiplier: 100}
  - {id: EB, carrier: electricity, flow: purchased, site: B, unit: kWh, digits: 6, decimals: 1}
  - {id: EC, carrier: electricity, flow: purchased, site: C, unit: kWh, digits: 6, decimals: 1}
sources:
  - {id: meters, role: readings, files: readings.csv, time: {column: time}, wide: {EA: EA, EB: EB, EC: EC}}
  - id: fuel
    role: records
    files: fuel.csv
    fields: {date: date, quantity: what, item: =bituminous, value: value, unit: unit, site: firm, weight: mass, weight_unit: =t}
"""
# EA rolls over on the way to March; EC is read first in mid-January
READINGS = """time,EA,EB,EC
2024-01-01 00:00,999990.0,100.0,
2024-01-16 00:00,999995.5,300.0,50.0
2024-02-01 00:00,2.5,700.0,90.0
2024-03-01 00:00,14.0,900.0,170.0
"""
FUEL = """date,what,value,unit,firm,mass
2024-01-05,fuel_consumed,10,t,A,
2024-02-05,fuel_consumed,4000,kg,A,
2024-01-05,net_calorific_value,20,GJ/t,A,6
2024-01-20,net_calorific_value,22,GJ/t,A,4
2024-02-09,fuel_consumed,7,t,B,
"""
REGION = """\
celadon-region: 1
region: {id: park}
registry: {files: [registry.csv], columns: {enterprise: id, name: name, industry: code, region: place}}
sources:
  - id: metered
    files: [facts.%s]
    enterprise: enterprise
    month: month
    long: {quantity: quantity, item: item, purpose: purpose, value: value, unit: unit}
    values: %s
"""
REGISTRY = "id,name,code,place\nA,Alpha,3011,370100\nB,Beta,3011,130100\nC,Gamma,3011,370102\n"


@pytest.fixture
def park(tmp_path: Path) -> Path:
    for name, text in (("plant.yaml", PLANT), ("readings.csv", READINGS), ("fuel.csv", FUEL)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    with celadon.open_plant(tmp_path) as plant:
        plant.load()
    return tmp_path


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_region_accounts_what_the_meters_counted(park: Path, tmp_path: Path, ending: str) -> None:
    region_folder = tmp_path / "region"
    region_folder.mkdir()
    with celadon.open_plant(park) as plant:
        facts = plant.monthly_facts(RULEBOOKS, "2024-01..2024-02", each="site")
        plant.write_facts(facts, region_folder / f"facts.{ending}")
        accounts = {
            name: plant.account(name, "2024-01..2024-02", by="site", per="month") for name in RULEBOOKS
        }
    (region_folder / "region.yaml").write_text(
        REGION % (ending, json.dumps(facts.values())), encoding="utf-8"
    )
    (region_folder / "registry.csv").write_text(REGISTRY, encoding="utf-8")
    with open_region(region_folder) as region:
        assert [one.code for one in region.load().findings if one.severity.value == "error"] == []
        for name, account in accounts.items():
            found = region.account(name, "2024-01..2024-02", by="enterprise", per="month")
            theirs = {(row.quantity, row.group[0], row.label): row.value for row in found.rows}
            ours = {(row.quantity, row.site, row.label): row.value for row in account.rows}
            compared = [key for key in ours if key[1:] not in (("C", "2024-01"),) and ours[key] is not None]
            assert len(compared) >= 5
            for key in compared:
                assert theirs[key] == pytest.approx(ours[key], rel=1e-9), key
    # A, January: (999999.9 + 0.1 - 999990 + 2.5) × 100 kWh = 1250 kWh through the roll-over
    assert _value(facts, "A", "2024-01", "energy_purchased", "electricity") == pytest.approx(1.25)
    assert _value(facts, "A", "2024-02", "energy_consumed", "bituminous") == 4.0  # 4,000 kg
    assert _value(facts, "A", "2024-01", "net_calorific_value", "bituminous") == pytest.approx(20.8)


def _value(facts: MonthlyFacts, firm: str, month: str, quantity: str, item: str) -> float | None:
    [found] = [
        one
        for one in facts.rows
        if (one.enterprise, one.month, one.quantity, one.item) == (firm, month, quantity, item)
    ]
    return found.value


def test_what_is_not_whole_is_blank_and_told_unless_asked_for(park: Path) -> None:
    with celadon.open_plant(park) as plant:
        strict = plant.monthly_facts(RULEBOOKS, "2024-01", each="site")
        partial = plant.monthly_facts(RULEBOOKS, "2024-01", each="site", partial=True)
    assert _value(strict, "C", "2024-01", "energy_purchased", "electricity") is None
    assert _value(partial, "C", "2024-01", "energy_purchased", "electricity") == pytest.approx(
        0.04
    )  # from the 16th
    [said] = [one for one in strict.findings if one.code == "facts.incomplete"]
    assert (said.values["count"], "C 2024-01 energy_consumed electricity" in str(said.values["which"])) == (
        2,
        True,
    )
    assert not [one for one in partial.findings if one.code == "facts.incomplete"]


def test_the_enterprise_is_the_sum_of_its_sites(park: Path) -> None:
    with celadon.open_plant(park) as plant:
        whole = plant.monthly_facts(RULEBOOKS, "2024-02")
    # 1,150 kWh of A, 200 of B, 80 of C
    assert _value(whole, "park", "2024-02", "energy_purchased", "electricity") == pytest.approx(1.43)
    assert _value(whole, "park", "2024-02", "energy_consumed", "bituminous") == pytest.approx(11.0)


def test_a_record_over_two_months_has_no_place_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "readings.csv").write_text(READINGS, encoding="utf-8")
    (tmp_path / "plant.yaml").write_text(
        PLANT.replace("fields: {date: date,", "fields: {start: date, end: until,"), encoding="utf-8"
    )
    (tmp_path / "fuel.csv").write_text(
        "date,until,what,value,unit,firm,mass\n2024-01-10,2024-02-20,fuel_consumed,10,t,A,\n"
        "2024-02-01,2024-02-29,fuel_consumed,3,t,A,\n",
        encoding="utf-8",
    )
    with celadon.open_plant(tmp_path) as plant:
        plant.load()
        facts = plant.monthly_facts(RULEBOOKS, "2024-01..2024-02", each="site")
    [said] = [one for one in facts.findings if one.code == "facts.longer-than-a-month"]
    assert (said.values["count"], said.values["which"]) == (1, "A 2024-01 energy_consumed bituminous")
    assert _value(facts, "A", "2024-02", "energy_consumed", "bituminous") == 3.0


def test_by_the_command(park: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["facts", str(park), "-r", "cn_gbt_32150_2015", "-p", "2024-02", "--each", "site"]
    assert main([*asked, "--json"]) == 0
    shape = json.loads(capsys.readouterr().out)
    assert problems(shape) == []
    assert {"quantity": "energy_consumed", "item": "electricity", "unit": "MWh"} in shape["values"]
    assert main([*asked, "--output", str(park / "f.csv"), "--lang", "zh"]) == 0
    said = capsys.readouterr().out
    with (park / "f.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert f"{len(rows)} 行" in said
    assert [
        row["value"] for row in rows if (row["enterprise"], row["quantity"]) == ("B", "energy_purchased")
    ] == ["0.2"]
    assert main(asked) == 0
    assert "energy_purchased electricity" in capsys.readouterr().out


@pytest.mark.parametrize("adds", [True, False])
def test_a_fact_without_a_value_is_absent_whatever_is_covered(adds: bool) -> None:
    key = ("A", "2024-01", "energy_purchased", "electricity", "")
    found = _Sum("MWh", adds)
    found.add(None, weight=0.0, covered=1.0, due=1.0, estimated=0.0, size=0.0)
    assert (found.fact(key, partial=False).value, found.fact(key, partial=True).value) == (None, None)
    found.add(3.0, weight=1.0, covered=1.0, due=1.0, estimated=0.0, size=3.0)
    assert found.fact(key, partial=False).value == 3.0

"""Screening: what was planted is found, what was not is left alone, and each alarm says its evidence."""

import csv
import json
import random

import pytest

from celadon.cli import main
from celadon.cli.shapes import problems
from celadon.examples.country import generate
from celadon.region import anomalies
from celadon.region.facade import open_region

RULES = {
    "unit_slip": {"unit"}, "value_slip": {"unit"}, "fuel_jump": {"jump"}, "copied_month": {"copy-month"},
    "copied_year": {"copy-year"}, "below_bill": {"bill"}, "output_short": {"own-need", "band"}, "rounded": {"rounded"},
    "favoured_digits": {"last-digit"},
}  # fmt: skip
"""What each planted kind must be called."""


@pytest.fixture(scope="module")
def found(country):
    with open_region(country) as region:
        return region.screen("2024", most=5000)


@pytest.fixture(scope="module")
def truth(country):
    with (country / "truth.csv").open(encoding="utf-8") as stream:
        return {row["enterprise"]: row for row in csv.DictReader(stream)}


def test_recall_by_kind(found, truth):
    """Of every kind planted, at least nine of ten are found under their own name; of the digit kinds, which need many
    values of four digits, at least seven of ten."""
    by_firm = {}
    for alarm in found.alarms:
        by_firm.setdefault(alarm.enterprise, set()).add(alarm.rule)
    for kind, rules in RULES.items():
        planted = [name for name, row in truth.items() if row["kind"] == kind]
        hit = sum(1 for name in planted if by_firm.get(name, set()) & rules)
        assert len(planted) >= 10
        assert hit / len(planted) >= (0.7 if kind in ("rounded", "favoured_digits") else 0.9), (
            kind,
            hit,
            len(planted),
        )


def test_precision(found, truth):
    flagged = {alarm.enterprise for alarm in found.alarms}
    assert found.flagged == len(flagged)
    assert len(flagged & set(truth)) / len(flagged) >= 0.97
    assert found.enterprises == 1500
    assert sum(found.counts.values()) >= len(found.alarms)


def test_the_months_are_the_right_ones(found, truth):
    for alarm in found.alarms:
        row = truth.get(alarm.enterprise)
        if (
            row
            and row["kind"] in ("unit_slip", "value_slip", "fuel_jump")
            and alarm.rule in RULES[row["kind"]]
        ):
            assert alarm.months == (row["first_month"],)
        if row and row["kind"] == "below_bill" and alarm.rule == "bill":
            assert alarm.months[0] >= row["first_month"]
            assert len(alarm.months) >= 5


def test_strongest_first_and_no_more_than_asked(country, found):
    scores = [alarm.score for alarm in found.alarms]
    assert scores == sorted(scores, reverse=True)
    with open_region(country) as region:
        few = region.screen("2024", most=3)
    assert [alarm.enterprise for alarm in few.alarms] == [alarm.enterprise for alarm in found.alarms[:3]]
    assert few.counts == found.counts


def test_evidence_in_words(found, truth):
    said = {alarm.rule: alarm.finding for alarm in reversed(found.alarms) if alarm.enterprise in truth}
    slip = next(a for a in found.alarms if a.rule == "unit" and truth[a.enterprise]["kind"] == "unit_slip")
    factor = float(slip.finding.values["factor"].replace(",", ""))
    assert 800 < factor < 1250  # kWh as MWh
    assert slip.finding.values["unit"] == "MWh"
    assert "near a power of ten" in slip.finding.says("en")
    assert "整数次方" in slip.finding.says("zh")
    bill = next(a for a in found.alarms if a.rule == "bill" and truth[a.enterprise]["kind"] == "below_bill")
    strength = float(truth[bill.enterprise]["strength"])
    assert float(bill.finding.values["factor"]) == pytest.approx(0.5 + 0.3 * strength, abs=0.03)
    assert said["rounded"].values["share"] > "5"
    assert said["last-digit"].values["digit"] in (6, 8)
    assert {finding.code for finding in said.values()} >= {
        "screen.unit", "screen.jump", "screen.copy-month", "screen.copy-year", "screen.bill", "screen.own-need",
        "screen.rounded", "screen.last-digit",
    }  # fmt: skip


def test_a_clean_country_is_left_alone(tmp_path):
    generate(tmp_path, 800, anomalies=0)
    with open_region(tmp_path) as region:
        region.load()
        found = region.screen("2024")
    assert found.flagged <= 2  # of 800
    assert len(found.findings) <= 2


SMALL = """celadon-region: 1
region: {id: r1}
products: [{id: fesi, unit: t}]
registry: {files: [registry.csv], columns: {enterprise: id, industry: code, region: place, product: product}}
screening: {cross_check: 5%, band: 20%}
sources:
  - id: reports
    files: [reports.csv]
    enterprise: id
    month: month
    values:
      - {column: bought, quantity: energy_purchased, item: electricity, unit: MWh}
      - {column: used, quantity: energy_consumed, item: electricity, unit: MWh}
      - {column: made, quantity: product_output, unit: "1"}
      - {column: billed, quantity: electricity_billed, unit: kWh}
      - {column: metered, quantity: electricity_metered, unit: kWh}
"""


def test_electricity_told_four_ways_and_a_published_band(tmp_path):
    (tmp_path / "region.yaml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "registry.csv").write_text("id,code,place,product\nA,3140,150900,fesi\n", encoding="utf-8")
    (tmp_path / "reports.csv").write_text(
        "id,month,bought,used,made,billed,metered\n"
        "A,2024-01,900,1000,100,900000,1000000\n"  # 10 000 kWh/t is within 8050 x 0.8 = 6440 … 8400 x 1.2 = 10080
        "A,2024-02,900,900,75,900000,900000\n"  # 12 000 kWh/t is not
        "A,2024-03,900,900,60,900000,900000\n",  # 15 000 kWh/t is not
        encoding="utf-8",
    )
    with open_region(tmp_path) as region:
        region.load()
        found = region.screen("2024-01..2024-03")
    by_rule = {alarm.rule: alarm for alarm in found.alarms}
    assert set(by_rule) == {"meter", "bill-meter", "balance", "band"}
    meter = by_rule["meter"].finding
    assert (meter.values["value"], meter.values["expected"], meter.values["factor"]) == ("900", "1000", "0.9")
    codes = {alarm.finding.code for alarm in found.alarms}
    assert codes == {"screen.meter", "screen.bill-meter", "screen.balance", "screen.band"}
    assert by_rule["balance"].finding.values["factor"] == "1.111"  # 1000 used, 900 bought
    band = by_rule["band"]
    assert band.months == ("2024-02", "2024-03")
    assert (band.finding.values["low"], band.finding.values["high"]) == ("6440", "10,080")
    assert band.finding.values["value"] == "15,000"
    assert band.finding.values["factor"] == "1.488"  # 15000 / 10080
    assert (
        str(band.finding.clause)
        == "GB 21341-2022 Norm of energy consumption per unit product of ferroalloys, table of limits"
    )


def one_column(folder, values):
    """Screened: an enterprise for each value, all in Shandong, in one month."""
    (folder / "region.yaml").write_text(
        "celadon-region: 1\nregion: {id: r1}\n"
        "registry: {files: [registry.csv], columns: {enterprise: id, industry: code, region: place}}\n"
        "sources:\n  - {id: reports, files: [reports.csv], enterprise: id, month: month, values: "
        "[{column: value, quantity: output_value, unit: 万元}]}\n",
        encoding="utf-8",
    )
    firms = "".join(f"F{n},3411,370100\n" for n in range(len(values)))
    (folder / "registry.csv").write_text(f"id,code,place\n{firms}", encoding="utf-8")
    rows = "".join(f"F{n},2024-01,{value}\n" for n, value in enumerate(values))
    (folder / "reports.csv").write_text(f"id,month,value\n{rows}", encoding="utf-8")
    with open_region(folder) as region:
        region.load()
        return region.screen("2024-01")


HIGH = [f"{(5 + n % 5) * 100 + n % 97}.{n % 89 + 10}" for n in range(600)]
"""Values that start with 5 to 9 only."""


def test_first_digits_of_an_area(tmp_path):
    """A pattern of the group, though no firm's own is strange."""
    found = one_column(tmp_path, HIGH)
    [finding] = [item for item in found.findings if item.kind is anomalies.FIRST_DIGITS]
    assert finding.code == "screen.first-digits"
    assert (finding.values["n"], finding.values["area"].en) == (600, "Shandong")
    # none starts with 1 to 4 (together 0.699 of the law), so the deviations sum to twice that over nine digits
    assert finding.values["mad"] == f"{2 * 0.69897 / 9:.3f}"


def test_a_value_too_large_for_digits(tmp_path):
    """What has more digits than a number keeps has no last digits to look at; nothing else stops."""
    found = one_column(tmp_path, [*HIGH, "5e19"])
    [finding] = [item for item in found.findings if item.kind is anomalies.FIRST_DIGITS]
    assert (found.enterprises, finding.values["n"]) == (601, 600)


def test_command(country, capsys):
    assert main(["screen", str(country), "--period", "2024-12", "--most", "2", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert problems(body) == []
    assert len(body["alarms"]) == 2
    assert main(["screen", str(country), "--period", "2024-12", "--most", "2", "--lang", "zh"]) == 0
    text = capsys.readouterr().out
    assert "家企业中" in text
    assert "单位或小数点错误" in text
    assert main(["quarantine", str(country), "--json"]) == 0
    assert problems(json.loads(capsys.readouterr().out)) == []
    assert main(["load", str(country), "--json"]) == 0
    assert problems(json.loads(capsys.readouterr().out)) == []


def test_decimals_are_a_habit_and_not_an_anomaly(tmp_path):
    """Forty enterprises, two columns in three write one decimal, the others three; one has its values from a spreadsheet, with
    all of a double's. (The finest decimals of anybody made every other enterprise's last digits zeros.)"""
    columns = [("coal", "raw_coal"), ("gas", "natural_gas"), ("oil", "diesel"), ("heat", "heat"), ("petrol", "gasoline"),
               ("power", "electricity")]  # fmt: skip
    units = {"gas": "m3", "heat": "GJ", "power": "MWh"}
    values = "\n".join(
        f"      - {{column: {name}, quantity: energy_consumed, item: {item}, unit: {units.get(name, 't')}}}" for name, item in columns
    )  # fmt: skip
    (tmp_path / "region.yaml").write_text(
        "celadon-region: 1\nregion: {id: r1}\nregistry: {files: [registry.csv], columns: {enterprise: id, industry: code, region: place}}\n"
        "sources:\n  - id: reports\n    files: [reports.csv]\n    enterprise: id\n    month: month\n    values:\n"
        + values
        + "\n",
        encoding="utf-8",
    )
    firms = [f"F{number:02}" for number in range(40)]
    (tmp_path / "registry.csv").write_text(
        "id,code,place\n" + "".join(f"{firm},3411,370100\n" for firm in firms), encoding="utf-8"
    )
    draw = random.Random(4)
    lines = [f"id,month,{','.join(name for name, _ in columns)}"]
    for number, firm in enumerate(firms):
        places = 17 if number == 0 else 1 if number % 3 else 3
        for month in range(1, 13):
            amounts = [round(draw.uniform(2000, 3000), 3) * 1.2 for _ in columns]
            lines.append(
                f"{firm},2024-{month:02}," + ",".join(repr(round(amount, places)) for amount in amounts)
            )
    (tmp_path / "reports.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open_region(tmp_path) as region:
        assert list(region.load().findings) == []
        assert region.screen("2024").counts == {}

"""The region file: what it says, and every fault a finding with its line."""

from importlib.resources import files

import pytest

from celadon.region.model import LEVELS, Disclosure, Screening
from celadon.region.reader import is_region, read_region, read_region_text

SMALL = """celadon-region: 1
region: {id: r1}
registry:
  files: [r.csv]
  columns: {enterprise: id, industry: code, region: place}
sources:
  - id: reports
    files: [f.csv]
    enterprise: id
    month: month
    values:
      - {column: coal, quantity: energy_consumed, item: 原煤, unit: kg}
"""


def said(text):
    region, findings = read_region_text(text)
    return region, [(item.code, item.where.line, dict(item.values)) for item in findings]


def test_a_small_file_and_its_defaults():
    region, findings = said(SMALL)
    assert findings == []
    assert (region.id, region.zone, region.store) == ("r1", "Asia/Shanghai", "celadon-store")
    [coal] = region.columns
    assert coal.name == "energy_consumed:raw_coal:combustion"  # the word is the carrier's label
    assert (coal.unit, coal.kept_unit, coal.factor) == ("kg", "t", 0.001)
    assert (region.disclosure, region.screening, region.levels) == (
        Disclosure(3, 2, 0.85),
        Screening(),
        LEVELS,
    )


def test_the_example_is_without_findings(tmp_path):
    folder = files("celadon.examples.country")
    region, findings = read_region(str(folder))
    assert list(findings) == []
    assert len(region.columns) == 20
    assert region.quotas.rulebook == "cn_gbt_2589_2020"
    assert [level.share for level in region.levels] == [0.95, 1.0, 1.05, 1.1]
    assert is_region(str(folder))
    assert is_region(str(folder / "region.yaml"))
    assert not is_region(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "values"),
    [
        ("celadon-region: 1", "celadon-region: 7", "region.version-other", 1, {"value": "7", "version": 1}),
        ("    files: [f.csv]\n", "    url: sqlite:///x.db\n", "region.source-nowhere", 7, {"table": "source"}),
        ("unit: kg", "unit: m3", "region.value-unit", 12,
         {"quantity": "energy_consumed", "item": "raw_coal", "kept": "t", "unit": "m3"}),
        ("column: coal, ", "", "region.value-column", 12, {"quantity": "energy_consumed"}),
        ("原煤", "煤油油", "plant.carrier-unknown", 12, {"key": "item", "value": "煤油油"}),
        ("id: reports", "idd: reports", "plant.key-unknown", 7, {"key": "idd", "table": "source"}),
        ("region: {id: r1}", "region: {id: r1}\nmonths: 2023-13", "period.unreadable", 3, {"text": "2023-13"}),
    ],
)  # fmt: skip
def test_faults(old, new, code, line, values):
    _, findings = said(SMALL.replace(old, new))
    found = {entry[0]: entry for entry in findings}
    assert code in found, findings
    assert found[code][1] == line
    assert values.items() <= found[code][2].items()


def test_one_fact_in_two_columns():
    again = SMALL + "      - {column: coal2, quantity: energy_consumed, item: raw_coal, unit: t}\n"
    region, findings = said(again)
    assert findings == [
        ("region.value-twice", 13, {"name": "energy_consumed:raw_coal:combustion", "source": "reports"})
    ]
    assert len(region.columns) == 1


def test_nothing_usable():
    region, findings = said("celadon-region: 1\nregion: {id: r1}\n")
    assert region is None
    assert findings[-1][0] == "region.unusable"
    assert read_region_text("")[0] is None
    missing, found = read_region("nowhere")
    assert missing is None
    assert found.codes() == {"plant.file-missing"}


def test_levels_are_sorted_and_named():
    levels = "warnings: {levels: [{id: b, share: 110%}, {id: a, name: {zh: 甲, en: A}, share: 90%}]}\n"
    region, findings = said(SMALL + levels)
    assert findings == []
    assert [(level.id, level.name.zh, level.share) for level in region.levels] == [
        ("a", "甲", 0.9),
        ("b", "b", 1.1),
    ]

"""Peer benchmarks: values by hand, suppression in what is published, and an attack on the published tables."""

import pytest

from celadon.cli import main
from celadon.core.findings import FindingError
from celadon.region.facade import open_region

FILE = """celadon-region: 1
region: {id: r1}
registry: {files: [registry.csv], columns: {enterprise: id, industry: code, region: place}}
sources:
  - id: reports
    files: [reports.csv]
    enterprise: id
    month: month
    values:
      - {column: used, quantity: energy_consumed, item: electricity, unit: MWh}
      - {column: value, quantity: output_value, unit: 万元}
"""


def make(folder, firms):
    """firms: (id, industry, region, MWh, output value)."""
    (folder / "region.yaml").write_text(FILE, encoding="utf-8")
    (folder / "registry.csv").write_text(
        "id,code,place\n" + "".join(f"{name},{code},{place}\n" for name, code, place, _, _ in firms),
        encoding="utf-8",
    )
    (folder / "reports.csv").write_text(
        "id,month,used,value\n" + "".join(f"{name},2024-01,{used},{value}\n" for name, _, _, used, value in firms), encoding="utf-8"
    )  # fmt: skip
    with open_region(folder) as region:
        assert list(region.load().findings) == []


def test_values_by_hand(tmp_path):
    # 31 firms of 1 MWh … 31 MWh on 10 × 10^4 CNY each
    make(tmp_path, [(f"F{n:02}", "3411", "370100", n, 10) for n in range(1, 32)])
    with open_region(tmp_path) as region:
        found = region.peers("2024-01", enterprise="F05")
    [group] = found.groups
    assert (group.group, group.suppressed, group.enterprises) == (("3411",), "", 31)
    assert group.total == pytest.approx(31 * 32 / 2 * 0.1229)
    assert group.mean == pytest.approx(16 * 0.1229 / 10)
    # percentile p of 31 values lies at 1 + 30 p: 4, 8.5, 16, 23.5, 28
    assert group.percentiles == pytest.approx(
        {0.1: 0.4 * 0.1229, 0.25: 0.85 * 0.1229, 0.5: 1.6 * 0.1229, 0.75: 2.35 * 0.1229, 0.9: 2.8 * 0.1229}
    )
    assert (found.standing.rank, found.standing.peers) == (5, 31)
    assert found.standing.ratio == pytest.approx(0.5 * 0.1229)
    assert found.units == {"total": "tce", "over": "万元", "ratio": "tce/万元"}


def test_percentiles_and_groups_of_few(tmp_path):
    firms = [(f"A{n}", "3411", "370100", 10 + n, 10) for n in range(12)]  # 12: the quartiles, not p10 and p90
    firms += [(f"B{n}", "3412", "370100", 10 + n, 10) for n in range(2)]  # two firms
    firms += [
        ("C0", "3413", "370100", 1000, 10),
        *((f"C{n}", "3413", "370100", 10, 10) for n in range(1, 6)),
    ]  # dominated
    firms += [(f"D{n}", "3414", "370100", 40 + n, 10) for n in range(7)]
    make(tmp_path, firms)
    with open_region(tmp_path) as region:
        found = region.peers("2024-01")
    groups = {item.group[0]: item for item in found.groups}
    assert [share for share, value in groups["3411"].percentiles.items() if value is not None] == [
        0.25,
        0.5,
        0.75,
    ]
    assert groups["3412"].suppressed == groups["3413"].suppressed == "primary"  # 1010 of 1050 by two of six
    # the total of the group 341 less what is published would be 3412 + 3413: dominated by C0, so another one is left out
    assert groups["3414"].suppressed == "secondary"
    assert groups["3414"].total is None
    [told] = [item for item in found.findings if item.code == "peers.suppressed"]
    assert (told.values["primary"], told.values["secondary"]) == (2, 1)


@pytest.mark.parametrize("by", ["industry", "industry,province", "division,prefecture"])
def test_attack_on_the_country(country, by):
    """From the published table and the totals of every coarser one, asked for in turn, nothing hidden follows."""
    with open_region(country) as region:
        found = region.peers("2024-03", by=by)
        rule = region.opened.region.disclosure
        firms = region.account(
            "cn_gbt_2589_2020", "2024-03", by="enterprise," + by, quantities=["comprehensive_energy"]
        )
    values = {}
    for row in firms.rows:
        values.setdefault(row.group[1:], []).append(row.value)
    hidden = {item.group for item in found.groups if item.suppressed}
    for item in found.groups:
        amounts = sorted(values[item.group], reverse=True)
        alone = len(amounts) < rule.minimum or sum(amounts[: rule.largest]) >= rule.share * sum(amounts)
        assert not (alone and not item.suppressed), item.group
        if not item.suppressed:
            assert item.enterprises == len(amounts)
            assert item.total == pytest.approx(sum(amounts), rel=1e-9)
    assert 0 < len(hidden) < len(found.groups)
    # the simplest attack: a row's or column's published total less its published cells
    words = by.split(",")
    for place in range(len(words)):
        lines = {}
        for item in found.groups:
            rest = tuple(code for number, code in enumerate(item.group) if number != place)
            if len(words) > 1:
                lines.setdefault(rest, []).append(item.group)
        for members in lines.values():
            gone = [group for group in members if group in hidden]
            if gone:
                amounts = sorted((value for group in gone for value in values[group]), reverse=True)
                shown = len(gone) == 1 and not unsafe_line(members, values, rule)
                assert not shown, gone


def unsafe_line(members, values, rule):
    """Whether the line's own total is suppressed too, so that nothing can be taken from it."""
    amounts = sorted((value for group in members for value in values[group]), reverse=True)
    return len(amounts) < rule.minimum or sum(amounts[: rule.largest]) >= rule.share * sum(amounts)


def test_outputs_of_several_products_are_not_added_up(tmp_path):
    """Ten enterprises make glass (1 t each), eight hoists (1 of each, by number): nothing per product of all 18, but of each."""
    make(tmp_path, [(f"F{n:02}", "3411", "370100", 10, 1) for n in range(18)])
    text = FILE.replace("quantity: output_value, unit: 万元", 'quantity: product_output, unit: "1"')
    text = text.replace("region: place}}", "region: place, product: product}}")
    products = 'products: [{id: glass, unit: t}, {id: hoist, unit: "1"}]\n'
    (tmp_path / "region.yaml").write_text(text + products, encoding="utf-8")
    lines = [f"F{n:02},3411,370100,{'glass' if n < 10 else 'hoist'}" for n in range(18)]
    (tmp_path / "registry.csv").write_text(
        "id,code,place,product\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )
    with open_region(tmp_path) as region:
        region.load()
        found = region.peers("2024-01", over="product_output", enterprise="F00")
        split = region.peers("2024-01", over="product_output", by="industry,product")
    [group] = found.groups
    assert (group.enterprises, group.over, group.mean, set(group.percentiles.values())) == (
        18,
        None,
        None,
        {None},
    )
    assert group.total == pytest.approx(180 * 0.1229)
    [told] = [item for item in found.findings if item.code == "peers.products-mixed"]
    assert told.values == {"count": 1, "over": "product_output"}
    assert found.standing.peers == 10
    assert [(item.group[1], item.over, item.mean) for item in split.groups] == [
        ("glass", 10, pytest.approx(1.229)),
        ("hoist", 8, pytest.approx(1.229)),
    ]


def test_names_with_brackets_are_printed_as_they_are(tmp_path, capsys):
    """A firm's name is no markup, and an item stands beside its quantity."""
    make(tmp_path, [(f"F{n}", "3411", "370100", 10, 10) for n in range(8)])
    text = FILE.replace("enterprise: id, industry", "enterprise: id, name: name, industry")
    (tmp_path / "region.yaml").write_text(text, encoding="utf-8")
    lines = [f"F{n},[/red]Works,3411,370100" for n in range(8)]
    (tmp_path / "registry.csv").write_text("id,name,code,place\n" + "\n".join(lines) + "\n", encoding="utf-8")
    assert main(["load", str(tmp_path), "--quiet"]) == 0
    words = [str(tmp_path), "-p", "2024-01", "--lang", "en"]
    assert main(["account", *words, "-r", "cn_gbt_2589_2020", "--by", "enterprise"]) == 0
    shown = capsys.readouterr().out
    assert "[electricity]" in shown
    assert "F0 [/red]Works" in shown


def test_a_total_that_there_is_not_is_told(tmp_path):
    """GB/T 32150 asks for purchases, which nobody reports here; and what is told by item only is no total."""
    make(tmp_path, [(f"F{n}", "3411", "370100", 10, 10) for n in range(8)])
    with open_region(tmp_path) as region:
        with pytest.raises(FindingError) as raised:
            region.grade("2024-01")
        [finding] = raised.value.findings
        assert (finding.code, finding.values["quantity"]) == ("region.no-total", "total_emission")
        with pytest.raises(FindingError) as raised:
            region.peers("2024-01", quantity="standard_coal_equivalent")
        [finding] = raised.value.findings
    assert finding.says("en").endswith(
        "nothing it needs is reported, or it is told by item only (electricity)."
    )
    assert finding.says("zh").endswith("所需数据均未填报，或仅按项给出（electricity）。")


@pytest.mark.parametrize(
    ("unit", "denominator", "code"),
    [("万元", "added_value", "grade.not-graded"), ("t", "output_value", "fact.unit"), ("万元", "output_value", "grade.mean-of-peers")],
)  # fmt: skip
def test_grades_without_the_denominator_or_in_another_kind_of_unit(tmp_path, unit, denominator, code):
    """Absence is no grade, and no fault of the program."""
    make(tmp_path, [(f"F{n}", "3411", "370100", 10 + n, 10) for n in range(8)])
    text = FILE.replace("energy_consumed", "energy_purchased").replace("unit: 万元", f"unit: {unit}")
    (tmp_path / "region.yaml").write_text(text, encoding="utf-8")
    with open_region(tmp_path) as region:
        region.load()
        found = region.grade("2024-01", options={"denominator": denominator})
    assert code in {item.code for item in found.findings}
    assert (set(found.counts) == {(0, 0)}) == (code != "grade.mean-of-peers")
    assert sum(found.counts.values()) == 8
